"""What should be and what is, as plain values.

Belongs here: `Application` (shared by desired and live), the compilation of a registry into a `DesiredState`, the shape
of a `LiveState`, and how bundles fit on nodes. Does not belong here: any I/O, or any opinion about what to do with a
difference.
"""
