"""The pages for teams: what they quote is what comes out, and every command in them is one."""

import os
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from reconciler.cli.lazy_group import LazyGroup
from reconciler.cli.root import root
from reconciler.views.starter_files import Starter, starter_files
from tests.support.golden import CASES

ROOT = Path(__file__).parents[1]
PAGES = ["README.md", "SETUP.md", "REVIEWING.md"]
_COMMAND = re.compile(r"`(reconcile [^`]+)`|^(?:    |\$ )?(reconcile .+)$", re.MULTILINE)
_END = {"|", "||", "&&", ";", ">", ">>", "<", "..."}


def starter(ci: str) -> Starter:
    return Starter("production", "models", local=False, ci=ci, branch="main", accelerator="L4")


def fenced(path: str, ci: str) -> str:
    return f"```yaml\n{starter_files(starter(ci))[path]}```\n"


QUOTES = {
    ("SETUP.md", "github"): lambda: fenced(".github/workflows/models.yml", "github"),
    ("SETUP.md", "gitlab"): lambda: fenced(".gitlab-ci.yml", "gitlab"),
    # A comment's own mark is for its machine.
    ("REVIEWING.md", "comment"): lambda: (
        (CASES / "views" / "comment" / "mixed.md").read_text(encoding="utf-8").partition("\n")[2].rstrip("\n") + "\n"
    ),
}


@pytest.mark.parametrize(("page", "mark"), QUOTES)
def test_what_a_page_quotes_is_what_comes_out(page: str, mark: str) -> None:
    path = ROOT / page
    text = path.read_text(encoding="utf-8")
    head, found, rest = text.partition(f"<!-- {mark} -->\n")
    assert found
    quoted, found, tail = rest.partition("<!-- end -->\n")
    assert found
    actual = QUOTES[page, mark]()
    if os.environ.get("RECONCILER_BLESS") == "1":
        path.write_text(f"{head}<!-- {mark} -->\n{actual}<!-- end -->\n{tail}", encoding="utf-8")
    else:
        assert quoted == actual


def commands(page: str) -> Iterator[str]:
    text = (ROOT / page).read_text(encoding="utf-8").replace("\\\n", " ")
    for found in _COMMAND.finditer(text):
        yield (found[1] or found[2]).strip()


def words(line: str) -> list[str]:
    """The words of the first command of a line."""
    lexer = shlex.shlex(line, posix=True, punctuation_chars="|&;<>")
    lexer.whitespace_split = True
    found: list[str] = []
    for word in lexer:
        if word in _END:
            break
        found.append(word)
    return found[1:]


def parse(arguments: list[str]) -> None:
    """Let click read the arguments as it does before a command runs. Raises click's errors."""
    group: click.Command = root
    context = click.Context(root, info_name="reconcile")
    while isinstance(group, LazyGroup) and arguments and arguments[0] in group.entries:
        found = group.get_command(context, arguments[0])
        assert found is not None
        group, arguments = found, arguments[1:]
    if isinstance(group, LazyGroup) and arguments and not arguments[0].startswith("-"):
        group.resolve_command(context, arguments)
    if arguments:
        group.make_context("command", list(arguments), parent=context)


@pytest.mark.parametrize("page", PAGES)
def test_every_command_of_a_page_is_one(page: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    # The files that a page's earlier commands made.
    for name in ("drift.json", "plan.json", "snapshot.json"):
        Path(name).touch()
    found = list(commands(page))
    assert len(found) > 5
    for line in found:
        try:
            parse(words(line.replace("schema NAME", "schema plan")))
        except click.ClickException as error:
            pytest.fail(f"{page}: `{line}`: {error.format_message()}")


@pytest.mark.parametrize("line", ["reconcile plam", "reconcile plan --ot x", "reconcile schema x", "reconcile ci x"])
def test_a_command_that_is_none_is_found(line: str) -> None:
    with pytest.raises(click.ClickException):
        parse(words(line))


@pytest.mark.parametrize("page", PAGES)
def test_every_link_within_the_repository_leads_somewhere(page: str) -> None:
    links = re.findall(r"\]\(([^)#:]+)\)", (ROOT / page).read_text(encoding="utf-8"))
    assert links
    for link in links:
        assert (ROOT / link).exists(), link
