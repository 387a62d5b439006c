from pathlib import Path

from reconciler.cli.repository_uri import repository_uri


def test_a_uri_begins_at_the_top_of_the_repository(tmp_path: Path) -> None:
    (tmp_path / ".git").write_text("gitdir: elsewhere\n")
    here = tmp_path / "team" / "a"
    here.mkdir(parents=True)
    assert repository_uri(here)("registry/x y.yaml") == "team/a/registry/x%20y.yaml"
    assert repository_uri(here)("../b/x.yaml") == "team/b/x.yaml"
    assert repository_uri(here)("x#1?.yaml") == "team/a/x%231%3F.yaml"


def test_what_lies_outside_is_absolute(tmp_path: Path) -> None:
    (tmp_path / "top" / ".git").mkdir(parents=True)
    uri = repository_uri(tmp_path / "top")("../x.yaml")
    assert uri == (tmp_path / "x.yaml").as_uri()
