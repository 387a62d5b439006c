"""JSON documents as immutable-by-convention Python values, and the one canonical way to write and compare them.

Ray Serve normalises numbers (`num_gpus: 1` comes back as `1.0`), so equality here treats an integral float and the
same integer as one value. Booleans are never numbers.
"""

import hashlib
import json
import math
from collections.abc import Callable
from typing import Any

import msgspec

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


def canonical_bytes(value: JsonValue) -> bytes:
    """The one JSON text of a value: sorted keys, no spaces, integral floats as integers."""
    return canonical_json(json.dumps(value).encode())[1]


def rewritten(text: bytes, change: Callable[[JsonValue], JsonValue]) -> bytes:
    """The canonical text of a value that `change` makes from that of another one, without a number of its own."""
    try:
        return _SORTED.encode(change(_EXACT.decode(text)))
    except (msgspec.DecodeError, UnicodeError, OverflowError):
        # As in `canonical_json`.
        return canonical_bytes(change(parse_json(text)))


def canonical_json(text: bytes) -> tuple[JsonValue, bytes]:
    """The value of a JSON text in canonical form, and its one text. Raises ValueError when it is no JSON."""
    try:
        value = _CANONICAL.decode(text)
        return value, _SORTED.encode(value)
    except (msgspec.DecodeError, UnicodeError, OverflowError):
        # What the quick library refuses and Python does not: NaN and infinity, integers of more than 64 bits, half a
        # surrogate pair.
        value = canonical(json.loads(text))
        slow = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        return value, slow.encode("utf-8", "surrogatepass")


def parse_json(text: bytes) -> JsonValue:
    """The value of a JSON text, numbers as they are spelled. Raises ValueError when it is no JSON."""
    try:
        return _EXACT.decode(text)
    except (msgspec.DecodeError, UnicodeError):
        return json.loads(text.decode("utf-8", "surrogatepass"))


def digest(value: JsonValue) -> str:
    """SHA-256 of the canonical text, in hexadecimal."""
    return digest_of(canonical_bytes(value))


def digest_of(text: bytes) -> str:
    """SHA-256 of a canonical text, in hexadecimal."""
    return hashlib.sha256(text).hexdigest()


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


def _number(text: str) -> float:
    """A number with a point or an exponent in canonical form. Raises OverflowError for one that is infinite."""
    value = float(text)
    if math.isinf(value):
        raise OverflowError(text)
    return int(value) if value.is_integer() else value


_EXACT: msgspec.json.Decoder[JsonValue] = msgspec.json.Decoder()
_CANONICAL: msgspec.json.Decoder[JsonValue] = msgspec.json.Decoder(float_hook=_number)
_SORTED = msgspec.json.Encoder(order="sorted")
