import subprocess
import sys
from pathlib import Path

import pytest

from reconciler.cli import local, root
from reconciler.cli.environment import Environment
from reconciler.cli.lazy_group import LazyGroup
from tests.support.cli import run, write_registry

HEAVY = {"pydantic", "http", "rich", "yaml", "git", "jsonschema", "ruamel"}


def modules_after(arguments: str) -> set[str]:
    code = f"import sys; from reconciler.cli.main import main; main({arguments}); print(*sys.modules, file=sys.stderr)"
    process = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return {name.split(".")[0] for name in process.stderr.split()}


@pytest.mark.parametrize("arguments", [["--help"], ["--version"], [], ["local", "--help"], ["nonsense"]])
def test_help_and_version_import_nothing_heavy(arguments: list[str]) -> None:
    assert not HEAVY & modules_after(repr(arguments))


@pytest.mark.parametrize("group", [root.root, local.command])
def test_the_table_of_commands_says_what_the_commands_say(group: LazyGroup) -> None:
    import click

    for name, entry in group.entries.items():
        command = group.get_command(click.Context(group), name)
        assert command is not None
        assert command.short_help == entry.short_help
        assert command.help
        for parameter in command.params:
            assert not isinstance(parameter, click.Option) or parameter.help, f"--{parameter.name} of {name}"


def test_without_arguments_the_help_is_shown() -> None:
    ran = run()
    assert ran.code == 0
    assert ran.out == run("--help").out
    assert "validate" in ran.out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["vlidate"], "no command `vlidate`; did you mean `validate`?"),
        (["qqq"], "no command `qqq`\n"),
        (["--nope"], "No such option"),
        (["validate", "--format", "xml"], "'xml' is not one of"),
        (["validate", "--strct"], "`reconcile validate --help` lists what there is"),
        (["local", "upp"], "did you mean `up`?"),
        (["plan", "shwo"], "no command `shwo`; did you mean `show`?"),
        (["plan", "--registry", "x", "show", "p"], "`--registry` stands before `show`"),
        (["plan", "show"], "Missing argument"),
        (["schema", "models"], "'models' is not one of"),
    ],
)
def test_wrong_usage_exits_with_64_and_says_what_is_wrong(arguments: list[str], said: str) -> None:
    ran = run(*arguments)
    assert ran.code == 64
    assert ran.out == ""
    assert said in ran.err


def failing(error: BaseException) -> Environment:
    """An environment in which every connection fails with that error."""
    import io

    from reconciler.cli.console import Console

    def connect(*_: object) -> None:
        raise error

    console = Console({}, io.StringIO(), io.StringIO(), io.StringIO())
    return Environment({}, console, connect=connect)  # type: ignore[arg-type]


@pytest.fixture
def registry(tmp_path: Path) -> Path:
    return write_registry(tmp_path / "registry", "chat")


def said(environment: Environment) -> str:
    stream = environment.console._stderr
    return stream.getvalue()  # type: ignore[attr-defined]


def test_an_expected_error_is_a_message_and_a_hint(registry: Path) -> None:
    from reconciler.cli.main import main
    from reconciler.serve.errors import Unreachable

    environment = failing(Unreachable("nobody answers", "start it"))
    assert main(["status", "--registry", str(registry)], environment) == 1
    assert said(environment) == "error: nobody answers\n\nhint: start it\n"


def test_an_unexpected_error_is_one_message(registry: Path) -> None:
    from reconciler.cli.main import main

    environment = failing(ZeroDivisionError("oh"))
    assert main(["status", "--registry", str(registry)], environment) == 1
    assert "error: unexpected ZeroDivisionError: oh" in said(environment)
    assert "Traceback" not in said(environment)


@pytest.mark.parametrize("arguments", [["--debug", "status"], ["status", "--debug"]])
def test_debug_shows_where_an_unexpected_error_came_from(registry: Path, arguments: list[str]) -> None:
    from reconciler.cli.main import main

    environment = failing(ZeroDivisionError("oh"))
    assert main([*arguments, "--registry", str(registry)], environment) == 1
    assert "Traceback" in said(environment)


def test_an_interrupt_exits_with_130(registry: Path) -> None:
    from reconciler.cli.main import main

    environment = failing(KeyboardInterrupt())
    assert main(["status", "--registry", str(registry)], environment) == 130
    assert "interrupted" in said(environment)


def test_a_file_that_cannot_be_written_is_an_expected_error(registry: Path, tmp_path: Path) -> None:
    from reconciler.cli.main import main

    environment = failing(FileNotFoundError(2, "No such file or directory", "there/plan.json"))
    assert main(["status", "--registry", str(registry)], environment) == 1
    assert said(environment) == "error: `there/plan.json`: No such file or directory\n"


def test_a_reader_that_leaves_is_no_error_message(registry: Path) -> None:
    code = f"""
import sys
from reconciler.cli.main import main
sys.exit(main(["render", "--offline", "--registry", {str(registry)!r}]))
"""
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdout is not None and process.stderr is not None
    process.stdout.close()
    errors = process.stderr.read()
    process.stderr.close()
    process.wait()
    assert errors == b""


@pytest.mark.parametrize(("arguments", "code", "said"), [(["--version"], 0, "reconcile "), (["qqq"], 64, "no command")])
def test_the_script_says_everything_and_ends_with_the_code(arguments: list[str], code: int, said: str) -> None:
    source = f"import sys; sys.argv[1:] = {arguments!r}; from reconciler.cli.main import script; script()"
    process = subprocess.run([sys.executable, "-c", source], capture_output=True, text=True, check=False)
    assert process.returncode == code
    assert said in process.stdout + process.stderr
