"""Buckets to load weights from."""

from collections.abc import Iterable

from reconciler.diagnostics import Diagnostic
from reconciler.registry.checks.check import rule_name
from reconciler.registry.registry import ModelEntry

_SCHEMES = {"s3_mirror_config": "s3://", "gcs_mirror_config": "gs://"}


def one_mirror(entry: ModelEntry) -> Iterable[Diagnostic]:
    """Weights come from one place."""
    engine = entry.spec.engine_config
    if engine.s3_mirror_config is not None and engine.gcs_mirror_config is not None:
        position = entry.position(("engine_config", "gcs_mirror_config"))
        message = "both `s3_mirror_config` and `gcs_mirror_config` are given"
        yield Diagnostic(position, rule_name(one_mirror), message, "keep one of them")


def mirror_scheme(entry: ModelEntry) -> Iterable[Diagnostic]:
    """A bucket's URI begins with the scheme of its store."""
    for key, scheme in _SCHEMES.items():
        mirror = getattr(entry.spec.engine_config, key)
        if mirror is not None and not mirror.bucket_uri.startswith((scheme, "${env:")):
            position = entry.position(("engine_config", key, "bucket_uri"))
            message = f"`{key}.bucket_uri` must begin with `{scheme}`"
            yield Diagnostic(position, rule_name(mirror_scheme), message)
