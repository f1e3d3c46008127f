"""The steps that users, teams, customers and organizations share: made, meant, changed, dropped.

One rule: terms are in force for the next request, and on the disk before anybody is told.
"""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any, Literal, TypeVar

import msgspec

from router.doors.management.asked import ADMIN, Asked, fields, made, missing, with_spend, wrong
from router.errors import CallerError
from router.messages import JSON
from router.spending.register import LONGEST, Terms

if TYPE_CHECKING:
    from router.service import Router

Owner = Literal["user", "team", "customer", "organization"]
#: the field that names one
ID: dict[Owner, str] = {
    **{"user": "user_id", "team": "team_id", "customer": "user_id"},
    "organization": "organization_id",
}
#: LiteLLM's words for one that there is, and for one that there is not
_TAKEN: dict[Owner, str] = {
    "user": "User with id {id} already exists",
    "team": "Team id = {id} already exists. Please use a different team id.",
    "customer": "Customer already exists, passed user_id={id}. Please pass a new user_id.",
    "organization": "Organization with id={id} already exists",
}
_ABSENT: dict[Owner, str] = {
    "user": "User {id} not found",
    "team": "Team not found, passed team_id={id}",
    "customer": "End User Id={id} does not exist in db",
    "organization": "Organization not found for organization_id={id}",
}
_T = TypeVar("_T", bound=Terms)


def new(router: Router, asked: Asked, kind: Owner, into: type[_T], **more: Any) -> _T:
    """`more`: fields that are not taken from the body as they are. Raises CallerError."""
    register, body, at = router.cashier.register, asked.body, router.wall()
    id, field = body.get(ID[kind]) or str(uuid.uuid4()), ID[kind]
    if not isinstance(id, str) or len(id) > LONGEST:
        raise wrong(f"{field}: should be a text of at most {LONGEST} characters", field)
    if id in register.all(kind):
        raise wrong(_TAKEN[kind].format(id=id), field)
    named_budget(router, body)
    own = {field: id, "created_at": at, "updated_at": at, "created_by": ADMIN}
    terms = made({**fields(body, into), **own, **more}, into)
    register.put(kind, id, terms)
    return put(router, kind, terms, body)


def named_budget(router: Router, body: JSON) -> None:
    """A budget that is pointed to must be there. Raises CallerError."""
    budget = body.get("budget_id")
    if budget and budget not in router.cashier.register.budgets:
        raise missing(
            f"Budget={str(budget)[:LONGEST]} does not exist. Create it via `/budget/new`."
        )


def meant(router: Router, kind: Owner, id: str, into: type[_T]) -> _T:
    """The one that is named. Raises CallerError."""
    found = router.cashier.register.of(kind, id)
    if not isinstance(found, into):
        raise absent(kind, id)
    return found


def absent(kind: Owner, id: str) -> CallerError:
    return missing(_ABSENT[kind].format(id=id[:LONGEST]))


def put(router: Router, kind: Owner, terms: _T, body: JSON) -> _T:
    """Puts terms in force; `body` may say what was spent so far."""
    id = getattr(terms, ID[kind])
    router.cashier.open(kind, id, terms)
    terms = msgspec.structs.replace(terms, updated_at=router.wall())
    terms = with_spend(router, kind, id, terms, body)
    router.cashier.register.put(kind, id, terms)
    return terms


def drop(router: Router, kind: Owner, terms: Terms) -> None:
    id = getattr(terms, ID[kind])
    router.cashier.register.drop(kind, id)
    router.cashier.close(kind, id)


# ── members of teams and organizations ────────────────────────────────────────────────────────────


def joined(router: Router, members: list[JSON], asked: Asked) -> list[JSON]:
    """With those of the body's `member`, one or several. Raises CallerError."""
    told = asked.body.get("member")
    more = [_member(router, one) for one in (told if isinstance(told, list) else [told])]
    ids = {_who(one) for one in more}
    return [*(one for one in members if _who(one) not in ids), *more]


def _member(router: Router, told: Any) -> JSON:
    """One that is known by an address has the id of the user who has it."""
    if not isinstance(told, dict) or not (told.get("user_id") or told.get("user_email")):
        raise wrong("member: should have a user_id, or a user_email, and a role", "member")
    id, email = told.get("user_id"), told.get("user_email")
    if not id:
        users = router.cashier.register.users.values()
        id = next((user.user_id for user in users if user.user_email == email), None)
    return {**told, "user_id": id, "user_email": email}


def _who(member: JSON) -> Any:
    return member.get("user_id") or member.get("user_email")


def parted(members: list[JSON], asked: Asked) -> list[JSON]:
    """Without the one that the body names."""
    gone = (asked.body.get("user_id"), asked.body.get("user_email"))
    return [
        one
        for one in members
        if (one.get("user_id") or "") != gone[0] and (one.get("user_email") or "") != gone[1]
    ]
