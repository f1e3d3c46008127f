"""/user/*: people who hold keys, with a budget of their own over all of them."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

from router.doors.management import keys
from router.doors.management.asked import (
    ADMIN,
    Asked,
    Route,
    changed,
    fields,
    made,
    missing,
    page,
    shape,
    stored,
    with_spend,
    wrong,
)
from router.messages import JSON
from router.spending.register import LONGEST, User

if TYPE_CHECKING:
    from router.service import Router


def told(router: Router, user: User) -> JSON:
    return {
        "user_id": user.user_id,
        "user_email": user.user_email,
        "user_alias": user.user_alias,
        "user_role": user.user_role,
        "teams": user.teams,
        **shape(router, "user", user.user_id, user),
    }


async def new(router: Router, asked: Asked) -> JSON:
    register, body, at = router.cashier.register, asked.body, router.wall()
    id = body.get("user_id") or str(uuid.uuid4())
    if not isinstance(id, str) or len(id) > LONGEST:
        raise wrong(f"user_id: should be a text of at most {LONGEST} characters", "user_id")
    if id in register.users:
        raise wrong(f"User with id {id} already exists", "user_id")
    values = fields(body, User) | {"user_id": id, "created_at": at, "updated_at": at}
    values["teams"] = _teams(body.get("teams"))
    user = made({**values, "created_by": ADMIN}, User)
    register.put("user", id, user)
    router.cashier.open("user", id, user)
    if body.get("spend"):
        register.put("user", id, with_spend(router, "user", id, user, body))
    answer = told(router, register.users[id])
    if body.get("auto_create_key", True):
        named = ("key_alias", "duration", "models", "aliases", "key")
        own = {name: body[name] for name in named if body.get(name) is not None}
        made_key = keys.new(router, {**own, "user_id": id})
        answer |= {name: made_key[name] for name in ("key", "token", "key_name", "expires")}
    await stored(router)
    return answer


def _teams(value: Any) -> list[str]:
    """LiteLLM takes ids, and objects with one."""
    if value is None:
        return []
    found = [one.get("team_id") if isinstance(one, dict) else one for one in value]
    named = [one for one in found if isinstance(one, str)]
    if len(named) < len(found):
        raise wrong("teams: should be a list of team ids", "teams")
    return named


async def info(router: Router, asked: Asked) -> JSON:
    register = router.cashier.register
    id = asked.one("user_id") or (asked.own.user_id if asked.own else "") or ""
    if asked.own is not None and id != asked.own.user_id:
        raise missing("User not found in database")
    if not id:  # LiteLLM's answer to an administrator that names nobody
        everyone = [keys.told(router, key) for key in register.keys.values()]
        return {"user_id": None, "user_info": None, "keys": everyone, "teams": []}
    user = _meant(router, id)
    teams = [register.teams[team].team_id for team in user.teams if team in register.teams]
    return {
        "user_id": id,
        "user_info": told(router, user),
        "keys": [keys.told(router, key) for key in register.of_user(id)],
        "teams": [{"team_id": team} for team in teams],
    }


def _meant(router: Router, id: str) -> User:
    user = router.cashier.register.users.get(id)
    if user is None:
        raise missing(f"User {id[:LONGEST]} not found")
    return user


async def update(router: Router, asked: Asked) -> JSON:
    user, body = _meant(router, asked.needed("user_id")), asked.body
    values = fields(body, User) | {"updated_at": router.wall()}
    if "teams" in values:
        values["teams"] = _teams(values["teams"])
    put(router, changed(user, values), body)
    await stored(router)
    now = told(router, router.cashier.register.users[user.user_id])
    return {"user_id": user.user_id, "data": now}


def put(router: Router, user: User, body: JSON) -> None:
    router.cashier.open("user", user.user_id, user)
    user = with_spend(router, "user", user.user_id, user, body)
    router.cashier.register.put("user", user.user_id, user)


async def delete(router: Router, asked: Asked) -> int:
    """Their keys go with them."""
    register = router.cashier.register
    users = [_meant(router, id) for id in asked.several("user_ids")]
    for user in users:
        for key in list(register.of_user(user.user_id)):
            keys.drop(router, key)
        register.drop("user", user.user_id)
        router.cashier.close("user", user.user_id)
    await stored(router)
    return len(users)


async def listed(router: Router, asked: Asked) -> JSON:
    users = sorted(router.cashier.register.users.values(), key=lambda user: -user.created_at)
    if wanted := asked.one("user_ids"):
        users = [user for user in users if user.user_id in wanted.split(",")]
    if role := asked.one("role"):
        users = [user for user in users if user.user_role == role]
    number, size, pages = page(asked, len(users), 25)
    return {
        "users": [told(router, user) for user in users[(number - 1) * size : number * size]],
        "total": len(users),
        "page": number,
        "page_size": size,
        "total_pages": pages,
    }


ROUTES: dict[str, Route] = {
    "POST /user/new": Route(new, changes=True),
    "GET /user/info": Route(info, anyone=True),
    "POST /user/update": Route(update, changes=True),
    "POST /user/delete": Route(delete, changes=True),
    "GET /user/list": Route(listed),
    "GET /user/get_users": Route(listed),
}
