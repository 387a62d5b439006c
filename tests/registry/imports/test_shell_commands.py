import pytest

from reconciler.registry.imports.shell_commands import Command, assigned_variables, find_commands

KNOWN = frozenset({"deploy", "stat"})


def commands(text: str) -> list[Command]:
    return list(find_commands("run.sh", text, "tool", KNOWN))


def words(text: str) -> list[list[str]]:
    return [[word.text for word in command.words] for command in commands(text)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("tool deploy --a 1\n", ["tool", "deploy", "--a", "1"]),
        ("tool deploy \\\n  --a 1 \\\n  --b 2\necho --c\n", ["tool", "deploy", "--a", "1", "--b", "2"]),
        ('tool deploy --a \'x y\' --b "z\\""', ["tool", "deploy", "--a", "x y", "--b", 'z"']),
        ("tool deploy --a x\\ y", ["tool", "deploy", "--a", "x y"]),
        ('tool deploy k="a b"c', ["tool", "deploy", "k=a bc"]),
        (
            "tool deploy --a ${NAME} --b $NAME/x --c '$NAME'",
            ["tool", "deploy", "--a", "${env:NAME}", "--b", "${env:NAME}/x", "--c", "$NAME"],
        ),
        ("tool deploy --a 1 # and --b 2", ["tool", "deploy", "--a", "1"]),
        ("tool deploy --a x#y", ["tool", "deploy", "--a", "x#y"]),
        ("tool deploy --a 1 > log 2>&1 &", ["tool", "deploy", "--a", "1"]),
        ("$ tool deploy", ["tool", "deploy"]),
        ("KEY=1 nohup /usr/bin/tool deploy", ["tool", "deploy"]),
        ("echo start; tool deploy --a 1 && echo done", ["tool", "deploy", "--a", "1"]),
        ("if true; then tool deploy; fi", ["tool", "deploy"]),
    ],
)
def test_a_command_is_read_as_a_shell_reads_it(text: str, expected: list[str]) -> None:
    assert words(text) == [expected]


@pytest.mark.parametrize(
    "text",
    [
        "# tool deploy --a 1\n",
        "  # tool deploy\n",
        "echo the tool of choice\n",
        "my-tool deploy\n",
        "mytool deploy\n",
        "",
    ],
)
def test_what_is_no_call(text: str) -> None:
    assert words(text) == []


def test_several_commands_and_their_places() -> None:
    found = commands("#!/bin/sh\ntool deploy --a 1; tool stat\n\n  tool\n")
    assert [(str(command.position), len(command.words)) for command in found] == [
        ("run.sh:2:1", 4),
        ("run.sh:2:20", 2),
        ("run.sh:4:3", 1),
    ]
    assert str(found[0].words[2].position) == "run.sh:2:13"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("tool deploy --a $(cat key) --b 1", "only a running shell knows"),
        ("tool deploy --a `cat key`", "only a running shell knows"),
        ("tool deploy --a ${KEY:-x}", "only a running shell knows"),
        ("tool deploy --a <your key>", "this is a placeholder"),
        ("tool deploy --a 'x\ntool stat", "the quote that begins here does not end"),
    ],
)
def test_what_cannot_be_known_is_a_problem_of_its_word(text: str, problem: str) -> None:
    [found] = [word.problem for word in commands(text)[0].words if word.problem]
    assert found.startswith(problem)


def test_a_quote_without_an_end_does_not_swallow_the_next_command() -> None:
    assert [found[:2] for found in words("tool deploy --a 'x\ntool stat\n")] == [["tool", "deploy"], ["tool", "stat"]]


def test_variables_that_the_script_sets() -> None:
    found = assigned_variables("run.sh", "export KEY=1\n  NAME=x tool\nx = 3\n")
    assert {name: str(place) for name, place in found.items()} == {"KEY": "run.sh:1:8", "NAME": "run.sh:2:3"}
