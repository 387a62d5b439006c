"""What is there now, and what it has to do.

Belongs here: putting together what the cluster reports and what its replicas say into a `StatusReport`, and telling two
of them apart. Does not belong here: judging whether it is as it should be (`drift`) or showing it (`views`).
"""
