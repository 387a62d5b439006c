"""What has to be on a node before the engine starts is there, or the reason why not is said in a sentence."""

import json
from pathlib import Path
from types import SimpleNamespace

import huggingface_hub.constants
import pytest

from runtime.engine.errors import WeightsError
from runtime.engine.weights import Source, commit, have
from tests.support.checkpoints import checkpoint
from tests.support.stores import Store, s3


@pytest.fixture(scope="module")
def s3_store() -> Store:
    with s3() as found:
        yield found


@pytest.fixture
def store(s3_store: Store, monkeypatch: pytest.MonkeyPatch) -> Store:
    for name, value in s3_store.variables.items():
        monkeypatch.setenv(name, value)
    return s3_store


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The Hugging Face cache of this node."""
    folder = tmp_path / "hub"
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(folder))
    return folder


def engine_config(mirror: object = None, **kwargs: object) -> SimpleNamespace:
    return SimpleNamespace(actual_hf_model_id="org/chat", mirror_config=mirror, engine_kwargs=kwargs)


def test_the_source_is_read_from_rays_config() -> None:
    extra = SimpleNamespace(bucket_uri="s3://b/x", destination_path="/x")
    mirror = SimpleNamespace(bucket_uri="s3://b/m", extra_files=[extra])
    assert Source.of(engine_config(mirror)) == Source("org/chat", "s3://b/m", (("s3://b/x", "/x"),))
    found = Source.of(engine_config(load_format="dummy", hf_config_path="/c", revision="v2"))
    assert found == Source("org/chat", load_format="dummy", has_config=False, revision="v2")


def test_a_name_on_the_hub_is_left_to_vllm() -> None:
    source = Source("org/chat")
    assert not source.is_looked_at
    assert have(source) is None
    assert source.uri == "org/chat"


def test_a_mirror_goes_into_the_cache_under_the_models_id(store: Store, cache: Path, tmp_path: Path) -> None:
    uri = store.put_folder(checkpoint(tmp_path / "s"), "m", hash=b"abc")
    source = Source("org/chat", uri)
    found = have(source)
    assert found is not None
    assert found.path == cache / "models--org--chat" / "snapshots" / "abc"
    assert (source.uri, source.is_looked_at) == (uri, True)


def test_a_mirror_that_vllm_streams_is_only_looked_at(store: Store, cache: Path, tmp_path: Path) -> None:
    uri = store.put_folder(checkpoint(tmp_path / "s"), "streamed")
    assert have(Source("org/chat", uri, load_format="runai_streamer")) is None
    assert not cache.exists()
    with pytest.raises(WeightsError, match="there is nothing at `s3://weights/nowhere`"):
        have(Source("org/chat", store.uri("nowhere"), load_format="runai_streamer"))


def test_extra_files_come_as_files_and_as_folders(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.put("extra/template.jinja", b"{{ x }}")
    store.put("extra/more/a.txt", b"a")
    monkeypatch.setenv("PLACE", str(tmp_path))
    (tmp_path / "folder").mkdir()
    have(
        Source(
            "org/chat",
            extra_files=(
                (store.uri("extra/template.jinja"), "$PLACE/renamed.jinja"),
                (store.uri("extra/template.jinja"), str(tmp_path / "folder")),
                (store.uri("extra/more/"), str(tmp_path / "more")),
            ),
        )
    )
    found = {str(path.relative_to(tmp_path)): path.read_text() for path in tmp_path.rglob("*") if path.is_file()}
    assert found == {"renamed.jinja": "{{ x }}", "folder/template.jinja": "{{ x }}", "more/a.txt": "a"}


def test_an_extra_file_that_is_not_there_is_an_error(store: Store, tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match=r"there is nothing at `s3://weights/extra/gone\.json`"):
        have(Source("org/chat", extra_files=((store.uri("extra/gone.json"), str(tmp_path)),)))


def test_a_path_has_to_be_on_the_node(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match=r"^the path `/no/such/model` does not exist on this node \("):
        have(Source("/no/such/model"))
    assert have(Source(str(checkpoint(tmp_path / "s")))) is None
    (tmp_path / "model.gguf").write_bytes(b"GGUF")
    assert have(Source(str(tmp_path / "model.gguf"))) is None


@pytest.mark.parametrize(
    ("gone", "source", "missing"),
    [
        ("config.json", {}, "`config.json` is"),
        ("config.json", {"has_config": False}, None),
        ("model.safetensors", {}, "the weights are"),
        ("model.safetensors", {"load_format": "dummy"}, None),
        ("model.safetensors", {"load_format": "sharded_state"}, None),
    ],
)
def test_what_a_path_needs_depends_on_how_it_is_loaded(
    tmp_path: Path, gone: str, source: dict[str, object], missing: str | None
) -> None:
    (checkpoint(tmp_path) / gone).unlink()
    if missing is None:
        assert have(Source(str(tmp_path), **source)) is None
    else:
        with pytest.raises(WeightsError, match=f"is incomplete: {missing} missing"):
            have(Source(str(tmp_path), **source))


def test_the_commit_of_a_name_on_the_hub_is_that_of_the_snapshot_in_the_cache(cache: Path) -> None:
    commits = {"main": "a" * 40, "v2": "b" * 40}
    for revision, sha in commits.items():
        folder = cache / "models--org--chat"
        (folder / "refs").mkdir(parents=True, exist_ok=True)
        (folder / "refs" / revision).write_text(sha)
        (folder / "snapshots" / sha).mkdir(parents=True)
        (folder / "snapshots" / sha / "config.json").write_text(json.dumps({}))
    assert commit(Source("org/chat")) == "a" * 40
    assert commit(Source("org/chat", revision="v2")) == "b" * 40
    assert commit(Source("org/chat", revision="b" * 40)) == "b" * 40
    assert commit(Source("org/other")) is None
    assert commit(Source("/models/chat")) is None
