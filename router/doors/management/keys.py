"""/key/*: virtual keys, made, looked at, changed and taken back, in LiteLLM's shapes.

One rule: a key is told once, when it is made; after that only its hash and its last four letters.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import msgspec

from router.doors.management import members, owners
from router.doors.management.asked import (
    ADMIN,
    Asked,
    Route,
    changed,
    fields,
    iso,
    made,
    missing,
    page,
    shape,
    stored,
    with_spend,
    wrong,
)
from router.messages import JSON
from router.spending.period import parse
from router.spending.register import LONGEST, Key, hashed, new_key, shortened

if TYPE_CHECKING:
    from router.service import Router

#: characters of a key that an administrator chooses
SHORTEST = 8
_OWN = ("token", "name", "key_name")


def told(router: Router, key: Key) -> JSON:
    """All that may be known of a key."""
    return {
        "token": key.token,
        "key_name": key.key_name,
        "key_alias": key.key_alias,
        "user_id": key.user_id,
        "team_id": key.team_id,
        "expires": iso(key.expires),
        "aliases": key.aliases,
        "allowed_routes": key.allowed_routes,
        "permissions": {},
        "config": {},
        **shape(router, "key", key.name, key),
    }


async def generate(router: Router, asked: Asked) -> JSON:
    found = new(router, asked.body)
    await stored(router)
    return found


def new(router: Router, body: JSON) -> JSON:
    """Makes a key and answers with it, as LiteLLM does. Raises CallerError."""
    register, at = router.cashier.register, router.wall()
    secret = body.get("key") or new_key()
    if not isinstance(secret, str) or not secret.startswith("sk-"):
        raise wrong("Invalid key format. LiteLLM Virtual Key must start with 'sk-'.", "key")
    if not SHORTEST <= len(secret) <= LONGEST or not secret.isascii() or " " in secret:
        raise wrong(f"key: should have {SHORTEST} to {LONGEST} characters, and no spaces", "key")
    token = hashed(secret)
    if token in register.keys:
        raise wrong("key: there is one like this already", "key")
    _check(router, body)
    values = {name: value for name, value in fields(body, Key).items() if name not in _OWN}
    key = made(
        {
            **values,
            "token": token,
            "name": register.free_name(token),
            "key_name": shortened(secret),
            "expires": _expires(body, at),
            "created_at": at,
            "updated_at": at,
            "created_by": ADMIN,
        },
        Key,
    )
    register.put("key", token, key)
    router.cashier.open("key", key.name, key)
    if body.get("spend"):
        key = with_spend(router, "key", key.name, key, body)
        register.put("key", token, key)
    router.log.info("keys", f"{key.name} was made")
    return {"key": secret, **told(router, key), "token_id": token, "litellm_budget_table": None}


def _check(router: Router, body: JSON, before: Key | None = None) -> None:
    """What a key points to must be there, and its alias must be its own."""
    register = router.cashier.register
    for name in ("user_id", "team_id", "key_alias", "budget_id"):
        value = body.get(name)
        if value is not None and (not isinstance(value, str) or len(value) > LONGEST):
            raise wrong(f"{name}: should be a text of at most {LONGEST} characters", name)
    team = body.get("team_id")
    if team and team not in register.teams:
        raise missing(f"Team doesn't exist in db. Team={team}. Create team via `/team/new` call.")
    owners.named_budget(router, body)
    alias = body.get("key_alias")
    others = [key for key in register.keys.values() if key is not before]
    if alias and any(key.key_alias == alias for key in others):
        raise wrong(
            f"Key with alias '{alias}' already exists. Unique key aliases across all keys are"
            " required.",
            "key_alias",
        )


def _expires(body: JSON, at: float) -> float | None:
    duration = body.get("duration")
    if duration in (None, "", "-1", "never"):
        return None
    try:
        return _later(str(duration), at)
    except ValueError as error:
        raise wrong(f"duration: {error}", "duration") from None


def _later(duration: str, at: float) -> float | None:
    """A key lives to the second, not to the quarter hour."""
    period = parse(duration)
    return at + period.seconds if period.seconds else period.window(at, at)[1]


def _meant(router: Router, asked: Asked, name: str) -> Key:
    """The key that is named: itself, or its hash."""
    key = router.cashier.register.meant(name) if name else None
    if key is None:
        raise missing(f"Key not found in database: {shortened(name) if name else 'none was named'}")
    if asked.own is not None and asked.own.token != key.token:
        raise missing("Key not found in database")
    return key


async def info(router: Router, asked: Asked) -> JSON:
    name = asked.one("key")
    key = _meant(router, asked, name or (asked.own.token if asked.own else asked.shown))
    return {"key": name or key.token, "info": told(router, key)}


async def infos(router: Router, asked: Asked) -> JSON:
    keys = asked.several("keys")
    return {"key": keys, "info": [told(router, _meant(router, asked, key)) for key in keys]}


async def update(router: Router, asked: Asked) -> JSON:
    body = asked.body
    key = _meant(router, asked, asked.needed("key"))
    _check(router, body, key)
    values = {name: value for name, value in fields(body, Key).items() if name not in _OWN}
    at = router.wall()
    if "duration" in body:
        values["expires"] = _expires(body, at)
    after = changed(key, {**values, "updated_at": at})
    put(router, after, body)
    members.moved(router, key, after)
    await stored(router)
    now = router.cashier.register.keys[key.token]
    return {"key": body["key"], **told(router, now)}


def put(router: Router, key: Key, body: JSON) -> None:
    router.cashier.register.put("key", key.token, key)
    router.cashier.open("key", key.name, key)
    if body.get("spend") is not None:
        key = with_spend(router, "key", key.name, key, body)
        router.cashier.register.put("key", key.token, key)


async def delete(router: Router, asked: Asked) -> JSON:
    register = router.cashier.register
    named, aliases = asked.several("keys"), asked.several("key_aliases")
    keys = [(name, _meant(router, asked, name)) for name in named]
    for alias in aliases:
        found = next((key for key in register.keys.values() if key.key_alias == alias), None)
        if found is None:
            raise missing(f"Key not found in database: {alias}")
        keys.append((alias, found))
    if not keys:
        raise wrong("name the keys to delete: keys, or key_aliases", "keys")
    for _, key in keys:
        drop(router, key)
    await stored(router)
    return {"deleted_keys": [name for name, _ in keys]}


def drop(router: Router, key: Key) -> None:
    members.leaves(router, key)
    router.cashier.register.drop("key", key.token)
    router.cashier.close("key", key.name)
    router.log.info("keys", f"{key.name} was deleted")


async def listed(router: Router, asked: Asked) -> JSON:
    wanted = {
        name: asked.one(name) for name in ("user_id", "team_id", "key_alias") if asked.one(name)
    }
    keys = [
        key
        for key in router.cashier.register.keys.values()
        if all(getattr(key, name) == value for name, value in wanted.items())
        and asked.one("key_hash") in ("", key.token)
    ]
    keys.sort(key=lambda key: -key.created_at)
    number, size, pages = page(asked, len(keys))
    some = keys[(number - 1) * size : number * size]
    full = asked.one("return_full_object").lower() == "true"
    return {
        "keys": [told(router, key) if full else key.token for key in some],
        "total_count": len(keys),
        "current_page": number,
        "total_pages": pages,
    }


async def block(router: Router, asked: Asked) -> JSON:
    return await _blocked(router, asked, blocked=True)


async def unblock(router: Router, asked: Asked) -> JSON:
    return await _blocked(router, asked, blocked=False)


async def _blocked(router: Router, asked: Asked, *, blocked: bool) -> JSON:
    key = _meant(router, asked, asked.needed("key"))
    key = msgspec.structs.replace(key, blocked=blocked, updated_at=router.wall())
    router.cashier.register.put("key", key.token, key)
    router.log.info("keys", f"{key.name} was {'blocked' if blocked else 'unblocked'}")
    await stored(router)
    return told(router, key)


async def regenerate(router: Router, asked: Asked) -> JSON:
    """Another secret for the same key: what it has spent, and its name in the ledger, stay."""
    name = asked.names.get("key") or asked.needed("key")
    key, register, at = _meant(router, asked, name), router.cashier.register, router.wall()
    body = {field: value for field, value in asked.body.items() if field not in ("key", "new_key")}
    _check(router, body, key)
    secret = asked.body.get("new_key") or new_key()
    if not isinstance(secret, str) or not secret.startswith("sk-") or len(secret) < SHORTEST:
        raise wrong("new_key: should start with 'sk-'", "new_key")
    values = {field: value for field, value in fields(body, Key).items() if field not in _OWN}
    if "duration" in body:
        values["expires"] = _expires(body, at)
    values |= {"token": hashed(secret), "key_name": shortened(secret), "updated_at": at}
    again = changed(key, values)
    put(router, again, body)
    register.drop("key", key.token)
    router.log.info("keys", f"{key.name} has a new secret")
    await stored(router)
    return {"key": secret, **told(router, again), "token_id": again.token}


async def reset_spend(router: Router, asked: Asked) -> JSON:
    key = _meant(router, asked, asked.names["key"])
    reset = asked.body.get("reset_to", 0)
    if isinstance(reset, bool) or not isinstance(reset, int | float) or not math.isfinite(reset):
        raise wrong("reset_to: should be dollars", "reset_to")
    put(router, key, {"spend": reset})
    await stored(router)
    return told(router, router.cashier.register.keys[key.token])


async def health(router: Router, asked: Asked) -> JSON:
    return {"key": "healthy", "logging_callbacks": None}


ROUTES: dict[str, Route] = {
    "POST /key/generate": Route(generate, changes=True),
    "POST /key/service-account/generate": Route(generate, changes=True),
    "GET /key/info": Route(info, anyone=True),
    "POST /v2/key/info": Route(infos, anyone=True),
    "POST /key/update": Route(update, changes=True),
    "POST /key/delete": Route(delete, changes=True),
    "GET /key/list": Route(listed),
    "POST /key/block": Route(block, changes=True),
    "POST /key/unblock": Route(unblock, changes=True),
    "POST /key/regenerate": Route(regenerate, changes=True),
    "POST /key/{key}/regenerate": Route(regenerate, changes=True),
    "POST /key/{key}/reset_spend": Route(reset_spend, changes=True),
    "POST /key/health": Route(health, anyone=True),
}
