"""Two configs of one application, field by field.

A field differs when it means something else to Ray Serve: `1` and `1.0` are the same, and so are null and not set. Not
compared at all are the options of one rollout, the mark of a retry, the record of who applied last in the gateway's
`user_config`, and a `logging_config` that Ray copied in from the cluster's own.
"""

import json
import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from reconciler.plan.change import HIDDEN, Change, FieldChange, Impact
from reconciler.plan.code_version import code_version, is_code_input
from reconciler.plan.impact import ROLLOUT_OPTIONS, UNNOTICED_OPTIONS, field_rule, is_proven, worst
from reconciler.plan.retry import MARKED_OPTION, without_mark
from reconciler.plan.rules import DEPLOYMENT_ORDER, PROVEN_RAY, UNNOTICED
from reconciler.registry.secret import find_secrets, is_secret_name
from reconciler.state.application import Application
from reconciler.state.json_value import JsonValue, same
from reconciler.state.names import GATEWAY_APPLICATION, GATEWAY_DEPLOYMENT, PROVENANCE_KEY

_PLAIN_KEY = re.compile(r"[A-Za-z0-9_-]+")
_PLAIN_NAME = re.compile(r"[^\[\]\"\s]+")

_Equal = Callable[[JsonValue, JsonValue], bool]
_Keys = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Difference:
    keys: _Keys
    before: JsonValue
    after: JsonValue
    before_set: bool
    after_set: bool


def diff(
    before: Application | None,
    after: Application | None,
    *,
    global_logging_config: JsonValue = None,
    ray_version: str = PROVEN_RAY,
) -> Change:
    """What turns `before` into `after`, with the impact on running replicas under that Ray version.

    None stands for an application that is not there; raises ValueError when neither is.
    """
    present = after or before
    if present is None:
        raise ValueError("a change needs an application on at least one side")
    if before is None or after is None:
        return Change(present.name, before, after, (), Impact.DELETE if after is None else Impact.CREATE)
    if before.text == after.text:
        return Change(present.name, before, after, (), Impact.NONE)
    old = comparable(before, global_logging_config)
    new = comparable(after, global_logging_config)
    _drop_marks(old["deployments"], new["deployments"])
    found = list(_walk((), old, new, same))
    code_changed = bool(found) and code_version(before.config) != code_version(after.config)
    if code_changed and not any(is_code_input(difference.keys) for difference in found):
        found.extend(_spelling(before, after, old, new))
    proven = is_proven(ray_version)
    asleep = _unnoticed(found) if proven and not code_changed else frozenset()
    fields = tuple(_field(difference, code_changed, proven, asleep) for difference in found)
    impact = worst(field.impact for field in fields)
    return Change(present.name, before, after, fields, impact)


def path_text(keys: _Keys) -> str:
    """The way to a field as people read it: dotted, deployments and unusual keys in brackets, never ambiguous."""
    text = keys[0] if _PLAIN_KEY.fullmatch(keys[0]) else f"[{json.dumps(keys[0])}]"
    for depth, key in enumerate(keys[1:], start=1):
        if depth == 1 and keys[0] == "deployments":
            text += f"[{key}]" if _PLAIN_NAME.fullmatch(key) else f"[{json.dumps(key)}]"
        else:
            text += f".{key}" if _PLAIN_KEY.fullmatch(key) else f"[{json.dumps(key)}]"
    return text


def hide(value: JsonValue, key: str = "") -> JsonValue:
    """A copy in which the values of environment variables are replaced, at any depth, and texts that look like a secret
    or stand below a key (the value's own is `key`) that is named like one."""
    if isinstance(value, dict):
        return {name: _hide_values(item) if name == "env_vars" else hide(item, name) for name, item in value.items()}
    if isinstance(value, list):
        return [hide(item, key) for item in value]
    if isinstance(value, str) and not value.startswith("${") and (is_secret_name(key) or find_secrets(value)):
        return HIDDEN
    return value


def _hide_values(variables: JsonValue) -> JsonValue:
    return dict.fromkeys(variables, HIDDEN) if isinstance(variables, dict) else HIDDEN


def comparable(application: Application, global_logging_config: JsonValue) -> dict[str, JsonValue]:
    """The config with deployments by name and without what is never a difference."""
    config = {key: value for key, value in application.config.items() if key != "name"}
    if global_logging_config is not None and same(config.get("logging_config"), global_logging_config):
        del config["logging_config"]
    deployments: dict[str, dict[str, JsonValue]] = {}
    for name, entry in application.deployments.items():
        deployments[name] = {
            option: value for option, value in entry.items() if option != "name" and option not in ROLLOUT_OPTIONS
        }
    gateway = deployments.get(GATEWAY_DEPLOYMENT, {})
    if application.name == GATEWAY_APPLICATION and isinstance(gateway.get("user_config"), dict):
        gateway["user_config"] = {key: value for key, value in gateway["user_config"].items() if key != PROVENANCE_KEY}
    config["deployments"] = deployments
    return config


def _drop_marks(old: Mapping[str, dict[str, JsonValue]], new: Mapping[str, dict[str, JsonValue]]) -> None:
    """Take the mark of a retry out of the live side, and the whole option where the mark is all there is."""
    for name in old.keys() & new.keys():
        value = old[name].get(MARKED_OPTION)
        if value is None or same(value, without_mark(value)):
            continue
        if MARKED_OPTION not in new[name]:
            del old[name][MARKED_OPTION]
        elif same(without_mark(value), without_mark(new[name][MARKED_OPTION])):
            old[name][MARKED_OPTION] = new[name][MARKED_OPTION]


def _walk(keys: _Keys, before: JsonValue, after: JsonValue, equal: _Equal) -> Iterator[_Difference]:
    for key in sorted({*before, *after}):
        here = (*keys, key)
        old, new = before.get(key), after.get(key)
        if isinstance(old, dict) and isinstance(new, dict):
            yield from _walk(here, old, new, equal)
        elif _is_opened(here) and isinstance(old or {}, dict) and isinstance(new or {}, dict):
            yield from _walk(here, old or {}, new or {}, equal)
        elif not equal(old, new):
            yield _Difference(here, old, new, key in before, key in after)


def _is_opened(keys: _Keys) -> bool:
    """Whether a mapping is compared key by key even where the other side has none: each deployment's option has an
    impact of its own, of environment variables only the names may be shown, and a request default, a key of the gateway
    and a limit are read by name."""
    return keys[-1] in ("env_vars", "defaults", "keys", "limits") or (keys[0] == "deployments" and len(keys) == 2)


def _spelling(
    before: Application, after: Application, old: Mapping[str, JsonValue], new: Mapping[str, JsonValue]
) -> Iterator[_Difference]:
    """What makes two code versions of configs whose inputs mean the same: numbers written differently, or deployments
    in another order."""
    found = [difference for difference in _walk((), old, new, _same_text) if is_code_input(difference.keys)]
    yield from found
    if not found:
        yield _Difference(("deployments",), list(before.deployments), list(after.deployments), True, True)


def _same_text(left: JsonValue, right: JsonValue) -> bool:
    return json.dumps(left, sort_keys=True) == json.dumps(right, sort_keys=True)


def _unnoticed(found: Sequence[_Difference]) -> frozenset[str]:
    """The deployments of which nothing differs but values that Ray does not compare. An option that comes or goes is
    noticed, and so is anything that the whole application has."""
    if any(difference.keys[0] != "deployments" for difference in found):
        return frozenset()
    noticed = {
        difference.keys[1]
        for difference in found
        if not (difference.keys[2] in UNNOTICED_OPTIONS and difference.before_set and difference.after_set)
    }
    return frozenset(difference.keys[1] for difference in found) - noticed


def _field(difference: _Difference, code_changed: bool, proven: bool, asleep: Collection[str]) -> FieldChange:
    keys = difference.keys
    if len(keys) == 1 and keys[0] == "deployments":
        rule = DEPLOYMENT_ORDER
    elif keys[0] == "deployments" and keys[1] in asleep:
        rule = UNNOTICED
    else:
        rule = field_rule(keys, difference.before, difference.after, code_changed=code_changed, proven=proven)
    return FieldChange(
        path=path_text(keys),
        before=_shown(difference.before, difference.before_set, keys),
        after=_shown(difference.after, difference.after_set, keys),
        before_set=difference.before_set,
        after_set=difference.after_set,
        impact=rule.impact,
        reason=rule.reason,
        source=rule.source,
    )


def _shown(value: JsonValue, is_set: bool, keys: _Keys) -> JsonValue:
    if "env_vars" in keys:
        return HIDDEN if is_set else None
    return hide(value, keys[-1])
