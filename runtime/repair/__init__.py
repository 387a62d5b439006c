"""Mending what the Serve controller has stored, from a job on the head node.

`stored_config.py` is sent as it is, in the entrypoint of a Ray job: it may import Ray and nothing else of here.
"""
