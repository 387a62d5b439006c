import getpass

import pytest

from reconciler.cli.provenance import provenance
from reconciler.plan.plan import Source

SOURCE = Source("c" * 40, "t" * 40, True, "d" * 64)


@pytest.mark.parametrize("variable", ["GITHUB_ACTOR", "GITLAB_USER_LOGIN"])
def test_a_job_is_of_the_person_that_started_it(variable: str) -> None:
    record = provenance(SOURCE, {variable: "octocat"})
    assert (record.who, record.commit, record.tree, record.dirty) == ("octocat", "c" * 40, "t" * 40, True)


def test_elsewhere_it_is_the_user_and_the_machine() -> None:
    assert str(provenance(SOURCE, {}).who).startswith(f"{getpass.getuser()}@")


def test_a_number_without_a_name_is_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    def getuser() -> str:
        raise OSError("no username set in the environment")

    monkeypatch.setattr(getpass, "getuser", getuser)
    assert str(provenance(SOURCE, {}).who).startswith("unknown@")
