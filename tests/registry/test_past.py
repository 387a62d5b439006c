from pathlib import Path

import pytest

from reconciler.registry.loader import load
from reconciler.registry.past import PastRegistry, load_past
from reconciler.registry.past_cluster import as_it_was
from reconciler.registry.readable import readable, readable_clusters
from reconciler.registry.registry import ClusterEntry
from reconciler.registry.repository import GitTrouble, open_repository
from tests.support.cli import CLUSTER, MODEL, write_registry
from tests.support.repository import commit, git
from tests.support.states import CLUSTER as ENTRY

RAYLLM = """\
deployment_config:
  autoscaling_config:
    min_replicas: 1
    max_replicas: 1
engine_config:
  model_id: acme/old
  hf_model_id: acme/old
  type: VLLMEngine
  engine_kwargs: {}
  max_total_tokens: 2048
scaling_config:
  num_workers: 1
  num_gpus_per_worker: 0
  num_cpus_per_worker: 1
  placement_strategy: STRICT_PACK
"""
POLICY = """\
x-message: at most one replica
properties:
  deployment_config:
    properties:
      autoscaling_config: {properties: {max_replicas: {maximum: 1}}}
"""


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A registry below other folders of a repository."""
    monkeypatch.chdir(tmp_path)
    git(".", "init", "-q")
    return write_registry(tmp_path / "teams" / "registry", "chat")


def past(root: Path, name: str = "HEAD") -> PastRegistry:
    """The registry of that commit."""
    with open_repository(root) as repository:
        return load_past(repository, repository.commit(name))


def test_everything_is_as_the_loader_read_it_then(root: Path) -> None:
    (root / "acme--old.yaml").write_text(RAYLLM)
    (root / "notes.txt").write_text("no model")
    (root / ".hidden.yaml").write_text("[")
    expected = load(root)
    assert expected.registry is not None
    commit(".", "one")
    for file in root.glob("*.yaml"):
        file.unlink()
    commit(".", "two")
    found = past(root, "HEAD~1")
    assert found.loaded.registry is not None
    assert [entry.spec for entry in found.loaded.registry.models] == [entry.spec for entry in expected.registry.models]
    assert [entry.cluster for entry in found.loaded.registry.clusters] == [
        entry.cluster for entry in expected.registry.clusters
    ]
    assert [each.rule for each in found.loaded.diagnostics] == [each.rule for each in expected.diagnostics]
    assert (found.revision.commit, found.revision.tree, found.revision.dirty) == (
        git(".", "rev-parse", "HEAD~1"),
        git(".", "rev-parse", "HEAD~1:teams/registry"),
        False,
    )


def test_files_have_the_names_that_git_has_for_them(root: Path) -> None:
    (root / "acme--bad.yaml").write_text(MODEL.format(name="bad") + "unheard_of: 1\n")
    short = commit(".", "one")[:12]
    found = past(root)
    assert found.loaded.registry is None
    [problem] = [each for each in found.loaded.diagnostics if each.rule == "unknown-key"]
    assert problem.position.file == f"{short}:teams/registry/acme--bad.yaml"
    assert found.texts[problem.position.file].splitlines()[problem.position.line - 1] == "unheard_of: 1"
    (root / "acme--bad.yaml").unlink()
    short = commit(".", "two")[:12]
    registry = past(root).loaded.registry
    assert registry is not None
    assert registry.models[0].position().file == f"{short}:teams/registry/acme--chat.yaml"


def test_a_registry_at_the_top_of_its_repository(tmp_path: Path) -> None:
    git(tmp_path, "init", "-q")
    write_registry(tmp_path, "chat")
    short = commit(tmp_path, "one")[:12]
    registry = past(tmp_path).loaded.registry
    assert registry is not None
    assert [entry.file for entry in (*registry.models, *registry.clusters)] == [
        f"{short}:./acme--chat.yaml",
        f"{short}:./clusters/test.yaml",
    ]


def test_an_empty_registry_is_named_by_its_folder(root: Path) -> None:
    for file in root.glob("*.yaml"):
        file.unlink()
    short = commit(".", "none")[:12]
    [empty] = [each for each in past(root).loaded.diagnostics if each.rule == "empty-registry"]
    assert empty.position.file == f"{short}:teams/registry"


def test_policies_of_then_hold(root: Path) -> None:
    (root / "policies").mkdir()
    (root / "policies" / "few.yaml").write_text(POLICY)
    model = root / "acme--chat.yaml"
    model.write_text(model.read_text().replace("max_replicas: 1", "max_replicas: 2"))
    here = {each.rule for each in load(root).diagnostics}
    commit(".", "one")
    found = past(root).loaded.diagnostics
    assert {each.rule for each in found} == here != set()


def test_a_waiver_holds_as_of_the_day_of_the_commit(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    waiver = "waive: [{rule: initial-replicas-reset, reason: known, expires: '2020-06-30'}]\n"
    text = MODEL.format(name="other").replace("max_replicas: 1\n", "max_replicas: 1\n    initial_replicas: 1\n")
    (root / "acme--other.yaml").write_text(text + waiver)
    monkeypatch.setenv("GIT_COMMITTER_DATE", "2020-06-01T12:00:00Z")
    commit(".", "in time")
    (root / "acme--chat.yaml").write_text(MODEL.format(name="chat") + "# later\n")
    monkeypatch.setenv("GIT_COMMITTER_DATE", "2020-08-01T12:00:00Z")
    commit(".", "too late")
    before, after = past(root, "HEAD~1").loaded, past(root, "HEAD").loaded
    assert len(before.waived) == 1
    assert after.waived == ()


def test_links_inside_the_registry_are_followed_and_others_are_not(root: Path, tmp_path: Path) -> None:
    (tmp_path / "secret.yaml").write_text(MODEL.format(name="outside"))
    (root / "shared").mkdir()
    (root / "shared" / "base.txt").write_text(MODEL.format(name="linked"))
    (root / "acme--linked.yaml").symlink_to("shared/base.txt")
    (root / "acme--twice.yaml").symlink_to("acme--linked.yaml")
    commit(".", "inside")
    registry = past(root).loaded.registry
    # Both links lead to one model, which is then there twice.
    assert registry is None
    (root / "acme--twice.yaml").unlink()
    commit(".", "inside, once")
    registry = past(root).loaded.registry
    assert registry is not None
    assert [entry.spec.model_id for entry in registry.models] == ["acme/chat", "acme/linked"]
    for target in (str(tmp_path / "secret.yaml"), "../../secret.yaml", "nowhere.yaml", "acme--loop.yaml", "clusters"):
        (root / "acme--loop.yaml").unlink(missing_ok=True)
        (root / "acme--loop.yaml").symlink_to(target)
        commit(".", target)
        found = past(root).loaded
        assert found.registry is None, target
        assert {each.position.file.rpartition("/")[2] for each in found.diagnostics} == {"acme--loop.yaml"}, target


def test_a_folder_that_is_not_read_is_told_then_as_now(root: Path) -> None:
    (root / "drafts").mkdir()
    (root / "drafts" / "acme--draft.yaml").write_text("[")
    here = [each.rule for each in load(root).diagnostics]
    short = commit(".", "drafts")[:12]
    found = past(root).loaded.diagnostics
    assert [each.rule for each in found] == here == ["folder-not-read"]
    assert found[0].position.file == f"{short}:teams/registry/drafts"


@pytest.mark.parametrize("name", ["no-registry", "a-file"])
def test_a_commit_without_the_folder_is_refused(root: Path, name: str) -> None:
    (root / "acme--chat.yaml").rename("chat.yaml")
    (root / "clusters" / "test.yaml").rename("test.yaml")
    (root / "clusters").rmdir()
    root.rmdir()
    if name == "a-file":
        root.write_text("no folder")
    commit(".", name)
    root.unlink(missing_ok=True)
    write_registry(root, "chat")
    commit(".", "registry")
    with pytest.raises(GitTrouble, match="has no folder `teams/registry`"):
        past(root, "HEAD~1")


def test_settings_of_the_cluster_that_say_where_it_is_are_those_of_now(tmp_path: Path) -> None:
    def cluster(text: str) -> ClusterEntry:
        (tmp_path / "clusters").mkdir(exist_ok=True)
        (tmp_path / "clusters" / "test.yaml").write_text(text)
        [entry] = readable(tmp_path).clusters
        return entry

    then = cluster(CLUSTER.replace("gateway:\n", "gateway:\n  num_cpus: 2\n", 1))
    now = cluster(
        CLUSTER.replace("ray.example", "new.example")
        .replace("llm.example", "new-llm.example")
        .replace("default: true\n", "")
        .replace("  engine: image\n", "  engine: gcs://engine.zip\n")
        .replace("gateway:\n", "gateway:\n  replicas: 3\n", 1)
    )
    found = as_it_was(now, then).cluster
    assert found.dashboard is not None and found.dashboard.address == "http://new.example:8265"
    assert (found.gateway.address, found.gateway.replicas, found.gateway.num_cpus) == ("http://new-llm.example", 1, 2)
    assert found.default
    assert found.runtime_packages == {"engine": "image", "gateway": "image"}


def test_nothing_but_these_settings_becomes_part_of_an_application(root: Path) -> None:
    """Whoever adds a setting to the cluster file decides whether a rollback takes it from then or from now."""
    known_now = {"owner", "local", "dashboard", "gateway", "drift", "prices", "node_types", "max_parallel_starts"}
    assert set(type(ENTRY.cluster).model_fields) <= known_now | {"default", "runtime_packages"}
    gateway_known_now = {"address", "token", "keys", "limits"}
    assert set(type(ENTRY.cluster.gateway).model_fields) == gateway_known_now | {"replicas", "num_cpus"}


def test_what_can_be_read_is_read_beside_broken_files(root: Path) -> None:
    (root / "acme--broken.yaml").write_text("[")
    (root / "clusters" / "broken.yaml").write_text("[")
    found = readable(root)
    assert [entry.spec.model_id for entry in found.models] == ["acme/chat"]
    assert found.clusters == readable_clusters(root).clusters
    assert [entry.name for entry in found.clusters] == ["test"]
    assert readable_clusters(root).models == ()
    (root / "clusters" / "link.yaml").symlink_to("/nowhere/at/all.yaml")
    assert [entry.name for entry in readable_clusters(root).clusters] == ["test"]
    assert readable(root / "nothing").clusters == readable_clusters(root / "nothing").clusters == ()
