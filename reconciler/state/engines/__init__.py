"""What the types of engines compile to: one module for each value of `engine_config.type`.

Belongs here: which code runs, and what that code gets. Does not belong here: what all applications have in common,
which is `state.compile`.
"""
