"""What is remembered from one run to the next never changes what is said."""

import json
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.registry import cached_reader, result_cache
from reconciler.registry.loader import load
from reconciler.registry.survey import Survey, survey
from tests.support.golden import CASES
from tests.support.strategies import scalars

REGISTRIES = sorted(path for path in (CASES / "registry").iterdir() if path.is_dir())
DAY = date(2026, 1, 1)
MODEL = """\
engine_config:
  model_id: org/{name}
  aliases: [{alias}]
"""


@pytest.fixture
def registry(tmp_path: Path) -> Path:
    root = tmp_path / "registry"
    (root / "clusters").mkdir(parents=True)
    (root / "clusters" / "local.yaml").write_text("owner: a\nlocal: true\n")
    for name in ("a", "b", "c"):
        (root / f"org--{name}.yaml").write_text(MODEL.format(name=name, alias=f"latest-{name}"))
    return root


def looked_into(run: Callable[[], Survey], monkeypatch: pytest.MonkeyPatch) -> tuple[Survey, list[str]]:
    """What a run says, and the files that it looked into."""
    from reconciler.registry.full_reader import FullReader

    seen: list[str] = []
    for kind in ("model", "cluster"):
        original = getattr(FullReader, kind)

        def spy(self, file, content, original=original):  # type: ignore[no-untyped-def]
            seen.append(file.shown)
            return original(self, file, content)

        monkeypatch.setattr(FullReader, kind, spy)
    found = run()
    monkeypatch.undo()
    return found, seen


@pytest.mark.parametrize("case", [path.name for path in REGISTRIES])
def test_a_survey_says_what_loading_says_the_first_time_and_the_second(case: str, tmp_path: Path) -> None:
    root = CASES / "registry" / case
    loaded = load(root, DAY)
    for _ in range(2):
        found = survey(root, tmp_path, DAY)
        assert (found.diagnostics, found.waived) == (loaded.diagnostics, loaded.waived)
        assert (found.models is None) == (loaded.registry is None)
        assert loaded.registry is None or found.models == len(loaded.registry.models)


def test_only_what_changed_is_looked_into_again(
    registry: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache = tmp_path / "cache"
    _, seen = looked_into(lambda: survey(registry, cache), monkeypatch)
    assert len(seen) == 4
    _, seen = looked_into(lambda: survey(registry, cache), monkeypatch)
    assert seen == []
    (registry / "org--b.yaml").write_text(MODEL.format(name="b", alias="latest-a"))
    found, seen = looked_into(lambda: survey(registry, cache), monkeypatch)
    assert seen == [str(registry / "org--b.yaml")]
    assert [each.rule for each in found.diagnostics] == ["alias-clash"]


def test_a_file_with_another_name_is_another_file(registry: Path, tmp_path: Path) -> None:
    survey(registry, tmp_path / "cache")
    (registry / "org--c.yaml").rename(registry / "org--d.yaml")
    assert [each.rule for each in survey(registry, tmp_path / "cache").diagnostics] == ["file-name-convention"]


def test_other_code_or_libraries_forget_everything(
    registry: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    survey(registry, tmp_path / "cache")
    monkeypatch.setattr(result_cache, "_distributions", lambda: {"pydantic-99.0.dist-info"})
    reader_calls: list[str] = []
    original = cached_reader.CachedReader._full
    monkeypatch.setattr(cached_reader.CachedReader, "_full", lambda self: reader_calls.append("") or original(self))
    survey(registry, tmp_path / "cache")
    assert reader_calls


def test_the_code_is_every_file_that_decides() -> None:
    before = result_cache._code()
    assert before == result_cache._code()
    assert {name.partition("-")[0].lower() for name in result_cache._distributions()} >= {"pydantic", "pyyaml"}


def test_another_policy_forgets_everything(registry: Path, tmp_path: Path) -> None:
    survey(registry, tmp_path / "cache")
    policy = registry / "policies" / "named.yaml"
    policy.parent.mkdir()
    policy.write_text("properties: {engine_config: {properties: {model_description: {type: string}}}}\n")
    for _ in range(2):
        assert {each.rule for each in survey(registry, tmp_path / "cache").diagnostics} == {"policy/named"}
    policy.write_text("type: nothing\n")
    for _ in range(2):
        assert {each.rule for each in survey(registry, tmp_path / "cache").diagnostics} == {"policy-file"}


def test_weights_that_appear_or_change_are_looked_at_again(registry: Path, tmp_path: Path) -> None:
    weights = tmp_path / "weights"
    (registry / "org--a.yaml").write_text(f"engine_config: {{model_id: org/a, hf_model_id: {weights}}}\n")
    assert survey(registry, tmp_path / "cache").diagnostics == ()
    weights.mkdir()
    (weights / "config.json").write_text('{"max_position_embeddings": 1024}')
    for _ in range(2):
        assert [each.rule for each in survey(registry, tmp_path / "cache").diagnostics] == ["context-of-weights"]
    (weights / "config.json").write_text('{"max_position_embeddings": 4096}')
    assert survey(registry, tmp_path / "cache").diagnostics == ()


def test_a_waiver_expires_though_nothing_else_changes(registry: Path, tmp_path: Path) -> None:
    (registry / "org--a.yaml").write_text(
        'waive: [{rule: served-nowhere, reason: r, expires: "2026-01-01"}]\n'
        "clusters: []\nengine_config: {model_id: org/a}\n"
    )
    found = survey(registry, tmp_path / "cache", date(2026, 1, 1))
    assert (found.diagnostics, [each.diagnostic.rule for each in found.waived]) == ((), ["served-nowhere"])
    found = survey(registry, tmp_path / "cache", date(2026, 1, 2))
    assert {each.rule for each in found.diagnostics} == {"expired-waiver", "served-nowhere"}


@pytest.mark.parametrize("damage", [b"", b"{", b"0" * 100, b"\xff" * 200, None])
def test_a_damaged_cache_is_no_cache(damage: bytes | None, registry: Path, tmp_path: Path) -> None:
    before = survey(registry, tmp_path / "cache")
    [file] = (tmp_path / "cache").glob("*.json")
    content = file.read_bytes()
    file.write_bytes(content.replace(b"org/a", b"org/x") if damage is None else damage)
    assert survey(registry, tmp_path / "cache") == before
    assert file.read_bytes() == content


def test_a_cache_that_cannot_be_written_is_no_trouble(registry: Path, tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("a file where a folder should be")
    assert survey(registry, tmp_path / "cache").diagnostics == ()


def test_without_a_cache_nothing_is_written(registry: Path, tmp_path: Path) -> None:
    before = sorted(tmp_path.rglob("*"))
    assert survey(registry, None).models == 3
    assert sorted(tmp_path.rglob("*")) == before


def test_only_what_is_there_is_kept_and_git_ignores_it(registry: Path, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    survey(registry, cache)
    (registry / "org--c.yaml").unlink()
    survey(registry, cache)
    [file] = cache.glob("*.json")
    _, kept = json.loads(file.read_bytes()[64:])
    assert sorted(Path(name).name for name in kept) == ["local.yaml", "org--a.yaml", "org--b.yaml"]
    assert (cache / ".gitignore").read_text() == "*\n"
    assert sorted(path.name for path in cache.iterdir()) == sorted([".gitignore", file.name])


EDITS = st.tuples(
    st.sampled_from(["org--a.yaml", "org--b.yaml", "org--c.yaml", "clusters/local.yaml", "policies/p.yaml"]),
    st.sampled_from(
        [
            *(MODEL.format(name=name, alias=alias) for name in "abc" for alias in ("latest", "org/a", "${env:X}")),
            "waive: [{rule: served-nowhere, reason: r}]\nclusters: []\nengine_config: {model_id: org/a}\n",
            "clusters: [remote]\nengine_config: {model_id: a}\n",
            "owner: a\nlocal: true\n",
            "owner: a\nlocal: true\ndefault: maybe\n",
            "properties: {enabled: {const: false}}\n",
            "type: 3\n",
            "engine_config: [",
            "",
        ]
    )
    | scalars.map(lambda value: f"engine_config: {{model_id: org/a, max_total_tokens: {json.dumps(value)}}}\n"),
)


@settings(max_examples=60, deadline=None)
@given(edits=st.lists(EDITS, min_size=1, max_size=5))
def test_whatever_is_edited_the_survey_says_what_loading_says(
    edits: list[tuple[str, str]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    root, cache = tmp_path_factory.mktemp("registry"), tmp_path_factory.mktemp("cache")
    for folder in ("clusters", "policies"):
        (root / folder).mkdir()
    (root / "clusters" / "local.yaml").write_text("owner: a\nlocal: true\n")
    for name, content in edits:
        (root / name).write_text(content)
        loaded, found = load(root, DAY), survey(root, cache, DAY)
        assert (found.diagnostics, found.waived) == (loaded.diagnostics, loaded.waived)
