"""Tests that share one deployment of the tiny models, because each start of an engine takes half a minute."""
