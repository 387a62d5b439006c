"""Small files in old formats, and what becomes of their keys."""

import os
from pathlib import Path
from textwrap import dedent

from reconciler.registry.dialects.dialect import canonical_document, dialect_of
from reconciler.registry.dialects.translation import Fate, Translation, Translator, dotted
from reconciler.registry.document import Document, parse
from reconciler.registry.spec import ModelSpec
from reconciler.registry.validation import validate

INPUTS = Path(os.environ.get("RECONCILER_INPUTS", Path(__file__).parents[3] / "shared" / "inputs"))
"""Real files of every format, where there are any."""


def document(text: str) -> Document:
    """The document in a text that is indented as it suits a test."""
    found, diagnostics = parse("model.yaml", dedent(text).encode())
    assert found is not None
    assert diagnostics == ()
    return found


def translator(text: str) -> Translator:
    """A translator of a file in a format that is named `Test`."""
    return Translator("Test", document(text))


def translated(text: str) -> Translation:
    """The file in the format that recognises it."""
    found = document(text)
    return dialect_of(found).translate(found)


def spec(text: str) -> ModelSpec:
    """The model in a file that is read without an error."""
    found = document(text)
    value, problems = validate(ModelSpec, canonical_document(found, dialect_of(found).translate(found)))
    assert problems == ()
    assert value is not None
    return value


def fates(translation: Translation) -> dict[str, Fate]:
    """What becomes of each key."""
    return {dotted(fate.path): fate.fate for fate in translation.fates}


def rules(translation: Translation) -> list[str]:
    """The rules that the file breaks, warnings about obsolete keys aside."""
    return [diagnostic.rule for diagnostic in translation.diagnostics if diagnostic.rule != "obsolete-key"]
