"""The checks that look at one model file alone."""

from collections.abc import Iterator, Mapping

from reconciler.diagnostics import Diagnostic
from reconciler.registry.checks.adapters import ADAPTER_CHECKS
from reconciler.registry.checks.batches import BATCH_CHECKS
from reconciler.registry.checks.bundles import BUNDLE_CHECKS
from reconciler.registry.checks.check import ModelCheck
from reconciler.registry.checks.checkpoint import CHECKPOINT_CHECKS
from reconciler.registry.checks.clusters import served_nowhere
from reconciler.registry.checks.engine_arguments import ENGINE_ARGUMENT_CHECKS, one_chat_template
from reconciler.registry.checks.engine_sections import SECTION_CHECKS
from reconciler.registry.checks.file_name import file_name_convention
from reconciler.registry.checks.generation import (
    embedding_generation,
    generation_limits,
    prompt_format_parts,
    request_defaults,
)
from reconciler.registry.checks.llama_cpp import LLAMA_CPP_CHECKS
from reconciler.registry.checks.memory import MEMORY_CHECKS
from reconciler.registry.checks.mirrors import mirror_scheme, one_mirror
from reconciler.registry.checks.model_ids import model_id_characters, reserved_model_id
from reconciler.registry.checks.pooling import POOLING_CHECKS
from reconciler.registry.checks.ray_options import RAY_OPTION_CHECKS, one_gpu_a_worker
from reconciler.registry.checks.references import malformed_reference, misplaced_reference
from reconciler.registry.checks.replicas import REPLICA_CHECKS
from reconciler.registry.checks.revisions import floating_revision, revision_of_nothing
from reconciler.registry.checks.saas import SAAS_CHECKS
from reconciler.registry.checks.secrets import secret_literal
from reconciler.registry.checks.traffic import traffic_to_itself
from reconciler.registry.choices import VLLM_TYPES, EngineType
from reconciler.registry.registry import ModelEntry

COMMON_CHECKS: tuple[ModelCheck, ...] = (
    embedding_generation,
    file_name_convention,
    generation_limits,
    malformed_reference,
    mirror_scheme,
    misplaced_reference,
    model_id_characters,
    one_mirror,
    prompt_format_parts,
    request_defaults,
    reserved_model_id,
    secret_literal,
    served_nowhere,
    traffic_to_itself,
    *SECTION_CHECKS,
    *BUNDLE_CHECKS,
    *RAY_OPTION_CHECKS,
    *REPLICA_CHECKS,
)
"""Each looks at one model file, whatever its engine."""

VLLM_CHECKS: tuple[ModelCheck, ...] = (
    *ADAPTER_CHECKS,
    one_gpu_a_worker,
    *BATCH_CHECKS,
    *CHECKPOINT_CHECKS,
    *ENGINE_ARGUMENT_CHECKS,
    *MEMORY_CHECKS,
    *POOLING_CHECKS,
    floating_revision,
    revision_of_nothing,
)
"""Each looks at a model that vLLM runs."""

OWN_CHECKS: Mapping[EngineType, tuple[ModelCheck, ...]] = {
    **dict.fromkeys(VLLM_TYPES, VLLM_CHECKS),
    EngineType.LLAMA_CPP: (one_chat_template, *LLAMA_CPP_CHECKS),
    EngineType.SAAS: SAAS_CHECKS,
}
"""Those of each type of engine."""

MODEL_CHECKS: tuple[ModelCheck, ...] = (*COMMON_CHECKS, *VLLM_CHECKS, *LLAMA_CPP_CHECKS, *SAAS_CHECKS)
"""All of them."""


def check_model(entry: ModelEntry) -> Iterator[Diagnostic]:
    """The problems that the checks find in one model file."""
    for check in (*COMMON_CHECKS, *OWN_CHECKS[entry.spec.engine_config.type]):
        yield from check(entry)
