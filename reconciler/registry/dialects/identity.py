"""What a model is called: keys that every format has had, in one section or another."""

from reconciler.registry.dialects.translation import Translator
from reconciler.registry.key_path import KeyPath


def translate_identity(translator: Translator, source: KeyPath) -> None:
    """Carry the id and the description of the model in the section at `source`."""
    for key in ("model_id", "model_description", "model_url"):
        translator.copy((*source, key), ("engine_config", key))
