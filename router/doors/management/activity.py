"""/global/activity*: how much was asked for, in LiteLLM's shapes.

One rule: as for /spend, every figure is the ledger's own sum.
"""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from typing import TYPE_CHECKING

from router.contract import CostPoint, RequestFilter, RequestView
from router.doors.management.asked import Asked, Route, wrong
from router.doors.management.periods import archive_of, lines_of, points_of, span
from router.messages import JSON

if TYPE_CHECKING:
    from router.service import Router

#: refusals that are looked at
MOST = 100_000


def _activity(points: list[CostPoint]) -> JSON:
    days: list[JSON] = [
        {
            "date": _date_short(point.at),
            "api_requests": point.line.requests,
            "total_tokens": point.line.tokens.prompt + point.line.tokens.output,
        }
        for point in points
    ]
    return {
        "daily_data": days,
        "sum_api_requests": sum(day["api_requests"] for day in days),
        "sum_total_tokens": sum(day["total_tokens"] for day in days),
    }


async def activity(router: Router, asked: Asked) -> JSON:
    return _activity(await points_of(router, asked))


async def model_activity(router: Router, asked: Asked) -> list[JSON]:
    models: dict[str, list[CostPoint]] = {}
    for point in await points_of(router, asked, "model"):
        if point.line.name:
            models.setdefault(point.line.name.partition(",")[2], []).append(point)
    found = [{"model": model, **_activity(points)} for model, points in models.items()]
    return sorted(found, key=lambda one: -int(one["sum_api_requests"]))[:10]


async def exceptions(router: Router, asked: Asked) -> JSON:
    """How often a model's providers said that it was too much, by day."""
    days = Counter(_date_short(one.started_at) for one in await _throttled(router, asked))
    return _told(days)


async def deployment_exceptions(router: Router, asked: Asked) -> list[JSON]:
    found: dict[str, Counter[str]] = {}
    for one in await _throttled(router, asked):
        days = found.setdefault(f"{one.provider},{one.model}", Counter())
        days[_date_short(one.started_at)] += 1
    told = [{"api_base": target, **_told(days)} for target, days in found.items()]
    return sorted(told, key=lambda one: -int(one["sum_num_rate_limit_exceptions"]))[:10]


async def _throttled(router: Router, asked: Asked) -> list[RequestView]:
    group = asked.one("model_group")
    if not group:
        raise wrong("model_group: name the model that was asked for", "model_group")
    since, until = span(router, asked)
    filter = RequestFilter(since=since, until=until, status_from=429, simulated=False)
    async with archive_of(router) as archive:
        found = await archive.requests(filter, MOST)
    return [
        one for one in reversed(found) if one.status == 429 and one.asked == group and one.provider
    ]


def _told(days: Counter[str]) -> JSON:
    return {
        "daily_data": [{"date": at, "num_rate_limit_exceptions": n} for at, n in days.items()],
        "sum_num_rate_limit_exceptions": days.total(),
    }


def _date_short(at: float) -> str:
    return datetime.fromtimestamp(at).strftime("%b %d")


async def cache_hits(router: Router, asked: Asked) -> JSON:
    """What was answered from memory, beside what a provider was asked for."""
    by_rule = await lines_of(router, asked, "rule")
    hits = [line for line in by_rule if line.name.startswith("cache,")]
    asked_for = [line for line in by_rule if not line.name.startswith("cache,")]
    failed = sum(line.errors for line in asked_for)
    answered = sum(line.requests for line in asked_for) - failed
    kept = sum(line.requests for line in hits)
    figures = {
        "api_requests": answered,
        "cache_hits": kept,
        "failed_requests": failed,
        "cached_completion_tokens": sum(line.tokens.output for line in hits),
    }
    made = sum(line.tokens.output for line in asked_for)
    together = {"call_type": "acompletion", **figures, "generated_completion_tokens": made}
    ratio = kept / (kept + answered) if kept else 0.0
    return {
        "groups": [together] if kept or answered or failed else [],
        "totals": {**figures, "cache_hit_ratio": ratio},
        "filter_options": {"key_aliases": [], "models": []},
        "error_breakdown": [],
    }


ROUTES: dict[str, Route] = {
    "GET /global/activity": Route(activity),
    "GET /global/activity/model": Route(model_activity),
    "GET /global/activity/exceptions": Route(exceptions),
    "GET /global/activity/exceptions/deployment": Route(deployment_exceptions),
    "GET /global/activity/cache_hits": Route(cache_hits),
}
