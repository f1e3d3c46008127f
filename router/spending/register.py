"""Who there is: keys, users, teams and budgets, as LiteLLM's API names their fields.

One rule: a key itself is never kept, only its sha256. That is enough, and not too little: a key of
128 random bits cannot be guessed from its hash however fast the hash is, while a slow one (bcrypt)
would stop the loop for 50 ms at every request. It is found by its hash, whose bytes nobody can
choose, and compared in constant time.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Iterable
from typing import Any, Literal, Protocol, TypeVar
from urllib.parse import quote

import msgspec
from msgspec import Struct, field

from router.spending.period import parse

Kind = Literal["key", "user", "team", "member", "customer", "organization", "budget"]
#: random bytes of a key: 176 bits
RANDOM = 22
#: characters of an id or an alias
LONGEST = 200


class Terms(Struct, kw_only=True, omit_defaults=True):
    """What keys, users, teams and budgets have in common. Money is in dollars, as LiteLLM's clients
    send it; times are Unix seconds. `opened` is the spend in nano-dollars that was set by hand, in
    the window that began at `opened_at`."""

    max_budget: float | None = None
    soft_budget: float | None = None
    budget_duration: str | None = None
    tpm_limit: int | None = None
    rpm_limit: int | None = None
    max_parallel_requests: int | None = None
    #: model → dollars, or LiteLLM's {budget_limit, time_period}
    model_max_budget: dict[str, Any] = field(default_factory=dict)
    model_rpm_limit: dict[str, int] | None = None
    model_tpm_limit: dict[str, int] | None = None
    budget_id: str | None = None
    models: list[str] = field(default_factory=list)
    metadata: dict[str, Any] = field(default_factory=dict)
    tags: list[str] = field(default_factory=list)
    blocked: bool = False
    created_at: float = 0.0
    updated_at: float = 0.0
    created_by: str = ""
    opened: int = 0
    opened_at: float = 0.0
    #: fields that are only given back
    more: dict[str, Any] = field(default_factory=dict)


class Key(Terms, kw_only=True, omit_defaults=True):
    token: str  # sha256 of the key, in hex
    name: str  # what the ledger calls it, for as long as it lives
    key_name: str  # "sk-...abcd"
    key_alias: str | None = None
    user_id: str | None = None
    team_id: str | None = None
    expires: float | None = None
    allowed_routes: list[str] = field(default_factory=list)
    aliases: dict[str, str] = field(default_factory=dict)

    @property
    def member(self) -> str:
        """Its user in its team, as a `member_name`: there need be no such member."""
        return member_name(self.team_id or "", self.user_id or "")


class User(Terms, kw_only=True, omit_defaults=True):
    user_id: str
    user_email: str | None = None
    user_alias: str | None = None
    user_role: str | None = None
    teams: list[str] = field(default_factory=list)


class Team(Terms, kw_only=True, omit_defaults=True):
    team_id: str
    team_alias: str | None = None
    organization_id: str | None = None
    members_with_roles: list[dict[str, Any]] = field(default_factory=list)
    #: names that its keys may ask for → the models that answer
    model_aliases: dict[str, str] = field(default_factory=dict)


class Member(Terms, kw_only=True, omit_defaults=True):
    """A user in a team, where they have a bound of their own inside it."""

    team_id: str
    user_id: str


class Customer(Terms, kw_only=True, omit_defaults=True):
    """Whoever a client says that it asks for, in its body's `user`: LiteLLM's end user."""

    user_id: str
    alias: str | None = None
    default_model: str | None = None
    allowed_model_region: str | None = None


class Organization(Terms, kw_only=True, omit_defaults=True):
    """Teams that share a budget."""

    organization_id: str
    organization_alias: str | None = None
    members: list[dict[str, Any]] = field(default_factory=list)


class BudgetTerms(Terms, kw_only=True, omit_defaults=True):
    """`budget_id` is its own: keys, users and teams that name it have what they do not say."""


_KINDS: dict[Kind, type[Terms]] = {
    **{"key": Key, "user": User, "team": Team, "member": Member, "customer": Customer},
    **{"organization": Organization, "budget": BudgetTerms},
}
_T = TypeVar("_T", bound=Terms)


class Keeper(Protocol):
    """Where they survive a restart (storage.writer.Ledger)."""

    def keep(self, kind: str, id: str, data: str | None) -> None: ...

    def kept(self, kind: str) -> list[tuple[str, str]]: ...


def hashed(key: str) -> str:
    return hashlib.sha256(key.encode("utf-8", "replace")).hexdigest()


def new_key() -> str:
    return "sk-" + secrets.token_urlsafe(RANDOM)


def member_name(team_id: str, user_id: str) -> str:
    """What a user in a team is called: no two have the same."""
    return f"{quote(team_id, safe='')} {user_id}"


def shortened(key: str) -> str:
    """What may be shown of a key, as LiteLLM does."""
    return f"sk-...{key[-4:]}"


class Register:
    """All of them, in memory; each change goes to the keeper."""

    def __init__(self, keeper: Keeper) -> None:
        self._keeper = keeper
        self.keys: dict[str, Key] = {}  # by token
        self.users: dict[str, User] = {}
        self.teams: dict[str, Team] = {}
        self.members: dict[str, Member] = {}  # by member_name
        self.customers: dict[str, Customer] = {}
        self.organizations: dict[str, Organization] = {}
        self.budgets: dict[str, BudgetTerms] = {}
        self._kinds: dict[Kind, dict[str, Any]] = {
            **{"key": self.keys, "user": self.users, "team": self.teams},
            **{"member": self.members, "customer": self.customers},
            **{"organization": self.organizations},
            **{"budget": self.budgets},
        }
        for kind, type in _KINDS.items():
            decode = msgspec.json.Decoder(type).decode
            for id, data in keeper.kept(kind):
                self.all(kind)[id] = decode(data)

    def __len__(self) -> int:
        return sum(len(found) for kind, found in self._kinds.items() if kind != "budget")

    def all(self, kind: Kind) -> dict[str, Any]:
        """By id; keys by the sha256 of theirs."""
        return self._kinds[kind]

    def of(self, kind: Kind, id: str) -> Terms | None:
        """Somebody's terms, by the id of their kind."""
        found: Terms | None = self._kinds[kind].get(id)
        return found

    def find(self, key: str) -> Key | None:
        """The key that a client shows."""
        token = hashed(key)
        found = self.keys.get(token)
        return found if found is not None and hmac.compare_digest(found.token, token) else None

    def meant(self, key: str) -> Key | None:
        """By the key, its hash, or the name the ledger has for it: what an administrator names."""
        found = self.find(key) or self.keys.get(key)
        return found or next((one for one in self.keys.values() if one.name == key), None)

    def free_name(self, token: str) -> str:
        """A name for the ledger that no other key has."""
        taken = {one.name for one in self.keys.values()}
        length = 8
        while (name := f"key-{token[:length]}") in taken:
            length += 4
        return name

    def put(self, kind: Kind, id: str, terms: Terms) -> None:
        self.all(kind)[id] = terms
        self._keeper.keep(kind, id, msgspec.json.encode(terms).decode())

    def drop(self, kind: Kind, id: str) -> None:
        self.all(kind).pop(id, None)
        self._keeper.keep(kind, id, None)

    def terms(self, own: Terms) -> Terms:
        """Its own, and what it leaves open as its budget says."""
        shared = self.budgets.get(own.budget_id or "")
        if shared is None:
            return own
        open = (
            *("max_budget", "soft_budget", "budget_duration", "tpm_limit", "rpm_limit"),
            *("max_parallel_requests", "model_max_budget"),
        )
        lent = {name: getattr(shared, name) for name in open if not getattr(own, name)}
        return msgspec.structs.replace(own, **lent)

    def meaning(self, key: Key, asked: str) -> str:
        """The model that a name stands for, as the key or its team says."""
        team = self.teams.get(key.team_id or "")
        found = key.aliases.get(asked) or (team.model_aliases.get(asked) if team else None)
        return found or asked

    def lists(self, key: Key) -> list[list[str]]:
        """The models that a key and its team allow: one has to be in each."""
        team = self.teams.get(key.team_id or "")
        return [key.models, team.models] if team else [key.models]

    def of_team(self, id: str) -> Iterable[Key]:
        return [key for key in self.keys.values() if key.team_id == id]

    def of_user(self, id: str) -> Iterable[Key]:
        return [key for key in self.keys.values() if key.user_id == id]


def model_budgets(terms: Terms) -> dict[str, tuple[float, str]]:
    """Model → dollars and their duration. Raises ValueError."""
    found: dict[str, tuple[float, str]] = {}
    for model, told in terms.model_max_budget.items():
        limit, duration = told, terms.budget_duration or "forever"
        if isinstance(told, dict):
            limit = told.get("budget_limit", told.get("max_budget"))
            duration = told.get("time_period") or told.get("budget_duration") or duration
        if isinstance(limit, str):
            limit = float(limit)
        if isinstance(limit, bool) or not isinstance(limit, int | float):
            raise ValueError(
                f"model_max_budget.{model}: should be dollars, or"
                ' {"budget_limit": dollars, "time_period": "1d"}'
            )
        parse(duration)
        found[model] = (float(limit), duration)
    return found
