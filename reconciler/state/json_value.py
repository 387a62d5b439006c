"""JSON documents as immutable-by-convention Python values, and the one canonical way to write and compare them.

Ray Serve normalises numbers (`num_gpus: 1` comes back as `1.0`), so equality here treats an integral float and the
same integer as one value. Booleans are never numbers.
"""

import hashlib
import json
from typing import Any

JsonValue = Any
"""None, bool, int, float, str, list or dict of str to JsonValue."""


def canonical(value: JsonValue) -> JsonValue:
    """A copy in which integral floats are integers and mappings have sorted keys."""
    if isinstance(value, dict):
        return {key: canonical(value[key]) for key in sorted(value)}
    if isinstance(value, list | tuple):
        return [canonical(item) for item in value]
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value


def canonical_text(value: JsonValue) -> str:
    """The one text of a value: sorted keys, no spaces, integral floats as integers."""
    return json.dumps(canonical(value), sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def digest(value: JsonValue) -> str:
    """SHA-256 of the canonical text, in hexadecimal."""
    return hashlib.sha256(canonical_text(value).encode()).hexdigest()


def same(left: JsonValue, right: JsonValue) -> bool:
    """Whether two values mean the same to Ray Serve."""
    return canonical_text(left) == canonical_text(right)
