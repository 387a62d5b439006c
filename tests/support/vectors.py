"""Vectors, compared."""

TOLERANCE = 1e-5
"""Of a number in a vector whose norm is 1: both sides compute with 32 bits, in another order."""


def difference(vectors: list[list[float]], others: list[list[float]]) -> float:
    """The largest of any two numbers in the same place."""
    pairs = zip(vectors, others, strict=True)
    return max(abs(a - b) for vector, other in pairs for a, b in zip(vector, other, strict=True))
