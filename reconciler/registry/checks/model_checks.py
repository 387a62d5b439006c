"""The checks that look at one model file alone."""

from collections.abc import Iterator

from reconciler.diagnostics import Diagnostic
from reconciler.registry.checks.adapters import adapters_enabled
from reconciler.registry.checks.batches import BATCH_CHECKS
from reconciler.registry.checks.bundles import BUNDLE_CHECKS
from reconciler.registry.checks.check import ModelCheck
from reconciler.registry.checks.checkpoint import CHECKPOINT_CHECKS
from reconciler.registry.checks.clusters import served_nowhere
from reconciler.registry.checks.engine_arguments import ENGINE_ARGUMENT_CHECKS
from reconciler.registry.checks.file_name import file_name_convention
from reconciler.registry.checks.generation import embedding_generation, prompt_format_parts, request_defaults
from reconciler.registry.checks.memory import MEMORY_CHECKS
from reconciler.registry.checks.mirrors import mirror_scheme, one_mirror
from reconciler.registry.checks.model_ids import model_id_characters, reserved_model_id
from reconciler.registry.checks.ray_options import RAY_OPTION_CHECKS
from reconciler.registry.checks.references import malformed_reference, misplaced_reference
from reconciler.registry.checks.replicas import REPLICA_CHECKS
from reconciler.registry.checks.secrets import secret_literal
from reconciler.registry.registry import ModelEntry

MODEL_CHECKS: tuple[ModelCheck, ...] = (
    adapters_enabled,
    embedding_generation,
    file_name_convention,
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
    *BATCH_CHECKS,
    *CHECKPOINT_CHECKS,
    *BUNDLE_CHECKS,
    *ENGINE_ARGUMENT_CHECKS,
    *MEMORY_CHECKS,
    *RAY_OPTION_CHECKS,
    *REPLICA_CHECKS,
)
"""Each looks at one model file."""


def check_model(entry: ModelEntry) -> Iterator[Diagnostic]:
    """The problems that the checks find in one model file."""
    for check in MODEL_CHECKS:
        yield from check(entry)
