"""/team/*: keys that share a budget, rates and a list of models."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

import msgspec

from router.doors.management import keys
from router.doors.management.asked import (
    ADMIN,
    Asked,
    Route,
    changed,
    fields,
    made,
    missing,
    shape,
    stored,
    with_spend,
    wrong,
)
from router.messages import JSON
from router.spending.register import LONGEST, Team

if TYPE_CHECKING:
    from router.service import Router


def told(router: Router, team: Team) -> JSON:
    return {
        "team_id": team.team_id,
        "team_alias": team.team_alias,
        "organization_id": team.organization_id,
        "members_with_roles": team.members_with_roles,
        "members": [],
        "admins": [],
        **shape(router, "team", team.team_id, team),
    }


async def new(router: Router, asked: Asked) -> JSON:
    register, body, at = router.cashier.register, asked.body, router.wall()
    id = body.get("team_id") or str(uuid.uuid4())
    if not isinstance(id, str) or len(id) > LONGEST:
        raise wrong(f"team_id: should be a text of at most {LONGEST} characters", "team_id")
    if id in register.teams:
        raise wrong(f"Team id = {id} already exists. Please use a different team id.", "team_id")
    values = fields(body, Team) | {"team_id": id, "created_at": at, "updated_at": at}
    team = made({**values, "created_by": ADMIN}, Team)
    register.put("team", id, team)
    router.cashier.open("team", id, team)
    await stored(router)
    return told(router, team)


def _meant(router: Router, id: str) -> Team:
    team = router.cashier.register.teams.get(id)
    if team is None:
        raise missing(f"Team not found, passed team_id={id[:LONGEST]}")
    return team


async def info(router: Router, asked: Asked) -> JSON:
    id = asked.one("team_id") or (asked.own.team_id if asked.own else "") or ""
    if asked.own is not None and id != asked.own.team_id:
        raise missing(f"Team not found, passed team_id={id[:LONGEST]}")
    team = _meant(router, id)
    return {
        "team_id": id,
        "team_info": told(router, team),
        "keys": [keys.told(router, key) for key in router.cashier.register.of_team(id)],
        "team_memberships": [],
    }


async def listed(router: Router, asked: Asked) -> list[JSON]:
    register = router.cashier.register
    teams = [
        {**told(router, team), "keys": [keys.told(router, key) for key in register.of_team(id)]}
        for id, team in register.teams.items()
    ]
    if user := asked.one("user_id"):
        teams = [
            team
            for team in teams
            if any(one.get("user_id") == user for one in team["members_with_roles"])
        ]
    return teams


async def update(router: Router, asked: Asked) -> JSON:
    team = _meant(router, asked.needed("team_id"))
    await _put(router, changed(team, fields(asked.body, Team)), asked.body)
    now = told(router, router.cashier.register.teams[team.team_id])
    return {"team_id": team.team_id, "data": now}


async def _put(router: Router, team: Team, body: JSON) -> None:
    team = msgspec.structs.replace(team, updated_at=router.wall())
    router.cashier.open("team", team.team_id, team)
    team = with_spend(router, "team", team.team_id, team, body)
    router.cashier.register.put("team", team.team_id, team)
    await stored(router)


async def delete(router: Router, asked: Asked) -> JSON:
    """Its keys go with it, as in LiteLLM."""
    register = router.cashier.register
    teams = [_meant(router, id) for id in asked.several("team_ids")]
    for team in teams:
        for key in list(register.of_team(team.team_id)):
            keys.drop(router, key)
        register.drop("team", team.team_id)
        router.cashier.close("team", team.team_id)
    await stored(router)
    return {"deleted_teams": [team.team_id for team in teams]}


async def member_add(router: Router, asked: Asked) -> JSON:
    team, told_of = _meant(router, asked.needed("team_id")), asked.body.get("member")
    members: list[Any] = told_of if isinstance(told_of, list) else [told_of]
    for member in members:
        if not isinstance(member, dict) or not (member.get("user_id") or member.get("user_email")):
            raise wrong("member: should have a user_id, or a user_email, and a role", "member")
    ids = {one.get("user_id") for one in members}
    kept = [one for one in team.members_with_roles if one.get("user_id") not in ids]
    await _put(router, changed(team, {"members_with_roles": [*kept, *members]}), {})
    now = told(router, router.cashier.register.teams[team.team_id])
    return {**now, "updated_users": [], "updated_team_memberships": []}


async def member_delete(router: Router, asked: Asked) -> JSON:
    team = _meant(router, asked.needed("team_id"))
    gone = (asked.body.get("user_id"), asked.body.get("user_email"))
    kept = [
        one
        for one in team.members_with_roles
        if (one.get("user_id") or "") != gone[0] and (one.get("user_email") or "") != gone[1]
    ]
    await _put(router, changed(team, {"members_with_roles": kept}), {})
    return told(router, router.cashier.register.teams[team.team_id])


async def block(router: Router, asked: Asked) -> JSON:
    return await _blocked(router, asked, blocked=True)


async def unblock(router: Router, asked: Asked) -> JSON:
    return await _blocked(router, asked, blocked=False)


async def _blocked(router: Router, asked: Asked, *, blocked: bool) -> JSON:
    team = _meant(router, asked.needed("team_id"))
    await _put(router, msgspec.structs.replace(team, blocked=blocked), {})
    return told(router, router.cashier.register.teams[team.team_id])


ROUTES: dict[str, Route] = {
    "POST /team/new": Route(new, changes=True),
    "GET /team/info": Route(info, anyone=True),
    "GET /team/list": Route(listed),
    "POST /team/update": Route(update, changes=True),
    "POST /team/delete": Route(delete, changes=True),
    "POST /team/member_add": Route(member_add, changes=True),
    "POST /team/member_delete": Route(member_delete, changes=True),
    "POST /team/block": Route(block, changes=True),
    "POST /team/unblock": Route(unblock, changes=True),
}
