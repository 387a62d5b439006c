import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.cli import run


@pytest.fixture
def broken(registry: Path) -> Path:
    file = registry / "acme--chat.yaml"
    file.write_text(file.read_text().replace("max_replicas: 1", "max_replica: 1"))
    return registry


def test_a_clean_registry_is_said_to_be_clean(registry: Path) -> None:
    ran = run("validate")
    assert (ran.code, ran.out, ran.err) == (0, "No problems in 2 models, 1 cluster\n", "")


def test_a_problem_is_shown_with_its_line(broken: Path) -> None:
    ran = run("validate")
    assert ran.code == 1
    assert "registry/acme--chat.yaml:8:5: error[" in ran.out
    assert " 8 |     max_replica: 1\n   |     ^^^^^^^^^^^\n" in ran.out
    assert ran.out.endswith("1 error\n")


def test_paths_choose_what_is_shown_and_counted(broken: Path) -> None:
    assert run("validate", broken / "acme--other.yaml").code == 0
    assert run("validate", broken / "acme--chat.yaml").code == 1
    assert run("validate", broken).code == 1
    ran = run("validate", "acme--chat.yaml")
    assert (ran.code, ran.err) == (64, "error: `acme--chat.yaml` does not exist\n")


def test_json_and_github_say_the_same(broken: Path) -> None:
    ran = run("validate", "--format", "json")
    assert ran.code == 1
    [diagnostic] = json.loads(ran.out)["diagnostics"]
    ran = run("validate", "--format", "github")
    assert ran.out.startswith(f"::error file=registry/acme--chat.yaml,line=8,col=5,title={diagnostic['rule']}::")
    assert ran.code == 1


def test_a_folder_that_is_not_there(registry: Path) -> None:
    ran = run("validate", "--registry", "nowhere")
    assert ran.code == 1
    assert "the registry folder does not exist" in ran.out


def test_a_line_with_a_secret_is_never_shown(registry: Path) -> None:
    file = registry / "acme--chat.yaml"
    token = "hf_" + "a1B2c3D4e5" * 3
    file.write_text(file.read_text() + f"  num_workerz: 1  # {token}\n")
    for output in ("text", "json", "github"):
        ran = run("validate", "--format", output)
        assert ran.code == 1
        assert token not in ran.out + ran.err


def test_the_target_of_a_link_is_never_shown(registry: Path, tmp_path: Path) -> None:
    (tmp_path / "outside.yaml").write_text("password: hunter2\n")
    (registry / "acme--linked.yaml").symlink_to(tmp_path / "outside.yaml")
    ran = run("validate")
    assert ran.code == 1
    assert "hunter2" not in ran.out


def test_warnings_are_fatal_only_when_strict(registry: Path) -> None:
    for file in registry.glob("*.yaml"):
        file.unlink()
    ran = run("validate")
    assert ran.code == 0
    assert "warning[empty-registry]" in ran.out
    assert run("validate", "--strict").code == 1


def test_the_value_of_a_secret_key_is_shown_neither_in_the_message_nor_in_the_line(registry: Path) -> None:
    file = registry / "acme--chat.yaml"
    file.write_text(file.read_text().replace("max_num_seqs: 4\n", "max_num_seqs: 4\n    hf_token: 987654321\n"))
    ran = run("validate")
    assert ran.code == 1
    assert "`hf_token` wants true or false or text, not a whole number" in ran.out
    assert "987654321" not in ran.out + ran.err


def test_the_place_behind_a_hidden_value_is_still_underlined(registry: Path) -> None:
    file = registry / "acme--chat.yaml"
    env_vars = "  runtime_env:\n    env_vars: {HF_TOKEN: correcthorse, A: 1}\n"
    file.write_text(file.read_text().replace("deployment_config:\n", env_vars + "deployment_config:\n"))
    ran = run("validate")
    assert "correcthorse" not in ran.out
    assert " 6 |     env_vars: {HF_TOKEN: (hidden), A: 1}\n   |                                    ^" in ran.out


def test_a_place_between_two_hidden_values_is_not_shown(registry: Path) -> None:
    file = registry / "acme--chat.yaml"
    env_vars = "  runtime_env:\n    env_vars: {HF_TOKEN: correcthorse, A: 1, B_TOKEN: correcthorse}\n"
    file.write_text(file.read_text().replace("deployment_config:\n", env_vars + "deployment_config:\n"))
    ran = run("validate")
    assert "`engine_config.runtime_env.env_vars.A`" in ran.out
    assert "correcthorse" not in ran.out
    assert "{" not in ran.out


def test_sarif_names_files_from_the_top_of_the_repository(broken: Path, tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    (tmp_path / "infra and more").mkdir()
    broken.rename(tmp_path / "infra and more" / "registry")
    ran = run("validate", "--registry", "infra and more/registry", "--format", "sarif")
    assert ran.code == 1
    [result] = json.loads(ran.out)["runs"][0]["results"]
    location = result["locations"][0]["physicalLocation"]
    assert location["artifactLocation"]["uri"] == "infra%20and%20more/registry/acme--chat.yaml"
    assert location["region"] == {"startLine": 8, "startColumn": 5}


def test_junit_has_a_case_for_each_clean_file(broken: Path) -> None:
    ran = run("validate", "--format", "junit")
    assert ran.code == 1
    assert '<testcase classname="registry/acme--other.yaml" name="no problems" time="0" />' in ran.out
    assert ran.out.count("<failure ") == 1
    assert "acme--chat" not in run("validate", "--format", "junit", broken / "acme--other.yaml").out


def test_what_is_waived_is_counted_and_its_reason_told(registry: Path) -> None:
    file = registry / "acme--chat.yaml"
    file.write_text("waive: [{rule: served-nowhere, reason: for the next event}]\nclusters: []\n" + file.read_text())
    ran = run("validate", "--strict")
    assert (ran.code, ran.out) == (0, "No problems in 2 models, 1 cluster (1 waived)\n")
    [waived] = json.loads(run("validate", "--format", "json").out)["waived"]
    assert (waived["rule"], waived["reason"]) == ("served-nowhere", "for the next event")
    [result] = json.loads(run("validate", "--format", "sarif").out)["runs"][0]["results"]
    assert result["suppressions"][0]["justification"] == "for the next event"


def test_the_rules_are_listed() -> None:
    ran = run("validate", "--rules")
    assert ran.code == 0
    assert "served-nowhere (warning; may be waived)\n  An enabled model with an empty list of clusters" in ran.out
    assert "secret-in-clear (error)\n" in ran.out


def test_results_are_remembered_where_the_variable_says_or_nowhere(registry: Path, tmp_path: Path) -> None:
    assert run("validate", "--no-cache").code == 0
    assert not (tmp_path / ".reconciler").exists()
    assert run("validate", variables={"TERM": "dumb", "RECONCILER_CACHE_DIR": "kept"}).code == 0
    assert [path.suffix for path in (tmp_path / "kept").glob("*.json")] == [".json"]
    assert run("validate").code == 0
    assert (tmp_path / ".reconciler" / "cache").is_dir()


def test_an_unchanged_registry_is_validated_without_the_libraries_that_read_it(registry: Path) -> None:
    code = (
        "import sys; from reconciler.cli.main import main; code = main(['validate']); "
        "print(code, *{name.partition('.')[0] for name in sys.modules}, file=sys.stderr)"
    )
    for libraries in ({"pydantic", "yaml"}, set()):
        process = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
        assert process.stdout == "No problems in 2 models, 1 cluster\n"
        exit_code, *modules = process.stderr.split()
        assert exit_code == "0"
        assert {"pydantic", "yaml", "jsonschema"} & set(modules) == libraries
