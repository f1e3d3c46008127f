"""/organization/*: teams that share a budget, rates and a list of models.

One rule: what an organization has spent is what its teams have.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from router.doors.management import owners, teams
from router.doors.management.asked import (
    ADMIN,
    Asked,
    Route,
    changed,
    fields,
    shape,
    stored,
    wrong,
)
from router.messages import JSON
from router.spending.register import Organization

if TYPE_CHECKING:
    from router.service import Router

_LIMITS = ("max_budget", "soft_budget", "budget_duration", "budget_reset_at", "tpm_limit")


def told(router: Router, organization: Organization) -> JSON:
    id = organization.organization_id
    own: JSON = shape(router, "organization", id, organization)
    own["budget_id"] = own["budget_id"] or id  # LiteLLM's every organization has a budget's row
    return {
        **own,
        "organization_id": id,
        "organization_alias": organization.organization_alias,
        "updated_by": ADMIN,
        "users": None,
        "litellm_budget_table": {
            **{name: own[name] for name in (*_LIMITS, "rpm_limit", "max_parallel_requests")},
            "budget_id": own["budget_id"],
        },
    }


def _whole(router: Router, organization: Organization) -> JSON:
    id, register = organization.organization_id, router.cashier.register
    at = told(router, organization)
    members = [
        {
            "user_id": one.get("user_id") or one.get("user_email"),
            "organization_id": id,
            "user_role": one.get("role"),
            "spend": 0.0,
            "created_at": at["created_at"],
            "updated_at": at["updated_at"],
        }
        for one in organization.members
    ]
    own = [one for one in register.teams.values() if one.organization_id == id]
    return {**at, "members": members, "teams": [teams.told(router, team) for team in own]}


def _meant(router: Router, id: str) -> Organization:
    return owners.meant(router, "organization", id, Organization)


async def new(router: Router, asked: Asked) -> JSON:
    asked.needed("organization_alias")
    organization = owners.new(router, asked, "organization", Organization)
    await stored(router)
    return told(router, organization)


async def info(router: Router, asked: Asked) -> JSON:
    return _whole(router, _meant(router, asked.one("organization_id")))


async def infos(router: Router, asked: Asked) -> list[JSON]:
    ids = asked.several("organizations")
    if not ids:
        raise wrong("Specify list of organization id's to query. Passed in=[]", "organizations")
    return [_whole(router, _meant(router, id)) for id in ids]


async def listed(router: Router, asked: Asked) -> list[JSON]:
    wanted, alias = asked.one("org_id"), asked.one("org_alias").casefold()
    return [
        _whole(router, one)
        for id, one in router.cashier.register.organizations.items()
        if wanted in ("", id) and alias in (one.organization_alias or "").casefold()
    ]


async def update(router: Router, asked: Asked) -> JSON:
    organization = _meant(router, asked.needed("organization_id"))
    owners.named_budget(router, asked.body)
    organization = changed(organization, fields(asked.body, Organization))
    organization = owners.put(router, "organization", organization, asked.body)
    await stored(router)
    return _whole(router, organization)


async def delete(router: Router, asked: Asked) -> list[JSON]:
    """Its teams stay, and belong to none."""
    gone = [_meant(router, id) for id in asked.several("organization_ids")]
    answer = [_whole(router, one) for one in gone]
    for one in gone:
        for team in list(router.cashier.register.teams.values()):
            if team.organization_id == one.organization_id:
                owners.put(router, "team", changed(team, {"organization_id": None}), {})
        owners.drop(router, "organization", one)
    await stored(router)
    return answer


async def member_add(router: Router, asked: Asked) -> JSON:
    organization = _meant(router, asked.needed("organization_id"))
    members = owners.joined(router, organization.members, asked)
    now = _whole(router, await _with(router, organization, members))
    return {
        "organization_id": organization.organization_id,
        "updated_users": [],
        "updated_organization_memberships": now["members"],
    }


async def member_delete(router: Router, asked: Asked) -> JSON:
    organization = _meant(router, asked.needed("organization_id"))
    members = owners.parted(organization.members, asked)
    return _whole(router, await _with(router, organization, members))


async def _with(router: Router, organization: Organization, members: list[JSON]) -> Organization:
    organization = changed(organization, {"members": members})
    organization = owners.put(router, "organization", organization, {})
    await stored(router)
    return organization


ROUTES: dict[str, Route] = {
    "POST /organization/new": Route(new, changes=True),
    "GET /organization/info": Route(info),
    "POST /organization/info": Route(infos),
    "GET /organization/list": Route(listed),
    "PATCH /organization/update": Route(update, changes=True),
    "DELETE /organization/delete": Route(delete, changes=True),
    "POST /organization/member_add": Route(member_add, changes=True),
    "DELETE /organization/member_delete": Route(member_delete, changes=True),
}
