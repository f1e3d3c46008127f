"""/spend/*, /global/spend*, /global/activity*: what the ledger knows, in LiteLLM's shapes.

One rule: every figure is the ledger's own sum, in dollars; what has no known price adds nothing.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from router.contract import CostLine, CostPoint, RequestFilter, RequestView
from router.doors.management import keys, owners, users
from router.doors.management.asked import Asked, Route, dollars, iso, missing, stored, wrong
from router.messages import JSON
from router.spending.register import Key
from storage.readers import Archive

if TYPE_CHECKING:
    from router.service import Router
    from storage.costs import Grouping

#: rows of /spend/logs without a limit of its own
ROWS = 1_000


@asynccontextmanager
async def _archive(router: Router) -> AsyncIterator[Archive]:
    archive = Archive(router.home.ledger)
    try:
        yield archive
    finally:
        await archive.close()


def _span(router: Router, asked: Asked, days: int = 30) -> tuple[float, float | None]:
    """Local days from `start_date` to `end_date`, both inside; else the last ones."""
    start, end = _day(asked, "start_date"), _day(asked, "end_date")
    since = router.wall() - days * 86_400 if start is None else start.timestamp()
    return since, None if end is None else (end + timedelta(days=1)).timestamp()


def _day(asked: Asked, name: str) -> datetime | None:
    text = asked.one(name)
    if not text:
        return None
    try:
        day = datetime.fromisoformat(text[:10])
    except ValueError:
        raise wrong(f"{name}: should be a day, as 2026-01-31", name) from None
    return day


def _real(lines: list[CostLine]) -> list[CostLine]:
    """Simulated traffic costs nothing."""
    return [line for line in lines if not line.simulated]


def _limit(asked: Asked) -> int | None:
    text = asked.one("limit")
    if not text:
        return None
    if not text.isdigit() or not int(text):
        raise wrong("limit: should be a whole number, above 0", "limit")
    return int(text)


async def _lines(router: Router, asked: Asked, by: Grouping, days: int = 30) -> list[CostLine]:
    since, until = _span(router, asked, days)
    async with _archive(router) as archive:
        return _real(await archive.costs(since, until, by))[: _limit(asked)]


async def spend_logs(router: Router, asked: Asked) -> list[JSON]:
    """Rows, newest first; days where a span is asked for, as LiteLLM sums those up. A virtual key
    sees its own alone."""
    name = asked.one("api_key")
    key = asked.own or (router.cashier.register.meant(name) if name else None)
    if name and key is None:
        return []
    async with _archive(router) as archive:
        if asked.one("start_date") and asked.one("summarize").lower() != "false":
            return await _days(router, asked, archive, key)
        if id := asked.one("request_id"):
            detail = await archive.request(id)
            found = [detail.request] if detail is not None else []
        else:
            since, until = _span(router, asked) if asked.one("start_date") else (None, None)
            filter = RequestFilter(
                # what was before a key cannot be its own, and need not be looked at
                since=max(since or 0.0, key.created_at) if key is not None else since,
                until=until,
                key=key.name if key is not None else "",
                user=asked.one("user_id"),
            )
            found = await archive.requests(filter, _limit(asked) or ROWS)
    if key is not None:
        found = [one for one in found if one.key == key.name]
    names = {one.name: one.token for one in router.cashier.register.keys.values()}
    return [_row(one, names) for one in found]


def _row(view: RequestView, names: dict[str, str]) -> JSON:
    """A row of LiteLLM_SpendLogs; `names`: the token of each key's name. Nothing of what was said
    is kept, so nothing of it is here."""
    ended = view.started_at + (view.duration_ms or 0) / 1000
    first = None if view.ttft_ms is None else view.started_at + view.ttft_ms / 1000
    tokens = view.tokens
    return {
        "request_id": view.id,
        "call_type": {"embeddings": "aembedding"}.get(view.endpoint, "acompletion"),
        "api_key": names.get(view.key, view.key),
        "spend": dollars(view.cost or 0),
        "total_tokens": tokens.prompt + tokens.output,
        "prompt_tokens": tokens.prompt,
        "completion_tokens": tokens.output,
        "startTime": iso(view.started_at),
        "endTime": iso(ended),
        "completionStartTime": iso(first),
        "model": view.model,
        "model_id": "",
        "model_group": view.asked,
        "custom_llm_provider": view.provider,
        "api_base": "",
        "user": view.user,
        "metadata": {"status": view.state, "error": view.error} if view.error else {},
        "cache_hit": "True" if view.rule == "cache" else "False",
        "cache_key": "",
        "request_tags": list(view.tags),
        "team_id": view.team or None,
        "end_user": "",
        "requester_ip_address": None,
        "messages": {},
        "response": {},
        "session_id": view.session or None,
        "status": "success" if view.state == "done" else "failure",
    }


async def _days(router: Router, asked: Asked, archive: Archive, key: Key | None) -> list[JSON]:
    since, until = _span(router, asked)
    if key is None:
        models = await archive.cost_series(since, until, "day", "model")
        holders = await archive.cost_series(since, until, "day", "key")
    else:
        models = await archive.days_of(key.name, max(since, key.created_at), until)
        holders = []
    days: dict[str, JSON] = {}
    for field, points in (("models", models), ("users", holders)):
        for point in points:
            if point.line.simulated:
                continue
            day = days.setdefault(_date(point), {"spend": 0, "users": {}, "models": {}})
            name = point.line.name.partition(",")[2] or point.line.name
            day[field][name] = day[field].get(name, 0) + point.line.cost
            if field == "models":
                day["spend"] += point.line.cost
                if key is not None:
                    day["users"] = {key.name: day["spend"]}
    return [
        {
            "startTime": at,
            "spend": dollars(day["spend"]),
            **{
                field: {name: dollars(cost) for name, cost in day[field].items()}
                for field in ("users", "models")
            },
        }
        for at, day in sorted(days.items())
    ]


def _date(point: CostPoint) -> str:
    return datetime.fromtimestamp(point.at).strftime("%Y-%m-%d")


async def spend_keys(router: Router, asked: Asked) -> list[JSON]:
    found = [keys.told(router, key) for key in router.cashier.register.keys.values()]
    return sorted(found, key=lambda key: -float(key["spend"]))


async def spend_users(router: Router, asked: Asked) -> list[JSON]:
    register = router.cashier.register
    if id := asked.one("user_id"):
        if id not in register.users:
            raise missing(f"User {id[:200]} not found")
        return [users.told(router, register.users[id])]
    return [users.told(router, user) for user in register.users.values()]


async def spend_tags(router: Router, asked: Asked) -> list[JSON]:
    since, until = _span(router, asked)
    async with _archive(router) as archive:
        tags = await archive.tags(since, until)
    return [
        {"individual_request_tag": tag, "log_count": count, "total_spend": dollars(cost)}
        for tag, count, cost in tags
    ]


async def global_tags(router: Router, asked: Asked) -> JSON:
    return {
        "spend_per_tag": [
            {
                "name": line["individual_request_tag"],
                "spend": line["total_spend"],
                "log_count": line["log_count"],
            }
            for line in await spend_tags(router, asked)
        ]
    }


async def tag_names(router: Router, asked: Asked) -> JSON:
    return {"tag_names": [one["individual_request_tag"] for one in await spend_tags(router, asked)]}


async def global_spend(router: Router, asked: Asked) -> JSON:
    """All of it, and the bound that the configuration sets on it."""
    lines = await _lines(router, asked, "door", 3650)
    house = [one for one in router.cashier.views() if one.scope in ("house", "door")]
    bound = next((one.limit for one in house if one.limit is not None), None)
    return {
        "spend": dollars(sum(line.cost for line in lines)),
        "max_budget": None if bound is None else dollars(bound),
    }


async def _points(router: Router, asked: Asked, by: Grouping | None = None) -> list[CostPoint]:
    since, until = _span(router, asked)
    async with _archive(router) as archive:
        points = await archive.cost_series(since, until, "day", by)
    return [point for point in points if not point.line.simulated]


async def global_logs(router: Router, asked: Asked) -> list[JSON]:
    """Spend by day; of one key where it is named."""
    name = asked.one("api_key")
    key = router.cashier.register.meant(name) if name else None
    points = await _points(router, asked, "key" if name else None)
    return [
        {"date": _date(point), "spend": dollars(point.line.cost)}
        for point in points
        if not name or (key is not None and point.line.name == key.name)
    ]


async def global_keys(router: Router, asked: Asked) -> list[JSON]:
    by_name = {key.name: key for key in router.cashier.register.keys.values()}
    return [
        {
            "api_key": key.token if (key := by_name.get(line.name)) else line.name,
            "total_spend": dollars(line.cost),
            "key_alias": key.key_alias if key else None,
            "key_name": key.key_name if key else line.name,
        }
        for line in await _lines(router, asked, "key")
        if line.name
    ]


async def global_models(router: Router, asked: Asked) -> list[JSON]:
    return [
        {"model": line.name.partition(",")[2], "total_spend": dollars(line.cost)}
        for line in await _lines(router, asked, "model")
        if line.name
    ]


async def global_providers(router: Router, asked: Asked) -> list[JSON]:
    return [
        {"provider": line.name, "spend": dollars(line.cost)}
        for line in await _lines(router, asked, "provider")
        if line.name
    ]


async def global_teams(router: Router, asked: Asked) -> JSON:
    names = {id: team.team_alias or id for id, team in router.cashier.register.teams.items()}
    days: dict[str, JSON] = {}
    sums: dict[str, int] = {}
    for point in await _points(router, asked, "team"):
        if team := names.get(point.line.name, point.line.name):
            day = days.setdefault(_date(point), {})
            day[team] = dollars(point.line.cost)
            sums[team] = sums.get(team, 0) + point.line.cost
    dearest = sorted(sums.items(), key=lambda one: -one[1])
    return {
        "daily_spend": [{"date": at, **day} for at, day in sorted(days.items())],
        "teams": list(sums),
        "total_spend_per_team": [
            {"team_id": team, "total_spend": dollars(cost)} for team, cost in dearest[:10]
        ],
    }


async def global_report(router: Router, asked: Asked) -> list[JSON]:
    """By day and team, customer (our users) or key."""
    group = asked.one("group_by") or "team"
    if group not in ("team", "customer", "api_key"):
        raise wrong("group_by: should be team, customer or api_key", "group_by")
    by: Grouping = "team" if group == "team" else "user" if group == "customer" else "key"
    name = {"team": "team_name", "customer": "customer", "api_key": "api_key"}[group]
    days: dict[str, list[JSON]] = {}
    for point in await _points(router, asked, by):
        line = {name: point.line.name, "total_spend": dollars(point.line.cost), "metadata": []}
        days.setdefault(_date(point), []).append(line)
    field = {"team": "teams", "customer": "customers", "api_key": "api_keys"}[group]
    return [{"group_by_day": at, field: lines} for at, lines in sorted(days.items())]


async def global_reset(router: Router, asked: Asked) -> JSON:
    """Keys and teams begin again at nothing; the ledger keeps its rows."""
    register = router.cashier.register
    for key in list(register.keys.values()):
        keys.put(router, key, {"spend": 0})
    for user in list(register.users.values()):
        owners.put(router, "user", user, {"spend": 0})
    for team in list(register.teams.values()):
        owners.put(router, "team", team, {"spend": 0})
    await stored(router)
    return {"message": "Spend for all API Keys and Teams reset successfully", "status": "success"}


def _activity(points: list[CostPoint]) -> JSON:
    days = [
        {
            "date": datetime.fromtimestamp(point.at).strftime("%b %d"),
            "api_requests": point.line.requests,
            "total_tokens": point.line.tokens.prompt + point.line.tokens.output,
        }
        for point in points
    ]
    return {
        "daily_data": days,
        "sum_api_requests": sum(point.line.requests for point in points),
        "sum_total_tokens": sum(
            point.line.tokens.prompt + point.line.tokens.output for point in points
        ),
    }


async def activity(router: Router, asked: Asked) -> JSON:
    return _activity(await _points(router, asked))


async def model_activity(router: Router, asked: Asked) -> list[JSON]:
    models: dict[str, list[CostPoint]] = {}
    for point in await _points(router, asked, "model"):
        if point.line.name:
            models.setdefault(point.line.name.partition(",")[2], []).append(point)
    found = [{"model": model, **_activity(points)} for model, points in models.items()]
    return sorted(found, key=lambda one: -int(one["sum_api_requests"]))[:10]


ROUTES: dict[str, Route] = {
    "GET /spend/logs": Route(spend_logs, anyone=True),
    "GET /spend/keys": Route(spend_keys),
    "GET /spend/users": Route(spend_users),
    "GET /spend/tags": Route(spend_tags),
    "GET /global/spend": Route(global_spend),
    "GET /global/spend/logs": Route(global_logs),
    "GET /global/spend/keys": Route(global_keys),
    "GET /global/spend/models": Route(global_models),
    "GET /global/spend/provider": Route(global_providers),
    "GET /global/spend/tags": Route(global_tags),
    "GET /global/spend/all_tag_names": Route(tag_names),
    "GET /global/spend/teams": Route(global_teams),
    "GET /global/spend/report": Route(global_report),
    "POST /global/spend/reset": Route(global_reset, changes=True),
    "GET /global/activity": Route(activity),
    "GET /global/activity/model": Route(model_activity),
}
