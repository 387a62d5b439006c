"""Whatever a source holds, it is imported or refused: nothing raises, and no file is written that would be refused."""

import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.registry.imports.git_history import Earlier
from reconciler.registry.imports.source import Source
from reconciler.registry.imports.sources import import_sources
from reconciler.registry.model_file import read_model
from tests.registry.imports import test_byzer, test_kuberay, test_oneblock, test_serve_config

SCRIPT = test_byzer.VLLM + "--gpus_per_worker 1 \\\n  --infer_params backend.dtype=half saas.api_key=${KEY}\n"
SAMPLES = (
    SCRIPT,
    test_kuberay.SERVICE,
    test_oneblock.TEMPLATE + "---\n" + test_oneblock.BUILT + "---\n" + test_oneblock.SERVICE,
    test_oneblock.PROPOSED + "---\n" + test_oneblock.EMBEDDING,
    test_serve_config.BUILT,
    test_serve_config.RAYLLM,
)
KEYS = sorted({word.strip(" :-") for sample in SAMPLES for word in sample.split() if word.endswith(":")})
VALUES = st.one_of(
    st.none(), st.booleans(), st.integers(-3, 10**20), st.floats(), st.text(max_size=5), st.just("s3://x")
)
ODD = [
    "",
    "x",
    "3",
    "null",
    "[]",
    "{}",
    "- a",
    "true",
    '"',
    "'",
    "|",
    "${A}",
    "$(a)",
    "---",
    "&a",
    "*a",
    "!t",
    "\t",
    "é",
    "\0",
]


@st.composite
def mutated(draw: st.DrawFn) -> str:
    """A sample with some of its lines and values changed."""
    lines = draw(st.sampled_from(SAMPLES)).split("\n")
    for _ in range(draw(st.integers(1, 4))):
        index = draw(st.integers(0, len(lines) - 1))
        head, colon, _ = lines[index].partition(":")
        change = draw(st.sampled_from(["value", "delete", "double", "word", "indent"]))
        if change == "value":
            lines[index] = head + colon + " " + draw(st.sampled_from(ODD))
        elif change == "delete" and len(lines) > 1:
            del lines[index]
        elif change == "double":
            lines.insert(index, lines[index])
        elif change == "word":
            lines[index] = lines[index].replace(draw(st.sampled_from("aeio:-_ ")), draw(st.sampled_from(ODD)), 1)
        else:
            lines[index] = "  " + lines[index]
    return "\n".join(lines)


values = st.recursive(
    VALUES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=4),
    max_leaves=12,
)


def check(text: str) -> None:
    content = text.encode("utf-8", "surrogatepass")

    def find(reference: str, file: str) -> tuple[Source, ...]:
        return (Source("named.yaml", content),) if "yaml" in reference and file != "named.yaml" else ()

    for name in ("source.yaml", "source.sh"):
        source = Source(name, content)
        found = import_sources([source], find, lambda file: (Earlier("c" * 40, SAMPLES[2].encode()),))
        assert found.files or found.diagnostics or name.endswith(".sh")
        for file in found.files:
            assert read_model(file.name, file.text.encode()).diagnostics == ()
        for problem in found.diagnostics:
            assert problem.position.line >= 1
            assert problem.position.column >= 1


@settings(max_examples=300, deadline=None)
@given(mutated())
def test_a_changed_source_is_imported_or_refused(text: str) -> None:
    check(text)


@settings(max_examples=200, deadline=None)
@given(
    st.sampled_from(
        [
            {"applications": [{"import_path": "rayllm:app"}]},
            {"apiVersion": "ray.io/v1", "kind": "RayService"},
            {"apiVersion": "ml.oneblock.ai/v1", "kind": "ModelTemplateVersion", "metadata": {"name": "a"}},
            {"apiVersion": "ml.oneblock.ai/v1", "kind": "MLService", "metadata": {"name": "a"}},
            {"model": "a", "infer_backend": "vllm"},
            {"ray_serve_config": {"applications": 1}},
        ]
    ),
    st.dictionaries(st.sampled_from(KEYS), values, max_size=5),
)
def test_a_random_document_is_imported_or_refused(known: dict[str, object], extra: dict[str, object]) -> None:
    check(yaml.safe_dump({**known, **extra}, allow_unicode=True))


@settings(max_examples=200, deadline=None)
@given(
    st.text(max_size=60),
    st.sampled_from(["", "byzerllm deploy ", "byzerllm deploy --model a ", "easy-byzerllm deploy "]),
)
def test_a_random_script_is_imported_or_refused(text: str, before: str) -> None:
    check(before + text)
