"""Carrying a plan out.

Belongs here: the read-compare-PUT-read-compare step, waiting for the new replicas, the smoke test, rolling one failed
model back, finding the cause in its log, and the `Outcome` of each action. Does not belong here: deciding what to
change, or printing.
"""
