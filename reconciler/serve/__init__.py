"""The one door to Ray.

Belongs here: what reads a cluster (`ServeReader`), what changes it (`ServeWriter`), the REST client behind both, the
wire format, code packages, logs, and the embedded local cluster. Does not belong here: any decision about what to
change.
"""
