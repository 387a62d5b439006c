"""Secrets in the environment, in registry files, in what the cluster has and quotes come out of no command."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import click
import pytest

from reconciler.cli.lazy_group import LazyGroup
from reconciler.cli.root import root
from reconciler.state.work import About, ReplicaWork, Weights, Work
from tests.cli.test_status import looks
from tests.support.cli import Ran, run
from tests.support.fake_serve import FakeServe

MARK = "90417"
"""In every secret here, and in nothing else."""
PLAIN = f"canary-{MARK}"
"""Looks like no secret; only where it stands gives it away."""
TOKEN = f"hf_canary{MARK}" + "x" * 20
"""Looks like a token wherever it stands."""
ADDRESS = f"https://bot:{PLAIN}@git.example.com/code.zip"
VARIABLES = {
    "TERM": "dumb",
    **dict.fromkeys(("HF_TOKEN", "RAY_TOKEN", "GITHUB_TOKEN", "GITLAB_TOKEN", "AWS_SECRET_ACCESS_KEY", "OTHER"), PLAIN),
}
SAID = Work({"acme--chat": (ReplicaWork("r1", 1, 0, 1.0, 9.0, About({"vllm": "0.28.0"}, Weights("acme/chat", None))),)})

NOT_HERE = {("local", "up"), ("local", "down"), ("local", "status"), ("query",), ("chat",)}
"""What talks to something else than this cluster, or starts one."""

Words = tuple[str, ...]
RUNS: Mapping[Words, tuple[Words, ...]] = {
    ("init",): ((".", "--dry-run"),),
    ("validate",): ((), ("--rules",)),
    ("explain",): (("registry/acme--chat.yaml",),),
    ("migrate",): (("--check",),),
    ("import",): (("live", "--dry-run"), ("live", "--into", "imported")),
    ("render",): ((), ("--offline",), ("--model", "acme/chat")),
    ("plan",): ((), ("--out", "plan.json"), ("--snapshot", "snapshot.json"), ("--allow-downtime",)),
    ("plan", "explain"): (("acme/chat",), ("acme/other",)),
    ("plan", "show"): (("plan.json",),),
    ("drift",): ((), ("--report", "drift.json"), ("--accept",)),
    ("status",): ((), ("acme/chat",), ("theirs",), ("--watch",)),
    ("unlock",): (("--force", "--auto-approve"), ()),
    ("repair",): (("--auto-approve",),),
    ("snapshot",): ((),),
    ("ci", "comment"): (("plan.json", "--dry-run"),),
    ("ci", "issue"): (("drift.json", "--dry-run"),),
    ("schema",): (("model",), ("cluster",)),
    ("key",): (("team-search", "--model", "acme/*"),),
    ("apply",): (("plan.json", "--auto-approve"), ("--auto-approve", "--events", "events.jsonl")),
    ("rollback",): (("--to", "HEAD", "--dry-run"), ("--to", "HEAD", "--auto-approve")),
    ("history",): ((),),
}
"""Each command with arguments that make it say much, in an order in which the files are there that it reads."""


def leaves(command: click.Command = root, path: Words = ()) -> Iterator[tuple[Words, click.Command]]:
    """Every command that does something, by its words."""
    if not isinstance(command, click.Group) or (isinstance(command, LazyGroup) and command.invoke_without_command):
        yield path, command
    if isinstance(command, click.Group):
        with click.Context(command) as context:
            for name in command.list_commands(context):
                found = command.get_command(context, name)
                assert found is not None
                yield from leaves(found, (*path, name))


LEAVES = dict(leaves())


def formats(command: click.Command) -> tuple[str | None, ...]:
    """All that `--format` may be; None for a command that has no such option."""
    for parameter in command.params:
        if parameter.name == "output" and isinstance(parameter.type, click.Choice):
            return tuple(parameter.type.choices)
    return (None,)


def arguments() -> Iterator[Words]:
    for path, ways in RUNS.items():
        for words in ways:
            for output in formats(LEAVES[path]):
                if path == ("import",) or output is None or words in (("--accept",), ("--rules",)):
                    yield (*path, *words)
                else:
                    yield (*path, *words, "--format", output)


def asked(serve: FakeServe, words: Words) -> Ran:
    if words[0] == "apply" and serve.config("acme--chat"):
        # From here on the registry's own config runs, and what Ray said about the one before is gone.
        serve.sicken("acme--chat", "")
    if "--watch" in words:
        looks(serve, lambda: serve.sicken("acme--other", f"HF_TOKEN={PLAIN}"))
    ran = run(*words, serve=serve, variables=VARIABLES, said=SAID)
    serve.before_read = None
    return ran


@pytest.fixture
def tampered(repository: str, registry: Path, serve: FakeServe) -> FakeServe:
    """A cluster on which somebody put secrets into our applications, and which quotes them, beside one of theirs that
    has its own."""
    file = registry / "acme--chat.yaml"
    text = file.read_text(encoding="utf-8")
    env = "  runtime_env:\n    env_vars:\n      HF_TOKEN: ${env:HF_TOKEN}\n"
    file.write_text(text.replace("deployment_config:", f"{env}deployment_config:"), encoding="utf-8")
    assert run("apply", "--auto-approve", serve=serve, variables=VARIABLES).code == 0
    configs: dict[str, Any] = {config["name"]: config for config in serve.puts[-1]["applications"]}
    chat, gateway = configs["acme--chat"], configs["gateway"]
    chat["runtime_env"] = {
        "env_vars": {"HF_TOKEN": PLAIN, "OTHER": PLAIN, "THIRD": TOKEN},
        "working_dir": ADDRESS,
    }
    kwargs = chat["args"]["llm_config"]["engine_kwargs"]
    kwargs |= {"hf_token": PLAIN, "chat_template": f"say {TOKEN}", "deep": {"api_key": PLAIN, "list": [TOKEN]}}
    gateway["deployments"][0]["user_config"]["models"]["acme/chat"]["defaults"] = {"api_key": PLAIN, "user": TOKEN}
    configs["theirs"] = {
        "name": "theirs",
        "import_path": "a:b",
        "route_prefix": "/t",
        "args": {"password": PLAIN, "source": ADDRESS},
        "runtime_env": {"env_vars": {"PASSWORD": PLAIN}},
    }
    serve.intrude({"applications": list(configs.values())})
    serve.settle()
    serve.sicken("acme--chat", f"could not start with {PLAIN}: Authorization: Bearer {PLAIN} hf_token={PLAIN} {TOKEN}")
    serve.sicken("theirs", f"PASSWORD={PLAIN}")
    serve.settle()
    return serve


def test_each_command_is_run() -> None:
    assert RUNS.keys() == LEAVES.keys() - NOT_HERE


def test_no_command_tells_a_secret(tampered: FakeServe) -> None:
    for name, words in {"snapshot.json": ("snapshot",), "drift.json": ("drift", "--format", "json")}.items():
        Path(name).write_text(asked(tampered, words).out, encoding="utf-8")
    asked(tampered, ("plan", "--out", "plan.json"))
    told: dict[Words, str] = {}
    for words in arguments():
        ran = asked(tampered, words)
        assert ran.code in (0, 1, 130), f"{words}: {ran.err}"
        assert "unexpected" not in ran.err, f"{words}: {ran.err}"
        told[words] = ran.out + ran.err
    for path in (Path("imported"), Path("registry"), Path(".reconciler")):
        told |= {(str(file),): file.read_text(errors="replace") for file in path.rglob("*") if file.is_file()}
    for name in ("plan.json", "events.jsonl", "snapshot.json", "drift.json"):
        told[(name,)] = Path(name).read_text(encoding="utf-8")
    assert [words for words, text in told.items() if MARK in text] == []
    assert "(hidden)" in told["drift", "--format", "text"]


def test_what_a_run_that_fails_quotes_tells_no_secret(registry: Path, serve: FakeServe) -> None:
    file = registry / "acme--chat.yaml"
    text = file.read_text(encoding="utf-8")
    env = f"  runtime_env:\n    env_vars:\n      QUIET: {PLAIN}\n"
    file.write_text(text.replace("deployment_config:", f"{env}deployment_config:"), encoding="utf-8")
    serve.fails = lambda config: (
        f"RuntimeError: QUIET was {PLAIN}, token {TOKEN}" if config["name"] == "acme--chat" else None
    )
    ran = run("apply", "--auto-approve", "--events", "events.jsonl", serve=serve, variables=VARIABLES)
    assert ran.code == 1
    assert "RuntimeError: QUIET was (hidden)" in ran.out + ran.err
    assert MARK not in ran.out + ran.err + Path("events.jsonl").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("kwargs", "env", "description", "rules"),
    [
        (f"hf_token: {PLAIN}", f"{{HF_TOKEN: {PLAIN}, DEBUG: {PLAIN}}}", "a model", {"secret-literal"}),
        (f"chat_template: 'x {TOKEN}'  # {TOKEN}", f"{{OTHER: {TOKEN}}}", f"from {ADDRESS}", {"secret-in-clear"}),
    ],
)
def test_secrets_in_files_are_errors_that_do_not_quote_them(
    kwargs: str, env: str, description: str, rules: set[str], registry: Path, serve: FakeServe
) -> None:
    file = registry / "acme--chat.yaml"
    text = file.read_text(encoding="utf-8")
    more = f"  model_description: {description}\n  runtime_env:\n    env_vars: {env}\n"
    text = text.replace("    max_num_seqs: 4", f"    {kwargs}\n    max_num_seqs: 4")
    file.write_text(text.replace("deployment_config:", f"{more}deployment_config:"), encoding="utf-8")
    Path("drift.json").write_text(json.dumps({"format_version": "1.0"}), encoding="utf-8")
    found = json.loads(run("validate", "--format", "json", serve=serve, variables=VARIABLES).out)
    assert {one["rule"] for one in found["diagnostics"]} == rules
    told = {words: asked(serve, words) for words in arguments() if words[0] not in ("init", "schema")}
    assert [words for words, ran in told.items() if MARK in ran.out + ran.err] == []
