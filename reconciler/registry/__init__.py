"""What people wrote: model files and cluster files, checked and held as immutable values with their positions.

Belongs here: reading YAML with positions, the canonical form (`spec`, `cluster`), named checks on one file or across
files. Does not belong here: anything that knows a live cluster or a Ray Serve application. Only `loader` and `tables`
touch the disk.
"""
