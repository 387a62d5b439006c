"""Named checks of what was written: every rule that neither the form of a file nor its types can express.

A new check is a function in the module of its topic and a line in one of the tables: `model_checks` for one model file
alone, `registry_checks` across files. Checks are pure: they get values, return diagnostics and see no disk.
"""
