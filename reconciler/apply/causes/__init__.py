"""What makes a model fail to start, as tables of named patterns: how it shows in a log, and what to do about it.

The wording of the patterns is that of vLLM 0.29, PyTorch, the Hugging Face Hub, NCCL and Ray 2.60. The first row that
matches wins, so what is specific stands before what is general.
"""

from reconciler.apply.causes import adapters, engines, environment, hardware, memory, weights
from reconciler.apply.causes.pattern import Pattern

PATTERNS: tuple[Pattern, ...] = (
    *engines.PATTERNS,
    *memory.PATTERNS,
    *weights.PATTERNS,
    *adapters.PATTERNS,
    *hardware.PATTERNS,
    *environment.PATTERNS,
)
"""Known causes, the most specific first."""

__all__ = ["PATTERNS", "Pattern"]
