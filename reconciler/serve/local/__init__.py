"""A Ray cluster of one's own on this machine, and the tiny model it serves: the default target of a fresh clone."""
