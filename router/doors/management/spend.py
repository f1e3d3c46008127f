"""/spend/*, /global/spend*: what the ledger knows, in LiteLLM's shapes.

One rule: every figure is the ledger's own sum, in dollars; what has no known price adds nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from router.contract import RequestFilter, RequestView
from router.doors.management import keys, owners, users
from router.doors.management.asked import Asked, Route, dollars, iso, missing, stored, wrong
from router.doors.management.periods import (
    archive_of,
    date_of,
    limit,
    lines_of,
    points_of,
    span,
)
from router.messages import JSON
from router.spending.register import Key
from storage.readers import Archive

if TYPE_CHECKING:
    from router.service import Router
    from storage.costs import Grouping

#: rows of /spend/logs without a limit of its own
ROWS = 1_000


async def spend_logs(router: Router, asked: Asked) -> list[JSON]:
    """Rows, newest first; days where a span is asked for, as LiteLLM sums those up. A virtual key
    sees its own alone."""
    name = asked.one("api_key")
    key = asked.own or (router.cashier.register.meant(name) if name else None)
    if name and key is None:
        return []
    async with archive_of(router) as archive:
        if asked.one("start_date") and asked.one("summarize").lower() != "false":
            return await _days(router, asked, archive, key)
        if id := asked.one("request_id"):
            detail = await archive.request(id)
            found = [detail.request] if detail is not None else []
        else:
            since, until = span(router, asked) if asked.one("start_date") else (None, None)
            filter = RequestFilter(
                # what was before a key cannot be its own, and need not be looked at
                since=max(since or 0.0, key.created_at) if key is not None else since,
                until=until,
                key=key.name if key is not None else "",
                user=asked.one("user_id"),
            )
            found = await archive.requests(filter, limit(asked) or ROWS)
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
    since, until = span(router, asked)
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
            day = days.setdefault(date_of(point), {"spend": 0, "users": {}, "models": {}})
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
    since, until = span(router, asked)
    async with archive_of(router) as archive:
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
    lines = await lines_of(router, asked, "door", 3650)
    house = [one for one in router.cashier.views() if one.scope in ("house", "door")]
    bound = next((one.limit for one in house if one.limit is not None), None)
    return {
        "spend": dollars(sum(line.cost for line in lines)),
        "max_budget": None if bound is None else dollars(bound),
    }


async def global_logs(router: Router, asked: Asked) -> list[JSON]:
    """Spend by day; of one key where it is named."""
    name = asked.one("api_key")
    key = router.cashier.register.meant(name) if name else None
    points = await points_of(router, asked, "key" if name else None)
    return [
        {"date": date_of(point), "spend": dollars(point.line.cost)}
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
        for line in await lines_of(router, asked, "key")
        if line.name
    ]


async def global_end_users(router: Router, asked: Asked) -> list[JSON]:
    """Whom clients asked for (`user` in their bodies), the dearest hundred."""
    if asked.body.get("api_key"):
        raise wrong("api_key: these are summed over all keys", "api_key")
    bounds = {"start_date": asked.body.get("startTime"), "end_date": asked.body.get("endTime")}
    query = {name: [str(at)] for name, at in bounds.items() if at}
    found = await lines_of(router, asked._replace(query=query), "user")
    return [
        {"end_user": one.name, "total_count": one.requests, "total_spend": dollars(one.cost)}
        for one in found
    ][:100]


async def end_user_names(router: Router, asked: Asked) -> JSON:
    return {"end_users": [line.name for line in await lines_of(router, asked, "user", 3650)]}


async def global_models(router: Router, asked: Asked) -> list[JSON]:
    return [
        {"model": line.name.partition(",")[2], "total_spend": dollars(line.cost)}
        for line in await lines_of(router, asked, "model")
        if line.name
    ]


async def global_providers(router: Router, asked: Asked) -> list[JSON]:
    return [
        {"provider": line.name, "spend": dollars(line.cost)}
        for line in await lines_of(router, asked, "provider")
        if line.name
    ]


async def global_teams(router: Router, asked: Asked) -> JSON:
    names = {id: team.team_alias or id for id, team in router.cashier.register.teams.items()}
    days: dict[str, JSON] = {}
    sums: dict[str, int] = {}
    for point in await points_of(router, asked, "team"):
        if team := names.get(point.line.name, point.line.name):
            day = days.setdefault(date_of(point), {})
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
    for point in await points_of(router, asked, by):
        line = {name: point.line.name, "total_spend": dollars(point.line.cost), "metadata": []}
        days.setdefault(date_of(point), []).append(line)
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
    "POST /global/spend/end_users": Route(global_end_users),
    "GET /global/all_end_users": Route(end_user_names),
    "GET /global/spend/tags": Route(global_tags),
    "GET /global/spend/all_tag_names": Route(tag_names),
    "GET /global/spend/teams": Route(global_teams),
    "GET /global/spend/report": Route(global_report),
    "POST /global/spend/reset": Route(global_reset, changes=True),
}
