"""What an action comes to."""

from __future__ import annotations

from msgspec import Struct

from router.contract.overrides import OverrideView
from router.contract.requests import Facts, Look
from router.contract.routes import ModelView, Move, RouteValue, RuleView
from router.contract.visits import Role


class Done(Struct, frozen=True, tag=True, gc=False):
    """`warning`: what speaks against an override (a model that may be mistyped, warm caches that it
    throws away, and what they cost); it stands in `message` too."""

    message: str = ""
    override: OverrideView | None = None
    warning: str = ""


class Recosted(Struct, frozen=True, tag=True, gc=False):
    """What a Recost found of real money, in nano-dollars. `next`: where the next part begins."""

    requests: int = 0
    changed: int = 0
    before: int = 0
    after: int = 0
    unpriced_before: int = 0  # attempts
    unpriced_after: int = 0
    next: int | None = None


class Explained(Struct, frozen=True, tag=True, gc=False):
    """`candidates` in the order they would be tried; empty when the request would be refused, and
    then `error` says why."""

    candidates: tuple[str, ...]
    rule: str
    looks: tuple[Look, ...]
    facts: Facts
    error: str = ""


class Refused(Struct, frozen=True, tag=True, gc=False):
    """The action was not done. `message` says why and what to do."""

    message: str


class Models(Struct, frozen=True, tag=True, gc=False):
    models: tuple[ModelView, ...]


class Routes(Struct, frozen=True, tag=True, gc=False):
    """`source` is where they were configured, `file` where an edit would be written."""

    rules: tuple[RuleView, ...]
    strict: bool
    source: str
    file: str
    undo: str = ""  # what UndoRoutes would take back; "" when there is nothing
    values: tuple[RouteValue, ...] = ()


class Replayed(Struct, frozen=True, tag=True, gc=False):
    """`requests` were looked at; of those `moved` would go elsewhere, `pinned` were chosen by hand
    and stay, `unclear` depend on a prompt that is not kept. `difference` is the money of those that
    move and whose price is known before and after; `unpriced` move without that."""

    requests: int
    moved: int
    pinned: int
    unclear: int
    refused: int  # would get no model at all
    difference: int
    unpriced: int
    moves: tuple[Move, ...]


class Edited(Struct, frozen=True, tag=True, gc=False):
    """`diff` in the usual form, of the file named; `applied` says whether it was written."""

    file: str
    diff: tuple[str, ...]
    applied: bool
    message: str = ""


class Invited(Struct, frozen=True, tag=True, gc=False):
    ticket: str
    expires_at: float | None


class Invitation(Struct, frozen=True, tag=True, gc=False):
    """Whom a ticket lets in. `by`: who asked for it; `again`: a ticket for this browser alone, with
    which it comes back, also to the router after a restart; "" where it shows its key again."""

    role: Role
    by: str
    again: str = ""


class ClientKeys(Struct, frozen=True, tag=True, gc=False):
    """Of each role the first key that it takes; "" where it asks for none."""

    ccr: str = ""
    litellm: str = ""


Result = (
    Done
    | Explained
    | Recosted
    | Models
    | Routes
    | Replayed
    | Edited
    | Invited
    | Invitation
    | ClientKeys
    | Refused
)
