"""LiteLLM's management API: one file per family, each a table of "METHOD path" and what answers it.

One rule: who may do what is decided here. The master key may do everything; a virtual key may look
at itself and use what spends nothing; without a master key nobody may change anything, since keys
protect nothing where none is asked for.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import msgspec

from router.call import Call
from router.caller import admitted
from router.doors.management import (
    activity,
    budgets,
    cache,
    customers,
    keys,
    models,
    organizations,
    spend,
    teams,
    users,
    utilities,
)
from router.doors.management.asked import Asked, Route
from router.errors import CallerError
from router.guards.body import read_body
from router.messages import JSON
from router.spending.register import Key

if TYPE_CHECKING:
    from router.service import Router

_FIXED: dict[str, Route] = {}
_MATCHED: list[tuple[re.Pattern[str], Route]] = []
for _family in (
    *(keys, users, teams, customers, organizations, budgets),
    *(models, spend, activity, utilities, cache),
):
    for _name, _route in _family.ROUTES.items():
        if "{" in _name:
            _MATCHED.append((re.compile(re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", _name)), _route))
        else:
            _FIXED[_name] = _route


def find(method: str, path: str) -> tuple[Route, dict[str, str]] | None:
    """What answers a path, and the parts of it that are names."""
    name = f"{method} {path}"
    if (route := _FIXED.get(name)) is not None:
        return route, {}
    for pattern, route in _MATCHED:
        if found := pattern.fullmatch(name):
            return route, found.groupdict()
    return None


async def serve(router: Router, call: Call, route: Route, names: dict[str, str]) -> None:
    """`call` has shown a key where one is needed. Raises CallerError."""
    shown = call.key
    locked = bool(router.generation.litellm.keys)
    admin = not locked or admitted(shown, router.generation.litellm.keys)
    if route.changes and not locked:
        raise CallerError(
            "set general_settings.master_key (or [litellm] keys in pointsman.toml) first: without"
            " it no key is asked for, and this would protect nothing",
            status=403,
            kind="credential",
            code="auth_error",
        )
    own = None if admin else router.cashier.find(shown)
    if own is not None and _administers(router, own):
        own, admin = None, True
    if not admin and (own is None or not route.anyone):
        raise CallerError(
            "Authentication Error, Only proxy admin can be used to generate, delete, update info"
            f" for new keys/users/teams. Route={call.path}. Your role=internal_user",
            status=401,
            kind="credential",
            code="auth_error",
        )
    asked = Asked(await _body(router, call), call.query, names, own, shown, call)
    await call.json(200, await route.answer(router, asked))


def _administers(router: Router, key: Key) -> bool:
    """Whether it is the key of a user whom the master key has made an administrator."""
    user = router.cashier.register.users.get(key.user_id or "")
    return user is not None and user.user_role == "proxy_admin"


async def _body(router: Router, call: Call) -> JSON:
    """Of a request that changes or asks with one; {} where it has none."""
    if call.method in ("GET", "HEAD"):
        return {}
    raw = await read_body(call, router.generation.limits)
    if not raw.strip():
        return {}
    try:
        body = msgspec.json.decode(raw)
    except (msgspec.DecodeError, RecursionError) as error:
        raise CallerError(f"the body is no JSON: {error}", code="bad_request_error") from None
    if not isinstance(body, dict):
        raise CallerError("the body should be a JSON object", code="bad_request_error")
    return body
