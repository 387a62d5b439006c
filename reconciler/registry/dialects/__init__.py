"""Every format a model file may be written in, one module each, read into the canonical form.

Belongs here: recognising a format, and saying of each of its keys what becomes of it. Does not belong here: reading
files, or judging the canonical result (`checks`). A key of a file ends as exactly one `Fate`; none is dropped.
"""
