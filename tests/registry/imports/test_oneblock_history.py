from pathlib import Path

import git
import pytest

from reconciler.registry.imports.git_history import Earlier, git_history
from tests.registry.imports.test_oneblock import BUILT, TEMPLATE
from tests.support.imports import imported, rules, text


def history(*contents: str) -> "dict[str, tuple[Earlier, ...]]":
    return {"m.yaml": tuple(Earlier(f"{index:040d}", each.encode()) for index, each in enumerate(contents, start=1))}


def found_after(now: str, *before: str) -> "tuple[object, list[tuple[int, str]]]":
    found = imported({"m.yaml": now}, history=lambda file: history(*before)[file])
    return found, rules(found)


def test_an_edited_version_is_refused_at_the_edited_line() -> None:
    edited = BUILT.replace("maxTotalTokens: 4096", "maxTotalTokens: 8192")
    found = imported({"m.yaml": TEMPLATE + "---\n" + edited}, history=lambda file: history(BUILT)[file])
    [problem] = [each for each in found.diagnostics if each.rule == "edited-version"]
    assert problem.position.line == 20
    assert problem.message == "the version `chat-01` is not what it was in commit 000000000000"
    assert found.files == ()


def test_the_first_commit_counts_and_a_description_may_change() -> None:
    edited = BUILT.replace("dtype: half", "dtype: auto")
    assert "edited-version" in dict(found_after(BUILT, edited, BUILT)[1]).values()
    described = BUILT.replace("spec:\n", "spec:\n  description: new\n", 1)
    assert "edited-version" not in dict(found_after(described, BUILT)[1]).values()


def test_numbers_count_contents_and_are_never_given_twice() -> None:
    second = BUILT.replace("chat-01", "chat-02").replace("dtype: half", "dtype: auto")
    third = BUILT.replace("chat-01", "chat-03").replace("dtype: half", "dtype: float16")
    found = imported({"m.yaml": third}, history=lambda file: history(BUILT, BUILT + "---\n" + second, BUILT)[file])
    assert "# Version 3 of the template `models/chat`: `chat-03`." in text(found)
    again = BUILT.replace("chat-01", "chat-04")
    found = imported({"m.yaml": again}, history=lambda file: history(BUILT, second)[file])
    assert "# Version 1 of the template" in text(found)


def test_what_was_no_yaml_in_an_earlier_commit_does_no_harm() -> None:
    found = imported({"m.yaml": BUILT}, history=lambda file: history("a: [", "", "- 1")[file])
    assert len(found.files) == 1


def test_git_tells_the_contents_of_a_file_oldest_first(tmp_path: Path) -> None:
    file = tmp_path / "models" / "m.yaml"
    assert git_history(str(file)) == ()
    with git.Repo.init(tmp_path) as repository:
        file.parent.mkdir()
        assert git_history(str(file)) == ()
        author = git.Actor("a", "a@example.com")
        for content in ("1", "2", None, "3"):
            if content is None:
                repository.index.remove([str(file)], working_tree=True)
            else:
                file.parent.mkdir(exist_ok=True)
                file.write_text(content)
                repository.index.add([str(file)])
            repository.index.commit("change", author=author, committer=author)
        (tmp_path / "other.yaml").write_text("x")
        repository.index.add([str(tmp_path / "other.yaml")])
        repository.index.commit("another file", author=author, committer=author)
    assert [each.content for each in git_history(str(file))] == [b"1", b"2", b"3"]
    assert git_history(str(tmp_path / "models" / "gone.yaml")) == ()


@pytest.mark.parametrize("place", ["/", "/nowhere/at/all.yaml"])
def test_outside_git_there_is_no_history(place: str) -> None:
    assert git_history(place) == ()
