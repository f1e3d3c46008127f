"""/user/*: people who hold keys, with a budget of their own over all of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from router.doors.management import keys, members, owners, teams
from router.doors.management.asked import (
    Asked,
    Route,
    changed,
    fields,
    page,
    shape,
    stored,
    wrong,
)
from router.errors import CallerError
from router.messages import JSON
from router.spending.register import User

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
    body = asked.body
    user = owners.new(router, asked, "user", User, teams=_teams(body.get("teams")))
    answer = told(router, user)
    if body.get("auto_create_key", True):
        named = ("key_alias", "duration", "models", "aliases", "key")
        own = {name: body[name] for name in named if body.get(name) is not None}
        made_key = keys.new(router, {**own, "user_id": user.user_id})
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
        raise CallerError(
            "key not allowed to access this user's info", status=403, kind="credential"
        )
    if not id:  # LiteLLM's answer to an administrator that names nobody
        everyone = [keys.told(router, key) for key in register.keys.values()]
        return {"user_id": None, "user_info": None, "keys": everyone, "teams": []}
    user = _meant(router, id)
    own = [
        team
        for team in register.teams.values()
        if team.team_id in user.teams
        or any(one.get("user_id") == id for one in team.members_with_roles)
    ]
    return {
        "user_id": id,
        "user_info": told(router, user),
        "keys": [keys.told(router, key) for key in register.of_user(id)],
        "teams": [teams.told(router, team) for team in own],
    }


def _meant(router: Router, id: str) -> User:
    return owners.meant(router, "user", id, User)


async def update(router: Router, asked: Asked) -> JSON:
    """One that there is not yet is made, as in LiteLLM."""
    if asked.needed("user_id") not in router.cashier.register.users:
        owners.new(router, asked, "user", User, teams=_teams(asked.body.get("teams")))
    user, values = _meant(router, asked.needed("user_id")), fields(asked.body, User)
    owners.named_budget(router, asked.body)
    if "teams" in values:
        values["teams"] = _teams(values["teams"])
    user = owners.put(router, "user", changed(user, values), asked.body)
    await stored(router)
    return {"user_id": user.user_id, "data": told(router, user)}


async def delete(router: Router, asked: Asked) -> int:
    """Their keys go with them."""
    users = [_meant(router, id) for id in asked.several("user_ids")]
    for user in users:
        for key in list(router.cashier.register.of_user(user.user_id)):
            keys.drop(router, key)
        for team in router.cashier.register.teams:
            members.drop(router, team, user.user_id)
        owners.drop(router, "user", user)
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
