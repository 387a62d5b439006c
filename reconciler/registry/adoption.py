"""Taking over what is live into a model file, comments and order kept.

What two configs of one application say in the form of a model file is compared, key by key; where they differ, the key
is set, or taken out, in the file.
"""

import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from reconciler.registry.document import parse
from reconciler.registry.imports.live import Running, import_live
from reconciler.registry.key_path import KeyPath


class NotAdoptable(Exception):
    """What is live cannot be said in the model file. `message` says why, `hint` what to do instead."""

    def __init__(self, message: str, hint: str) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


@dataclass(frozen=True, slots=True)
class Adopted:
    """One key of a model file that gets another value, or none."""

    path: KeyPath
    value: Any
    is_set: bool


def differences(before: Sequence[Running], after: Sequence[Running], owner: str) -> tuple[Adopted, ...]:
    """What turns the model file of one application into that of another: each a gateway, for its routing table, and
    the application. Raises `NotAdoptable`.
    """
    old, new = _form(before, owner), _form(after, owner)
    return tuple(_walk((), old, new))


def adopt(content: bytes, changes: Sequence[Adopted]) -> str:
    """The text of a canonical model file with these changes. Raises `NotAdoptable` for a value of an environment
    variable, which is not for git."""
    # ruamel.yaml takes longer to import than a registry to read.
    from ruamel.yaml import YAML

    secret = next((change for change in changes if "env_vars" in change.path), None)
    if secret is not None:
        key = ".".join(map(str, secret.path))
        message = f"`{key}` changed on the cluster, and values of variables are not written to git"
        raise NotAdoptable(message, "write a reference, `${env:NAME}`, by hand")
    yaml = YAML()
    yaml.preserve_quotes = True
    yaml.width = 1 << 20
    yaml.indent(mapping=2, sequence=4, offset=2)
    tree = yaml.load(content.decode("utf-8"))
    for change in changes:
        _change(tree, change)
    stream = io.StringIO()
    yaml.dump(tree, stream)
    return stream.getvalue()


def _form(running: Sequence[Running], owner: str) -> Mapping[str, Any]:
    imported = import_live("cluster", owner, running, ()).imported
    if not imported.files:
        reason = next((problem.message for problem in imported.diagnostics), "it holds no model")
        raise NotAdoptable(f"what is live is no model of a registry: {reason}", "`reconcile apply` puts it right")
    document, _ = parse("live", imported.files[0].text.encode())
    assert document is not None
    value: Mapping[str, Any] = document.value
    return value


def _walk(path: KeyPath, old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Adopted]:
    for key in dict.fromkeys((*old, *new)):
        here = (*path, key)
        before, after = old.get(key), new.get(key)
        if isinstance(before, dict) and isinstance(after, dict):
            yield from _walk(here, before, after)
        elif isinstance(after, dict) and before is None:
            yield from _walk(here, {}, after)
        elif before != after or (key in old) != (key in new):
            yield Adopted(here, after, key in new)


def _change(tree: Any, change: Adopted) -> None:
    section = tree
    for key in change.path[:-1]:
        if not isinstance(section.get(key), dict):
            if not change.is_set:
                return
            section[key] = type(tree)()
        section = section[key]
    if change.is_set:
        section[change.path[-1]] = change.value
    else:
        section.pop(change.path[-1], None)
