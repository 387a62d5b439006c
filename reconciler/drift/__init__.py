"""What moved without anybody merging it.

Belongs here: comparing desired and live into a `DriftReport`. Does not belong here: proposing changes (`plan`) or
showing the report (`views`).
"""
