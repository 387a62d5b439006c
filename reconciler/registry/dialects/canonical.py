"""The canonical form as a dialect: every key stays what it is."""

from reconciler.registry.dialects.translation import Translation, Translator
from reconciler.registry.document import Document

NAME = "canonical"


def recognises(document: Document) -> bool:
    """Whatever no other dialect recognises is meant to be canonical, and is checked as such."""
    del document
    return True


def translate(document: Document) -> Translation:
    """The file as it is. What it may hold is for `validate` to say."""
    translator = Translator(NAME, document)
    for path in list(translator.undecided()):
        if path:
            translator.copy(path, path)
    return translator.finish()
