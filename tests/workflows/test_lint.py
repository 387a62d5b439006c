"""Workflows and actions under the linters of the field: nothing is left to complain about."""

from pathlib import Path

import pytest
import yaml

from tests.support.workflow_lint import linted, zizmor

ROOT = Path(__file__).parents[2]
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))


def test_zizmor_finds_nothing() -> None:
    assert zizmor(ROOT / ".github", ROOT / "action.yml") == []


def test_actionlint_finds_nothing() -> None:
    assert linted(*WORKFLOWS) == []


def test_actionlint_finds_what_is_wrong(tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.yml"
    text = (ROOT / ".github" / "workflows" / "registry.yml").read_text(encoding="utf-8")
    wrong.write_text(text.replace("inputs.registry", "inputs.registrie"), encoding="utf-8")
    assert any("registrie" in line for line in linted(wrong))


@pytest.mark.parametrize("file", [*WORKFLOWS, ROOT / "action.yml"], ids=lambda file: file.name)
def test_no_expression_stands_in_a_script(file: Path) -> None:
    document = yaml.safe_load(file.read_text(encoding="utf-8"))
    jobs = document["jobs"].values() if "jobs" in document else [document["runs"]]
    scripts = [step["run"] for job in jobs for step in job["steps"] if "run" in step]
    assert scripts
    assert not [script for script in scripts if "${{" in script]


def test_jobs_for_two_clusters_in_one_run_do_not_get_in_each_other_s_way() -> None:
    document = yaml.safe_load((ROOT / ".github" / "workflows" / "registry.yml").read_text(encoding="utf-8"))
    given = [step.get("with", {}) for job in document["jobs"].values() for step in job["steps"] if "uses" in step]
    shared = [one[key] for one in given for key in ("name", "key") if key in one and "results" not in one[key]]
    assert len(shared) == 9
    assert all("${{ env.TARGET }}" in one for one in shared)
    assert "inputs.cluster" in document["jobs"]["apply"]["concurrency"]["group"]
