"""`reconcile init`: what it writes stands up to validation, hooks and linters, and it overwrites nothing."""

import json
import shlex
import subprocess
from pathlib import Path

import pytest
import yaml

from reconciler.cli.installed_from import Source, source_of
from tests.support.cli import Ran, run
from tests.support.repository import commit, git
from tests.support.runner import BIN
from tests.support.workflow_lint import linted, zizmor

ROOT = Path(__file__).parents[2]
COMMIT = "0123456789abcdef0123456789abcdef01234567"
FULL = (
    *("--dashboard", "https://ray.acme.test:8265", "--gateway", "https://llm.acme.test"),
    *("--source", "https://git.acme.test/acme/reconciler", "--commit", COMMIT),
)
KINDS = {
    "github": FULL,
    "gitlab": (*FULL, "--ci", "gitlab"),
    "none": (*FULL, "--ci", "none"),
    "local": ("--local",),
    "placeholders": (),
}


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def init(*arguments: str | Path) -> Ran:
    ran = run("init", *arguments)
    assert ran.code == 0, ran.err
    return ran


def files(folder: Path) -> dict[str, str]:
    found = (path for path in folder.rglob("*") if path.is_file() and ".git" not in path.relative_to(folder).parts)
    return {path.relative_to(folder).as_posix(): path.read_text() for path in found}


@pytest.mark.parametrize("kind", KINDS)
def test_an_empty_folder_becomes_a_registry_without_a_fault(place: Path, kind: str) -> None:
    ran = init("models", *KINDS[kind])
    found = files(place / "models")
    assert {line.removeprefix("wrote ") for line in ran.out.splitlines() if line.startswith("wrote ")} == set(found)
    assert (".github/workflows/models.yml" in found) == (kind in ("github", "placeholders"))
    assert (".gitlab-ci.yml" in found) == (kind == "gitlab")
    assert ("FILL IN" in "".join(found.values())) == (kind in ("placeholders", "local")) == ("FILL IN" in ran.out)
    strict = run("validate", "--strict", "--registry", place / "models" / "registry")
    assert (strict.code, "1 model, 1 cluster" in strict.out) == (0, True), strict.out


@pytest.mark.parametrize("kind", KINDS)
def test_the_hooks_pass(place: Path, monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    init("models", *KINDS[kind])
    monkeypatch.chdir(place / "models")
    [source] = yaml.safe_load(Path(".pre-commit-config.yaml").read_text())["repos"]
    hooks = {hook["id"]: hook["entry"] for hook in yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text())}
    assert len(source["hooks"]) == 2
    for hook in source["hooks"]:
        ran = run(*shlex.split(hooks[hook["id"]])[1:])
        assert ran.code == 0, ran.out


@pytest.mark.parametrize("kind", ["github", "placeholders"])
def test_linters_find_nothing_in_the_workflow(place: Path, kind: str) -> None:
    init("models", *KINDS[kind])
    workflow = place / "models" / ".github" / "workflows" / "models.yml"
    assert zizmor(workflow) == []
    assert linted(workflow) == []
    document = yaml.safe_load(workflow.read_text())
    called = yaml.safe_load((ROOT / ".github" / "workflows" / "registry.yml").read_text())
    [job] = document["jobs"].values()
    # What `on` is read as, by a parser of YAML 1.1.
    asked = called[True]["workflow_call"]
    assert set(job["with"]) <= set(asked["inputs"])
    assert {name for name, one in asked["inputs"].items() if one.get("required")} <= set(job["with"])
    assert set(job["secrets"]) <= set(asked["secrets"])
    needed: dict[str, str] = {}
    for one in called["jobs"].values():
        for name, level in one["permissions"].items():
            needed[name] = max(level, needed.get(name, ""))
    assert job["permissions"] == needed
    place_of, _, pin = job["uses"].partition("@")
    assert place_of.endswith("reconciler/.github/workflows/registry.yml")
    assert len(pin) == 40
    assert job["with"]["package"].endswith(f"@{pin}")


@pytest.mark.parametrize("kind", ["gitlab", "github", "placeholders"])
def test_the_files_for_ci_have_the_form_that_the_forge_publishes(place: Path, kind: str) -> None:
    init("models", *KINDS[kind])
    ci = {"gitlab": ("gitlab-ci", ".gitlab-ci.yml")}.get(kind, ("github-workflows", ".github/workflows/models.yml"))
    # `!reference` and merge keys apart, this is what the forge's own editor says.
    checked = subprocess.run(
        [BIN / "check-jsonschema", "--builtin-schema", f"vendor.{ci[0]}", place / "models" / ci[1]],
        capture_output=True,
        text=True,
        check=False,
    )
    assert checked.returncode == 0, checked.stdout


def test_editors_find_the_schemas(place: Path) -> None:
    init(".", "--local")
    settings = json.loads(Path(".vscode/settings.json").read_text())["yaml.schemas"]
    for schema, patterns in settings.items():
        assert Path(schema).read_text() == run("schema", Path(schema).name.split(".")[0]).out
        assert any(list(place.glob(pattern)) for pattern in patterns)
    for file in place.glob("registry/**/*.yaml"):
        first = file.read_text().splitlines()[0]
        assert (file.parent / first.partition("$schema=")[2]).resolve() in place.glob("schemas/*")


def test_nothing_is_overwritten(place: Path) -> None:
    git(place, "init", "-q")
    (place / "README.md").write_text("ours\n")
    (place / ".gitignore").write_text("*.log\n")
    (place / "src").mkdir()
    (place / "src" / "main.py").write_text("print()\n")
    commit(place, "Something else")
    ran = init(".", *FULL)
    assert git(place, "status", "--porcelain", "--untracked-files=no") == ""
    assert "left out README.md: it is there already" in ran.out
    assert "add the line `.reconciler/` to .gitignore" in ran.out
    before = files(place)
    again = init(".", *FULL, "--owner", "else")
    assert "wrote" not in again.out
    assert files(place) == before
    assert run("validate", "--strict").code == 0


def test_a_registry_with_models_and_clusters_gets_no_others(place: Path) -> None:
    init(".", "--local")
    ran = init(".", *FULL)
    assert "left out registry/clusters/production.yaml: `local.yaml` is there already" in ran.out
    assert "Qwen" not in "".join(path.name for path in place.glob("registry/*"))
    assert (place / ".github" / "workflows" / "models.yml").exists()
    assert run("validate", "--strict").code == 0


def test_a_dry_run_writes_nothing(place: Path) -> None:
    ran = init("models", "--dry-run")
    assert "would write registry/clusters/production.yaml" in ran.out
    assert list(place.iterdir()) == []


def test_a_link_to_nowhere_is_not_written_through(place: Path) -> None:
    (place / "README.md").symlink_to(place / "elsewhere")
    assert "left out README.md" in init(".", "--local").out
    assert not (place / "elsewhere").exists()


def test_ci_below_the_top_of_a_repository_is_refused(place: Path) -> None:
    git(place, "init", "-q")
    (place / "sub").mkdir()
    ran = run("init", "sub")
    assert (ran.code, "at the top only" in ran.err) == (64, True)
    assert list((place / "sub").iterdir()) == []
    init("sub", "--ci", "none")


@pytest.mark.parametrize(
    "words",
    [
        ("--dashboard", "ray.example.com"),
        ("--dashboard", "https://x # y"),
        ("--gateway", "https://x\nowner: y"),
        ("--owner", "Team A"),
        ("--cluster", "../up"),
        ("--branch", "main]"),
        ("--commit", "main"),
        ("--accelerator", 'L4"'),
        ("--local", "--gateway", "https://llm.acme.test"),
    ],
)
def test_what_would_spoil_the_files_is_refused(place: Path, words: tuple[str, ...]) -> None:
    assert run("init", *words).code == 64
    assert list(place.iterdir()) == []


def test_the_owner_is_the_name_of_the_folder(place: Path) -> None:
    init("Our_Models.v2", "--local")
    assert "owner: our-models-v2" in (place / "Our_Models.v2" / "registry" / "clusters" / "local.yaml").read_text()


def test_the_source_is_the_one_that_pip_wrote_down() -> None:
    told = {"url": "https://github.com/acme/reconciler.git", "vcs_info": {"vcs": "git", "commit_id": COMMIT}}
    assert source_of(json.dumps(told)) == Source("https://github.com/acme/reconciler", COMMIT)
    for other in ({"url": "https://me:token@github.com/acme/reconciler"}, {"url": "file:///work"}, {"vcs_info": {}}):
        assert source_of(json.dumps({**told, **other})) is None
