import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support.cli import NEIGHBOUR, edited, run
from tests.support.fake_serve import FakeServe


def rendered(serve: FakeServe | None, *more: str | Path) -> dict[str, Any]:
    ran = run("render", "--format", "json", *more, serve=serve)
    assert ran.code == 0, ran.err
    return dict(json.loads(ran.out))


def without_record(document: Mapping[str, Any]) -> dict[str, Any]:
    """A document that was sent, without the record of who applied."""
    copied = json.loads(json.dumps(document))
    for config in copied["applications"]:
        for deployment in config.get("deployments") or []:
            (deployment.get("user_config") or {}).pop("provenance", None)
    return dict(copied)


def names(document: Mapping[str, Any]) -> list[str]:
    return [config["name"] for config in document["applications"]]


def test_what_is_printed_is_what_apply_sends(registry: Path, serve: FakeServe) -> None:
    expected = rendered(serve)
    assert names(expected) == ["acme--chat", "acme--other", "gateway", "neighbour"]
    assert run("apply", "--auto-approve", serve=serve).code == 0
    assert without_record(serve.puts[0]) == expected


def test_a_change_beside_what_is_held_is_what_apply_sends(registry: Path, serve: FakeServe) -> None:
    other = registry / "acme--other.yaml"
    other.write_text(other.read_text() + "rollout: {protect: true}\n")
    run("apply", "--auto-approve", serve=serve)
    sent = len(serve.puts)
    for name in ("chat", "other"):
        path = registry / f"acme--{name}.yaml"
        path.write_text(path.read_text().replace("max_num_seqs: 4", "max_num_seqs: 8"))
    ran = run("render", "--format", "json", "--allow-downtime", "--allow-mass-change", serve=serve)
    assert "1 action held: these applications are as they are live" in ran.err
    run("apply", "--auto-approve", "--allow-downtime", "--allow-mass-change", serve=serve)
    assert without_record(serve.puts[sent]) == without_record(json.loads(ran.out))
    released = rendered(serve, "--allow-protected", "--allow-downtime", "--allow-mass-change")
    assert released != without_record(json.loads(ran.out))


def test_nothing_to_send_is_what_is_live(registry: Path, serve: FakeServe) -> None:
    run("apply", "--auto-approve", serve=serve)
    ran = run("render", "--format", "json", serve=serve)
    assert ran.err == "nothing would be sent; this is what is live\n"
    assert without_record(json.loads(ran.out)) == without_record(serve.puts[-1])


def test_several_steps_have_a_document_each(registry: Path) -> None:
    serve = FakeServe({"node-1": {"CPU": 4.2}})
    run("apply", "--auto-approve", serve=serve)
    sent = len(serve.puts)
    for name in ("chat", "other"):
        path = registry / f"acme--{name}.yaml"
        text = path.read_text().replace("max_num_seqs: 4", "max_num_seqs: 8")
        path.write_text(
            text.replace("deployment_config:\n", "deployment_config:\n  ray_actor_options: {num_cpus: 0.5}\n")
        )
    flags = ("--allow-downtime", "--allow-mass-change")
    ran = run("render", "--format", "json", *flags, serve=serve)
    assert "the last of 3 documents; `--step N` prints another" in ran.err
    steps = [without_record(rendered(serve, "--step", str(number), *flags)) for number in (1, 2, 3)]
    assert without_record(json.loads(ran.out)) == steps[2]
    assert steps[0] != steps[1] != steps[2]
    assert run("render", "--step", "4", *flags, serve=serve).code == 64
    run("apply", "--auto-approve", *flags, serve=serve)
    assert [without_record(document) for document in serve.puts[sent : sent + 3]] == steps


def test_yaml_and_json_hold_the_same(registry: Path, serve: FakeServe) -> None:
    assert yaml.safe_load(run("render", serve=serve).out) == rendered(serve)
    assert yaml.safe_load(run("render", "--offline").out) == rendered(None, "--offline")


def test_offline_is_what_the_registry_calls_for(registry: Path) -> None:
    assert names(rendered(None, "--offline")) == ["gateway", "acme--chat", "acme--other"]
    assert names(rendered(None, "--offline", "--model", "acme/ch*")) == ["acme--chat"]
    assert run("render", "--offline", "--step", "1").code == 64
    assert run("render", "--offline", "--allow-delete").code == 64


@pytest.mark.parametrize("name", ["acme/chat", "acme--chat"])
def test_one_model_by_its_id_or_its_application(registry: Path, serve: FakeServe, name: str) -> None:
    document = rendered(serve, "--model", name)
    assert list(document) == ["applications"]
    assert names(document) == ["acme--chat"]


def test_an_unknown_model_is_answered_with_the_nearest(registry: Path) -> None:
    ran = run("render", "--offline", "--model", "acme/chatt")
    assert (ran.code, ran.out) == (1, "")
    assert "did you mean `acme/chat`?" in ran.err


def test_secrets_are_references_and_those_of_others_are_hidden(registry: Path) -> None:
    serve = FakeServe({"node-1": {"CPU": 16.0}})
    theirs = {
        **NEIGHBOUR,
        "runtime_env": {"env_vars": {"KEY": "s3cret"}},
        "args": {"api_key": "s3cret", "url": "https://user:s3cret@host/", "number": 1, "list": ["Bearer s3cretabc"]},
    }
    serve.intrude({"applications": [theirs]})
    serve.settle()
    chat = registry / "acme--chat.yaml"
    reference = "engine_config:\n  runtime_env: {env_vars: {HF_TOKEN: '${env:HF_TOKEN}', LEVEL: debug}}\n"
    with edited(chat, "engine_config:\n", reference):
        ran = run("render", "--format", "json", serve=serve, variables={"HF_TOKEN": "s3cret", "TERM": "dumb"})
        assert "s3cret" not in ran.out + ran.err
        assert "4 values hidden; the document is sent with what they are\n" in ran.err
        by_name = {config["name"]: config for config in json.loads(ran.out)["applications"]}
        assert by_name["acme--chat"]["runtime_env"]["env_vars"] == {"HF_TOKEN": "${HF_TOKEN}", "LEVEL": "debug"}
        assert by_name["neighbour"]["runtime_env"] == {"env_vars": {"KEY": "(hidden)"}}
        assert by_name["neighbour"]["args"]["number"] == 1
        run("apply", "--auto-approve", serve=serve)
    # What somebody set on the cluster is not what the registry says.
    assert serve.puts[0]["applications"][-1]["args"] == theirs["args"]


def test_a_value_that_somebody_set_on_the_cluster_is_hidden_where_it_stays(registry: Path, serve: FakeServe) -> None:
    chat = registry / "acme--chat.yaml"
    chat.write_text(chat.read_text() + "rollout: {protect: true}\n")
    run("apply", "--auto-approve", serve=serve)
    live = json.loads(json.dumps(serve.puts[-1]))
    for config in live["applications"]:
        if config["name"] == "acme--chat":
            config["runtime_env"] = {"env_vars": {"KEY": "s3cret"}}
    serve.intrude(live)
    serve.settle()
    ran = run("render", serve=serve)
    assert "s3cret" not in ran.out
    assert "KEY: (hidden)" in ran.out
