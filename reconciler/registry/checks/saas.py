"""How a service outside the cluster is asked."""

from collections.abc import Iterable

from reconciler.diagnostics import Diagnostic
from reconciler.registry.checks.check import ModelCheck, rule_name
from reconciler.registry.key_path import KeyPath
from reconciler.registry.registry import ModelEntry
from reconciler.registry.saas import SERVICES

_ENGINE: KeyPath = ("engine_config",)
_SAAS: KeyPath = (*_ENGINE, "saas")


def saas_address(entry: ModelEntry) -> Iterable[Diagnostic]:
    """A service has an address: the provider's own, or `base_url`."""
    saas = entry.spec.engine_config.saas
    if saas is None or saas.base_url is not None:
        return
    service = SERVICES[saas.provider]
    if service.protocol == "openai" and service.base_url is None:
        message = f"the provider `{saas.provider}` has no address of its own"
        position = entry.position((*_SAAS, "provider"))
        yield Diagnostic(position, rule_name(saas_address), message, "write `base_url: https://.../v1`")


def saas_options(entry: ModelEntry) -> Iterable[Diagnostic]:
    """`options` are arguments of LiteLLM, which only some providers are asked through."""
    saas = entry.spec.engine_config.saas
    if saas is not None and saas.options and SERVICES[saas.provider].protocol != "litellm":
        message = f"the provider `{saas.provider}` is not asked through LiteLLM"
        hint = "write request defaults in `generation.generate_kwargs`, or `provider: litellm`"
        yield Diagnostic(entry.position((*_SAAS, "options")), rule_name(saas_options), message, hint)


def cost_has_prices(entry: ModelEntry) -> Iterable[Diagnostic]:
    """A budget in money needs to know what tokens cost."""
    saas = entry.spec.engine_config.saas
    if saas is not None and saas.budget.cost_per_day is not None and saas.prices is None:
        message, hint = "nothing says what the tokens cost", "write `prices`, or limit `tokens_per_day`"
        yield Diagnostic(entry.position((*_SAAS, "budget", "cost_per_day")), rule_name(cost_has_prices), message, hint)


def prompts_are_theirs(entry: ModelEntry) -> Iterable[Diagnostic]:
    """A service outside has the tokenizer, so that nobody here counts the tokens of a prompt or knows a token's id."""
    generation = entry.spec.engine_config.generation
    if generation.max_input_tokens is not None:
        position = entry.position((*_ENGINE, "generation", "max_input_tokens"))
        message = "nobody here can count the tokens of a prompt for a service outside"
        yield Diagnostic(position, rule_name(prompts_are_theirs), message, "remove it: the service has its own limit")
    for index, stop in enumerate(generation.stopping_sequences):
        if not isinstance(stop, str):
            position = entry.position((*_ENGINE, "generation", "stopping_sequences", index))
            message = "the id of a token means nothing to a service outside"
            yield Diagnostic(position, rule_name(prompts_are_theirs), message, "write the text instead")


SAAS_CHECKS: tuple[ModelCheck, ...] = (saas_address, saas_options, cost_has_prices, prompts_are_theirs)
"""The checks of this module."""
