"""What runs elsewhere, as files of the registry: one module for each kind of source.

Belongs here: finding the models that a source describes, and saying of each of its keys what becomes of it. Does not
belong here: the formats of model files (`dialects`), or writing to disk (`cli.import_`). Nothing of a source is dropped
without a word, and nothing is written that the checks of the registry would refuse.
"""
