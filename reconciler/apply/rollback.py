"""Taking one application back to its previous config, and no other.

The document is what is live at this moment with this one application changed, so that what others did meanwhile stays.
"""

from reconciler.apply.document import Config, Document, same_config
from reconciler.apply.errors import Differences, LiveChanged
from reconciler.apply.exchange import Exchange
from reconciler.apply.watch import Watch
from reconciler.plan.document import rollout_config
from reconciler.state.application import Application


def roll_back(watched: Watch, expected: Document, exchange: Exchange) -> Document:
    """Put the previous config back, or remove what was created; returns what is expected to be live now.

    Raises `LiveChanged` when somebody else changed this application since we sent it, and what `Exchange.send` raises.
    """
    live = exchange.read()
    now = Document.of_live(live)
    sent = expected.configs[watched.name]
    if not same_config(sent, now.configs.get(watched.name), live.global_logging_config):
        raise LiveChanged(Differences(changed=(watched.name,)))
    exchange.send(_without_change(now, watched), live)
    return _without_change(expected, watched)


def _without_change(document: Document, watched: Watch) -> Document:
    back = document.with_config(watched.name, _previous(watched))
    if watched.previous is None and watched.model_id is not None:
        return back.without_route(watched.model_id)
    return back


def _previous(watched: Watch) -> Config | None:
    """The previous config, replaced the same way as it was left: what surged forward surges back."""
    if watched.previous is None or not watched.previous.get("deployments"):
        return watched.previous
    return rollout_config(Application(watched.previous), watched.rollout)
