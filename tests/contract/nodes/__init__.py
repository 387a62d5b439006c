"""Tests that share one cluster of several nodes. It ends with them: a small machine bears no second one beside it."""
