"""One comment and one issue, kept up to date over real HTTP, on both forges."""

from collections.abc import Iterator

import pytest

from reconciler.forge.github import GitHub
from reconciler.forge.gitlab import GitLab
from reconciler.forge.keep import keep_comments, keep_issue
from reconciler.forge.protocols import ForgeError
from reconciler.forge.requests import Requests
from tests.support.fake_forge import TOKEN, FakeForge, fake_forge

MARK = "<!-- reconcile plan gpus -->"


@pytest.fixture
def there() -> Iterator[FakeForge]:
    with fake_forge() as forge:
        yield forge


@pytest.fixture(params=["github", "gitlab"])
def forge(request: pytest.FixtureRequest, there: FakeForge) -> GitHub | GitLab:
    return client(request.param, there)


def client(name: str, there: FakeForge, token: str = TOKEN) -> GitHub | GitLab:
    def never_wait(seconds: float) -> None:
        del seconds

    if name == "github":
        requests = Requests(there.address, {"Authorization": f"Bearer {token}"}, never_wait)
        return GitHub(requests, "acme/models", 12)
    return GitLab(Requests(f"{there.address}/api/v4", {"PRIVATE-TOKEN": token}, never_wait), "7", 12)


def test_a_comment_is_written_once_and_edited_in_place(there: FakeForge, forge: GitHub | GitLab) -> None:
    there.add(there.comments, "what do you think?")
    deeds = [keep_comments(forge, MARK, [f"{MARK}\n{text}"])[0].deed for text in ("first", "second", "second")]
    assert deeds == ["created", "updated", "unchanged"]
    assert [item.body for item in there.comments] == ["what do you think?", f"{MARK}\nsecond"]


def test_it_is_found_again_among_hundreds(there: FakeForge, forge: GitHub | GitLab) -> None:
    for number in range(250):
        there.add(there.comments, f"comment {number}")
    keep_comments(forge, MARK, [f"{MARK}\nfirst"])
    for number in range(250):
        there.add(there.comments, f"reply {number}")
    assert [kept.deed for kept in keep_comments(forge, MARK, [f"{MARK}\nsecond"])] == ["updated"]
    assert sum(item.body.startswith(MARK) for item in there.comments) == 1


def test_a_forged_mark_is_passed_over(there: FakeForge, forge: GitHub | GitLab) -> None:
    there.add(there.comments, f"{MARK}\nall is well, merge it", "an attacker")
    there.add(there.comments, f"> {MARK}\nquoted", "somebody")
    assert [kept.deed for kept in keep_comments(forge, MARK, [f"{MARK}\nreal"])] == ["created"]
    assert [kept.deed for kept in keep_comments(forge, MARK, [f"{MARK}\nagain"])] == ["updated"]
    assert there.comments[0].body == f"{MARK}\nall is well, merge it"


def test_a_job_s_token_knows_its_comments_as_a_bot_s(there: FakeForge) -> None:
    there.is_job = True
    there.add(there.comments, f"{MARK}\nall is well, merge it", "an attacker")
    deeds = [keep_comments(client("github", there), MARK, [f"{MARK}\n{text}"])[0].deed for text in ("1", "2")]
    assert deeds == ["created", "updated"]
    assert len(there.comments) == 2


def test_a_long_plan_has_several_and_a_shorter_one_takes_them_away(there: FakeForge, forge: GitHub | GitLab) -> None:
    keep_comments(forge, MARK, [f"{MARK}\n1", f"{MARK}\n2", f"{MARK}\n3"])
    assert [kept.deed for kept in keep_comments(forge, MARK, [f"{MARK}\n1"])] == ["unchanged"]
    assert [item.body for item in there.comments] == [f"{MARK}\n1"]


def test_an_issue_is_opened_updated_and_closed(there: FakeForge, forge: GitHub | GitLab) -> None:
    there.add(there.issues, f"{MARK}\nnot ours")
    if isinstance(forge, GitHub):
        there.add(there.issues, f"{MARK}\na pull request", TOKEN, pull=True)
    before = len(there.issues)
    deeds = [keep_issue(forge, MARK, "Drift", body) for body in (None, f"{MARK}\n1", f"{MARK}\n2", None, None)]
    assert [kept and kept.deed for kept in deeds] == [None, "created", "updated", "closed", None]
    assert len(there.issues) == before + 1
    assert (there.issues[-1].body, there.issues[-1].state) == (f"{MARK}\n2", "closed")
    assert there.said == [(str(there.issues[-1].number), "There is no drift any more.")]


def test_a_busy_forge_is_asked_again(there: FakeForge, forge: GitHub | GitLab) -> None:
    there.failures += [503, 429, 502]
    assert keep_comments(forge, MARK, [f"{MARK}\nx"])[0].deed == "created"


@pytest.mark.parametrize("name", ["github", "gitlab"])
def test_a_refusal_is_told_without_the_token(there: FakeForge, name: str) -> None:
    with pytest.raises(ForgeError) as caught:
        keep_comments(client(name, there, "stale-secret-99"), MARK, [f"{MARK}\nx"])
    assert "401" in caught.value.message
    assert "stale-secret-99" not in caught.value.message + str(caught.value.hint)


def test_nobody_there_is_told() -> None:
    with fake_forge() as gone:
        pass
    with pytest.raises(ForgeError, match="cannot reach"):
        keep_comments(client("github", gone), MARK, [f"{MARK}\nx"])


def test_an_address_that_is_none_is_told() -> None:
    with pytest.raises(ForgeError, match="no address"):
        Requests("github.example", {})
