"""What a replica says when weights, or an adapter, cannot be loaded."""


class WeightsError(Exception):
    """They cannot be had, or are not whole. The message says which, where and why, in the words that `reconcile apply`
    looks for in a log to name the cause."""
