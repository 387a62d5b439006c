import pytest

from tests.support.golden import assert_golden
from tests.support.imports import imported, rules, text, told

TEMPLATE = """\
apiVersion: ml.oneblock.ai/v1
kind: ModelTemplate
metadata:
  name: chat
  namespace: models
spec:
  description: A model to talk to.
"""

BUILT = """\
apiVersion: ml.oneblock.ai/v1
kind: ModelTemplateVersion
metadata:
  name: chat-01
  namespace: models
spec:
  templateName: models/chat
  modelID: acme/chat
  hfModelID: acme/chat-hf
  engineConfig:
    type: VLLMEngine
    maxTotalTokens: 4096
    vLLMArgs: |
      max_num_seq: 16
      dtype: half
    generation:
      promptFormat:
        system: "<s>{instruction}"
        assistant: "{instruction}</s>"
        user: "[{instruction}]"
        stripWhitespace: false
      stoppingSequences: ["</s>"]
  deploymentConfig:
    replicas: 2
    minReplicas: 1
    maxReplicas: 3
    maxConcurrentQueries: 32
  scalingConfig:
    numWorkers: 2
    numCPUsPerWorker: 4
    placementStrategy: PACK
    resourcesPerWorker:
      accelerator_type_a10: "0.01"
status:
  version: 1
"""

SERVICE = """\
apiVersion: ml.oneblock.ai/v1
kind: MLService
metadata:
  name: chat
  namespace: apps
spec:
  modelTemplateVersionRef:
    name: chat-01
    namespace: models
  hfSecretRef:
    name: hf
    secretKey: token
  mlClusterRef:
    name: chat
    rayClusterSpec:
      image: anyscale/ray-llm:0.5.0
      workerGroupSpec: []
"""

PROPOSED = """\
apiVersion: ml.oneblock.ai/v1alpha1
kind: ModelTemplateVersion
metadata:
  name: small
spec:
  engine_config:
    model_id: acme/small
    type: VLLMEngine
  deploymentConfig:
    replicas: 1
    maxReplicas: 5
    maxConcurrentQueries: 2
  scalingConfig:
    numWorkers: 1
    numGPUsPerWorker: 1
    numCPUsPerWorker: 3
  workerGroupSpec:
    name: default-worker
"""

EMBEDDING = """\
apiVersion: ml.oneblock.ai/v1
kind: ModelTemplateVersion
metadata: {name: vectors}
spec:
  modelID: acme/vectors
  mirrorConfig: s3://models/vectors
  engineConfig: {type: EmbeddingEngine, maxTotalTokens: 512, vLLMArgs: ""}
  deploymentConfig: {maxConcurrentQueries: 8, targetNumOngoingRequests: 4}
  scalingConfig: {numWorkers: 1, numCPUsPerWorker: 1}
"""


def test_the_documents_as_they_were_built() -> None:
    files = {"models.yaml": TEMPLATE + "---\n" + BUILT, "service.yaml": SERVICE}
    assert_golden("imports/oneblock/built.txt", told(imported(files)))


def test_the_documents_as_they_were_proposed() -> None:
    assert_golden("imports/oneblock/proposed.txt", told(imported({"models.yaml": PROPOSED})))


def test_an_embedding_model_with_a_mirror() -> None:
    assert_golden("imports/oneblock/embedding.txt", told(imported({"models.yaml": EMBEDDING})))


def versions(*names: str) -> str:
    return "---\n".join(BUILT.replace("name: chat-01", f"name: {name}") for name in names)


def test_the_newest_version_is_the_one_that_serves() -> None:
    found = imported({"models.yaml": TEMPLATE + "---\n" + versions("chat-01", "chat-02")})
    assert "`chat-02`" in text(found)
    assert (9, "other-version") in rules(found)


def test_the_default_version_of_the_template_comes_before_the_newest() -> None:
    template = TEMPLATE + "  defaultVersionId: models/chat-01\n"
    found = imported({"models.yaml": template + "---\n" + versions("chat-01", "chat-02")})
    assert "`chat-01`" in text(found)


def test_the_version_that_a_service_names_comes_before_the_default_one() -> None:
    template = TEMPLATE + "  defaultVersionId: models/chat-02\n"
    found = imported({"m.yaml": template + "---\n" + versions("chat-01", "chat-02"), "s.yaml": SERVICE})
    assert "`chat-01`" in text(found)


def test_a_second_service_of_the_model_in_another_version_is_refused() -> None:
    other = SERVICE.replace("name: chat-01", "name: chat-02")
    found = imported(
        {"m.yaml": TEMPLATE + "---\n" + versions("chat-01", "chat-02"), "s.yaml": SERVICE, "t.yaml": other}
    )
    assert (8, "described-twice") in rules(found)


def test_references_that_lead_nowhere_are_told_at_their_line() -> None:
    found = imported({"s.yaml": SERVICE.replace("name: chat-01", "name: chat-1"), "m.yaml": BUILT})
    assert (8, "missing-reference") in rules(found)
    assert "did you mean `models/chat-01`?" in [each.hint for each in found.diagnostics]
    found = imported({"m.yaml": TEMPLATE + "  defaultVersionId: gone\n"})
    assert rules(found) == [(8, "missing-reference")]


@pytest.mark.parametrize(
    ("old", "new", "line", "rule"),
    [
        ("type: VLLMEngine", "type: TRTLLMEngine", 11, "not-a-choice"),
        ("max_num_seq: 16", "max_num_squares: 16", 14, "known-engine-arguments"),
        ("max_num_seq: 16", "max_num_seqs: many", 14, "engine-argument-types"),
        ("max_num_seq: 16", "- a list", 14, "no-mapping"),
        ("maxConcurrentQueries: 32", "maxConcurrentQuery: 32", 27, "unknown-key"),
        ("maxConcurrentQueries: 32", 'maxConcurrentQueries: "32"', 27, "wrong-type"),
        ("  modelID: acme/chat\n", "", 6, "missing-key"),
        ("  hfModelID: acme/chat-hf", "  hfModelID: a\n  mirrorConfig: s3://a", 10, "given-twice"),
        ("  hfModelID: acme/chat-hf", "  mirrorConfig: http://a", 9, "mirror-scheme"),
        ('"0.01"', '"much"', 33, "wrong-type"),
        ("numWorkers: 2", "numWorkers: 0", 29, "out-of-range"),
        ("placementStrategy: PACK", "placementStrategy: TIGHT", 31, "not-a-choice"),
    ],
)
def test_what_cannot_be_carried_is_refused_at_its_line(old: str, new: str, line: int, rule: str) -> None:
    assert old in BUILT
    found = imported({"m.yaml": BUILT.replace(old, new)})
    assert (line, rule) in rules(found)
    assert found.files == ()


def test_another_kind_and_a_document_without_a_name() -> None:
    found = imported({"a.yaml": "apiVersion: ml.oneblock.ai/v1\nkind: Dataset\nmetadata: {name: d}\n"})
    assert rules(found) == [(2, "no-model")]
    found = imported({"a.yaml": "apiVersion: ml.oneblock.ai/v1\nkind: MLService\n"})
    assert rules(found) == [(1, "missing-key")]
