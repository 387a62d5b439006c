"""What a registry adds to a model, in whichever dialect the rest of its file is written."""

from reconciler.registry.dialects.translation import Translator
from reconciler.registry.key_path import KeyPath

_KEYS: tuple[KeyPath, ...] = (("clusters",), ("rollout",), ("waive",), ("engine_config", "aliases"))


def translate_registry_keys(translator: Translator) -> None:
    """Carry the keys that no dialect had and every file may have: clusters, rollout, waivers, other ids."""
    for path in _KEYS:
        translator.copy(path, path)
