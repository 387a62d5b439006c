"""Write the files of this folder again: the published JSON Schemas, and what the pinned vLLM, llama.cpp and Ray accept.

    python schemas/generate.py            write them
    python schemas/generate.py --check    compare them; exit 1 and say how to repair when one is out of date

The tables are read from the installed packages by the modules beside this one; nothing else in the repository but
`runtime/` imports one. The result depends on their versions alone, not on the machine.
"""

import difflib
import json
import logging
import os
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent
REPAIR = "python schemas/generate.py"
SHOWN_LINES = 40
"""Lines of a difference that are printed; the whole of it is in `git diff` after the repair."""


def main(arguments: list[str]) -> int:
    """Write or compare every file of this folder; the exit code."""
    if arguments not in ([], ["--check"]):
        sys.stderr.write(__doc__ or "")
        return 64
    _forget_the_machine()
    stale = []
    for name, render in files().items():
        path = FOLDER / name
        text, present = render(), path.read_text(encoding="utf-8") if path.exists() else ""
        if text != present and arguments:
            stale.append(name)
            difference = difflib.unified_diff(present.splitlines(), text.splitlines(), name, name, n=0, lineterm="")
            sys.stdout.write("\n".join(list(difference)[:SHOWN_LINES]) + "\n")
        elif text != present:
            path.write_text(text, encoding="utf-8")
    if stale:
        sys.stderr.write(f"error: out of date: {', '.join(stale)}\n\nhint: write them again with `{REPAIR}`\n")
    return 1 if stale else 0


def files() -> Mapping[str, Callable[[], str]]:
    """What renders each file, by its name. The tables come first: the model schema is built on those of the engines."""
    import from_llama_cpp
    import from_ray
    import from_vllm

    from reconciler.registry import tables

    schemas = {name: _renderer(schema) for name, schema in published().items()}
    return {
        tables.VLLM_FILE: from_vllm.render,
        tables.LLAMA_CPP_FILE: from_llama_cpp.render,
        tables.RAY_FILE: from_ray.render,
        **schemas,
    }


def published() -> Mapping[str, Callable[[], dict[str, Any]]]:
    """Every JSON Schema of the product by file name. Each layer that publishes some keeps a table of its own."""
    from reconciler.apply import schema as apply
    from reconciler.drift import schema as drift
    from reconciler.plan import explanation_schema as explanation
    from reconciler.plan import schema as plan
    from reconciler.registry import json_schema as registry
    from reconciler.status import schema as status

    return {
        **registry.SCHEMAS,
        **plan.SCHEMAS,
        **explanation.SCHEMAS,
        **drift.SCHEMAS,
        **status.SCHEMAS,
        **apply.SCHEMAS,
    }


def _renderer(schema: Callable[[], dict[str, Any]]) -> Callable[[], str]:
    return lambda: json.dumps(schema(), indent=2, ensure_ascii=False) + "\n"


def _forget_the_machine() -> None:
    # vLLM and Ray take some defaults from the environment, and talk while they are imported.
    for name in list(os.environ):
        if name.startswith(("RAY_", "VLLM_")):
            del os.environ[name]
    os.environ["VLLM_LOGGING_LEVEL"] = "ERROR"
    logging.disable(logging.WARNING)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
