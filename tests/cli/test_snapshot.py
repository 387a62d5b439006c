import json
from pathlib import Path

from tests.support.cli import run
from tests.support.fake_serve import FakeServe


def saved(serve: FakeServe) -> Path:
    ran = run("snapshot", serve=serve)
    assert (ran.code, ran.err) == (0, "")
    Path("live.json").write_text(ran.out)
    return Path("live.json")


def test_a_pull_request_without_the_cluster_is_planned_from_a_snapshot(registry: Path, serve: FakeServe) -> None:
    assert run("apply", "--auto-approve", serve=serve).code == 0
    snapshot = saved(serve)
    chat = registry / "acme--chat.yaml"
    chat.write_text(chat.read_text().replace("max_num_seqs: 4", "max_num_seqs: 8"))
    ran = run("plan", "--snapshot", snapshot, "--out", "plan.json")
    assert ran.code == 0
    assert "compared with the cluster as it was at" in ran.out
    assert "restart acme--chat" in ran.out
    assert "no apply takes" in ran.err
    assert json.loads(Path("plan.json").read_text())["as_of"] is not None
    assert "> **Offline**" in run("ci", "comment", "plan.json", "--dry-run").out
    ran = run("apply", "plan.json", serve=serve)
    assert ran.code == 1
    assert "rests on a snapshot" in ran.err


def test_a_snapshot_does_not_know_who_uses_a_model(registry: Path, serve: FakeServe) -> None:
    assert run("apply", "--auto-approve", serve=serve).code == 0
    snapshot = saved(serve)
    (registry / "acme--chat.yaml").unlink()
    ran = run("plan", "--snapshot", snapshot)
    assert "- delete acme--chat" in ran.out
    assert "whether `acme/chat` still get requests is not known: a snapshot does not hold" in ran.out


def test_a_snapshot_of_another_cluster_is_refused(registry: Path, serve: FakeServe) -> None:
    snapshot = saved(serve)
    snapshot.write_text(snapshot.read_text().replace('"cluster": "test"', '"cluster": "other"'))
    ran = run("plan", "--snapshot", snapshot)
    assert (ran.code, "of the cluster `other`" in ran.err) == (1, True)


def test_a_file_that_is_none_is_refused(registry: Path) -> None:
    file = Path("x.json")
    for text, words in (("{}", "not the snapshot"), ("no", "not JSON")):
        file.write_text(text)
        ran = run("plan", "--snapshot", file)
        assert (ran.code, words in ran.err) == (1, True)
