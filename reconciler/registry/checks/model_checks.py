"""The checks that look at one model file alone."""

from collections.abc import Iterator

from reconciler.diagnostics import Diagnostic
from reconciler.registry.checks.bundles import BUNDLE_CHECKS
from reconciler.registry.checks.check import ModelCheck
from reconciler.registry.checks.clusters import served_nowhere
from reconciler.registry.checks.engine_arguments import ENGINE_ARGUMENT_CHECKS
from reconciler.registry.checks.file_name import file_name_convention
from reconciler.registry.checks.generation import embedding_generation, prompt_format_parts, request_defaults
from reconciler.registry.checks.mirrors import mirror_scheme, one_mirror
from reconciler.registry.checks.model_ids import model_id_characters, reserved_model_id
from reconciler.registry.checks.ray_options import RAY_OPTION_CHECKS
from reconciler.registry.checks.references import malformed_reference, misplaced_reference
from reconciler.registry.checks.replicas import initial_replicas_reset, ongoing_requests, replica_bounds
from reconciler.registry.checks.secrets import secret_literal
from reconciler.registry.registry import ModelEntry

MODEL_CHECKS: tuple[ModelCheck, ...] = (
    embedding_generation,
    file_name_convention,
    initial_replicas_reset,
    malformed_reference,
    mirror_scheme,
    misplaced_reference,
    model_id_characters,
    one_mirror,
    ongoing_requests,
    prompt_format_parts,
    replica_bounds,
    request_defaults,
    reserved_model_id,
    secret_literal,
    served_nowhere,
    *BUNDLE_CHECKS,
    *ENGINE_ARGUMENT_CHECKS,
    *RAY_OPTION_CHECKS,
)
"""Each looks at one model file."""


def check_model(entry: ModelEntry) -> Iterator[Diagnostic]:
    """The problems that the checks find in one model file."""
    for check in MODEL_CHECKS:
        yield from check(entry)
