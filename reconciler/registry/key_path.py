"""Where a key stands in a document."""

KeyPath = tuple[str | int, ...]
"""The way to a key in a document: mapping keys and list indices, outermost first."""
