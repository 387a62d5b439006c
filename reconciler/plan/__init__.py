"""What differs and what we mean to do about it, computed and never guessed.

Belongs here: the field-scoped diff, the impact of each change on running replicas, guards, waves and the `Plan` value
with its file form. Does not belong here: reading a cluster, showing a plan (`views`) or carrying it out (`apply`).
"""
