"""/team/*: keys that share a budget, rates and a list of models."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from router.doors.management import keys, members, owners
from router.doors.management.asked import (
    ADMIN,
    Asked,
    Route,
    changed,
    fields,
    promised,
    shape,
    stored,
)
from router.messages import JSON
from router.spending.register import Team

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
        "model_aliases": team.model_aliases,
        **shape(router, "team", team.team_id, team),
    }


def _meant(router: Router, id: str) -> Team:
    return owners.meant(router, "team", id, Team)


async def new(router: Router, asked: Asked) -> JSON:
    told_of = [*(asked.body.get("members_with_roles") or []), {"role": "admin", "user_id": ADMIN}]
    first = owners.joined(router, [], asked._replace(body={"member": told_of}))
    team = owners.new(router, asked, "team", Team, members_with_roles=first)
    _regroup(router, team.organization_id)
    await stored(router)
    return told(router, team)


def _regroup(router: Router, *organizations: str | None) -> None:
    """An organization's money is that of the teams it has now."""
    if any(organizations):
        router.cashier.accounts.reread()


async def info(router: Router, asked: Asked) -> JSON:
    id = asked.one("team_id") or (asked.own.team_id if asked.own else "") or ""
    if asked.own is not None and id != asked.own.team_id:
        raise owners.absent("team", id)
    team = _meant(router, id)
    return {
        "team_id": id,
        "team_info": told(router, team),
        "keys": [keys.told(router, key) for key in router.cashier.register.of_team(id)],
        "team_memberships": [members.told(router, one) for one in members.of_team(router, id)],
    }


async def listed(router: Router, asked: Asked) -> list[JSON]:
    register, user = router.cashier.register, asked.one("user_id")
    return [
        {**told(router, team), "keys": [keys.told(router, key) for key in register.of_team(id)]}
        for id, team in register.teams.items()
        if not user or any(one.get("user_id") == user for one in team.members_with_roles)
    ]


async def update(router: Router, asked: Asked) -> JSON:
    before = _meant(router, asked.needed("team_id"))
    owners.named_budget(router, asked.body)
    team = changed(before, fields(asked.body, Team))
    now = await _put(router, team, asked.body)
    if team.organization_id != before.organization_id:
        _regroup(router, team.organization_id, before.organization_id)
    return {"team_id": team.team_id, "data": now}


async def _put(router: Router, team: Team, body: JSON) -> JSON:
    team = owners.put(router, "team", team, body)
    await stored(router)
    return told(router, team)


async def delete(router: Router, asked: Asked) -> JSON:
    """Its keys go with it, as in LiteLLM."""
    teams = [_meant(router, id) for id in asked.several("team_ids")]
    for team in teams:
        for key in list(router.cashier.register.of_team(team.team_id)):
            keys.drop(router, key)
        for member in members.of_team(router, team.team_id):
            members.drop(router, team.team_id, member.user_id)
        owners.drop(router, "team", team)
        _regroup(router, team.organization_id)
    await stored(router)
    return {"deleted_teams": [team.team_id for team in teams]}


async def member_add(router: Router, asked: Asked) -> JSON:
    promised(asked.body)
    team = _meant(router, asked.needed("team_id"))
    joined = owners.joined(router, team.members_with_roles, asked)
    told_of = asked.body.get("member")
    count = len(told_of) if isinstance(told_of, list) else 1
    users = [one["user_id"] for one in joined[-count:] if one["user_id"]]
    members.bound(router, team, users, asked.body)
    now = await _put(router, changed(team, {"members_with_roles": joined}), {})
    bounds = [one for one in members.of_team(router, team.team_id) if one.user_id in users]
    return {
        **now,
        "updated_users": [],
        "updated_team_memberships": [members.told(router, one) for one in bounds],
    }


async def member_update(router: Router, asked: Asked) -> JSON:
    promised(asked.body)
    team = _meant(router, asked.needed("team_id"))
    user = members.meant(team, asked)
    members.bound(router, team, [user], asked.body)
    if role := asked.body.get("role"):
        roles = [
            {**one, "role": role} if one.get("user_id") == user else one
            for one in team.members_with_roles
        ]
        owners.put(router, "team", changed(team, {"members_with_roles": roles}), {})
    await stored(router)
    return {
        "team_id": team.team_id,
        "user_id": user,
        "user_email": asked.body.get("user_email"),
        **{name: asked.body.get(name) for name in members.FIELDS},
    }


async def member_delete(router: Router, asked: Asked) -> JSON:
    team = _meant(router, asked.needed("team_id"))
    left = owners.parted(team.members_with_roles, asked)
    for one in team.members_with_roles:
        if one not in left and one.get("user_id"):
            members.drop(router, team.team_id, one["user_id"])
    return await _put(router, changed(team, {"members_with_roles": left}), {})


async def block(router: Router, asked: Asked) -> JSON:
    return await _blocked(router, asked, blocked=True)


async def unblock(router: Router, asked: Asked) -> JSON:
    return await _blocked(router, asked, blocked=False)


async def _blocked(router: Router, asked: Asked, *, blocked: bool) -> JSON:
    team = _meant(router, asked.needed("team_id"))
    return await _put(router, msgspec.structs.replace(team, blocked=blocked), {})


ROUTES: dict[str, Route] = {
    "POST /team/new": Route(new, changes=True),
    "GET /team/info": Route(info, anyone=True),
    "GET /team/list": Route(listed),
    "POST /team/update": Route(update, changes=True),
    "POST /team/delete": Route(delete, changes=True),
    "POST /team/member_add": Route(member_add, changes=True),
    "POST /team/member_update": Route(member_update, changes=True),
    "POST /team/member_delete": Route(member_delete, changes=True),
    "POST /team/block": Route(block, changes=True),
    "POST /team/unblock": Route(unblock, changes=True),
}
