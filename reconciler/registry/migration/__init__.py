"""Rewriting a model file of any dialect into the canonical form, with what people wrote around its keys.

Belongs here: comments, order and quoting. Does not belong here: what a key means (`dialects`), or files on the disk.
"""
