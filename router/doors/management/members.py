"""Members of a team, each with a bound of their own inside it: LiteLLM's `max_budget_in_team`.

One rule: what a member spends is what the keys spend that are theirs in that team; a key that is
deleted leaves its spend with them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from router.doors.management.asked import (
    ADMIN,
    Asked,
    changed,
    dollars,
    iso,
    made,
    missing,
    wrong,
)
from router.messages import JSON
from router.spending.register import Key, Member, Team, member_name

if TYPE_CHECKING:
    from router.service import Router

#: LiteLLM's fields of a member → ours
FIELDS = {
    "max_budget_in_team": "max_budget",
    "budget_duration": "budget_duration",
    "allowed_models": "models",
    "tpm_limit": "tpm_limit",
    "rpm_limit": "rpm_limit",
}


def bound(router: Router, team: Team, users: list[str], body: JSON) -> None:
    """Puts what a body says of a member in force, for each of `users`. Raises CallerError."""
    values = {ours: body[theirs] for theirs, ours in FIELDS.items() if theirs in body}
    if values.get("models", ()) is None:
        values["models"] = []
    register, at = router.cashier.register, router.wall()
    for user in users:
        name = member_name(team.team_id, user)
        own = {"team_id": team.team_id, "user_id": user, "created_by": ADMIN, "created_at": at}
        before = register.members.get(name)
        if before is None and not any(value is not None for value in values.values()):
            continue
        member = changed(before, values) if before else made({**own, **values}, Member)
        member = msgspec.structs.replace(member, updated_at=at)
        register.put("member", name, member)
        router.cashier.open("member", name, member)


def drop(router: Router, team_id: str, user_id: str) -> None:
    name = member_name(team_id, user_id)
    if name in router.cashier.register.members:
        router.cashier.register.drop("member", name)
        router.cashier.close("member", name)


def of_team(router: Router, team_id: str) -> list[Member]:
    return [one for one in router.cashier.register.members.values() if one.team_id == team_id]


def told(router: Router, member: Member) -> JSON:
    """A row of LiteLLM_TeamMembership."""
    account = router.cashier.account("member", member_name(member.team_id, member.user_id))
    return {
        "user_id": member.user_id,
        "team_id": member.team_id,
        "budget_id": None,
        "spend": dollars(account.spent) if account is not None else 0.0,
        "allowed_models": member.models,
        "litellm_budget_table": {
            "max_budget": member.max_budget,
            "budget_duration": member.budget_duration,
            "budget_reset_at": iso(account.until) if account is not None else None,
            "tpm_limit": member.tpm_limit,
            "rpm_limit": member.rpm_limit,
        },
    }


def meant(team: Team, asked: Asked) -> str:
    """The user whom a body names, by id or address. Raises CallerError."""
    id, email = asked.body.get("user_id"), asked.body.get("user_email")
    if not id and not email:
        raise wrong("user_id: name the member, or their user_email", "user_id")
    for one in team.members_with_roles:
        if one.get("user_id") and (one["user_id"] == id or (email and one["user_email"] == email)):
            return str(one["user_id"])
    raise missing(f"User={str(id or email)[:200]} not found in team={team.team_id}")


def leaves(router: Router, key: Key) -> None:
    """What a key has spent stays with its member, before it is deleted."""
    register = router.cashier.register
    name = key.member
    member, account = register.members.get(name), router.cashier.account("member", name)
    if member is None or account is None:
        return
    spent = router.cashier.accounts.spent_by(key.name, account.start)
    opened = member.opened if member.opened_at >= account.start else 0
    member = msgspec.structs.replace(member, opened=opened + spent, opened_at=router.wall())
    register.put("member", name, member)


def moved(router: Router, before: Key, after: Key) -> None:
    """A key that is another's now takes its spend along."""
    if router.cashier.register.members and before.member != after.member:
        router.cashier.accounts.reread()
