"""Revisions of what comes from the Hugging Face Hub."""

import re
from collections.abc import Iterable, Iterator

from reconciler.diagnostics import Diagnostic, Severity
from reconciler.registry.checks.check import rule_name
from reconciler.registry.key_path import KeyPath
from reconciler.registry.quoted import quoted
from reconciler.registry.registry import ModelEntry

_COMMIT = re.compile(r"[0-9a-f]{40}")
_ARGUMENTS = ("revision", "code_revision", "tokenizer_revision")
_ENGINE: KeyPath = ("engine_config",)


def floating_revision(entry: ModelEntry) -> Iterable[Diagnostic]:
    """A revision is a commit. A branch or a tag moves: replicas that start later load other weights, and going back to
    an earlier registry does not bring the earlier ones back."""
    for path, revision in _revisions(entry):
        if not _COMMIT.fullmatch(revision) and "${" not in revision:
            message = f"{quoted(revision)} is no commit: replicas may load different weights under it"
            hint = "write the 40 digits of the commit, as the Hub's page of files shows it"
            yield Diagnostic(entry.position(path), rule_name(floating_revision), message, hint, Severity.WARNING)


def revision_of_nothing(entry: ModelEntry) -> Iterable[Diagnostic]:
    """Only weights of the Hugging Face Hub have a revision; a mirror has its file `hash`."""
    engine = entry.spec.engine_config
    elsewhere = engine.s3_mirror_config or engine.gcs_mirror_config or (engine.hf_model_id or "").startswith("/")
    if elsewhere and engine.engine_kwargs.get("revision") is not None:
        position = entry.position((*_ENGINE, "engine_kwargs", "revision"))
        message = "the weights are not from the Hub, so that `revision` changes nothing"
        hint = "remove it; give each version of the weights a place of its own"
        yield Diagnostic(position, rule_name(revision_of_nothing), message, hint, Severity.WARNING)


def _revisions(entry: ModelEntry) -> Iterator[tuple[KeyPath, str]]:
    engine = entry.spec.engine_config
    for name in _ARGUMENTS:
        value = engine.engine_kwargs.get(name)
        if isinstance(value, str):
            yield (*_ENGINE, "engine_kwargs", name), value
    for index, adapter in enumerate(engine.lora_config.adapters if engine.lora_config else ()):
        if adapter.revision is not None:
            yield (*_ENGINE, "lora_config", "adapters", index, "revision"), adapter.revision
