"""What the replicas of every model have had to do, asked of each of them."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any

from runtime.gateway.route import Route

PATH = "/reconciler/work"
"""Where the gateway answers with it."""

_LIMIT_S = 3.0
"""How long the replicas of a model may take to say it."""

Reports = list[Mapping[str, Any]]


async def work_of(routes: Iterable[Route], ask: Callable[[Route], Awaitable[Reports]]) -> dict[str, Any]:
    """By model id and replica id what `ask` says of the route; None for a model that cannot be asked, because it is
    down or does not answer in time."""
    found = list(routes)
    reports = await asyncio.gather(*(_reports(route, ask) for route in found))
    return {"models": {route.model_id: report for route, report in zip(found, reports, strict=True)}}


async def _reports(route: Route, ask: Callable[[Route], Awaitable[Reports]]) -> dict[str, Any] | None:
    try:
        async with asyncio.timeout(_LIMIT_S):
            reports = await ask(route)
    except Exception:
        # Whatever the reason, the model is not there to be asked; what is wrong with it others find out.
        return None
    return {str(report.get("replica", f"#{number}")): _without_id(report) for number, report in enumerate(reports)}


def _without_id(report: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in report.items() if key != "replica"}
