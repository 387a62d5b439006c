"""JSON documents as immutable-by-convention Python values, and the one canonical way to write and compare them.

Ray Serve normalises numbers (`num_gpus: 1` comes back as `1.0`), so equality here treats an integral float and the
same integer as one value. Booleans are never numbers.
"""

import hashlib
import json
import math
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
    # JSON may escape half a surrogate pair, which strict UTF-8 refuses to write.
    return hashlib.sha256(canonical_text(value).encode("utf-8", "surrogatepass")).hexdigest()


def same(left: JsonValue, right: JsonValue) -> bool:
    """Whether two values mean the same to Ray Serve: whether their canonical texts are equal."""
    if isinstance(left, dict):
        return (
            isinstance(right, dict)
            and left.keys() == right.keys()
            and all(same(item, right[key]) for key, item in left.items())
        )
    if isinstance(left, list | tuple):
        return (
            isinstance(right, list | tuple)
            and len(left) == len(right)
            and all(same(item, other) for item, other in zip(left, right, strict=True))
        )
    if isinstance(left, bool) or isinstance(right, bool):
        return left is right
    return bool(left == right) or (_is_nan(left) and _is_nan(right))


def _is_nan(value: JsonValue) -> bool:
    return isinstance(value, float) and math.isnan(value)
