"""act(): what a console may ask the router to do. Each is answered with one Result."""

from __future__ import annotations

from typing import Any, Literal

from msgspec import Struct, field

from router.contract.visits import Role


class SetOverride(Struct, frozen=True, tag=True, gc=False):
    """Replaces an override of the same scope. `seconds` None: until cleared."""

    scope: str
    target: str
    seconds: float | None = None
    forced: bool = False
    by: str = ""


class WeighOverride(Struct, frozen=True, tag=True, gc=False):
    """What setting that override would throw away: answered with Done, whose `warning` says it."""

    scope: str
    target: str


class ClearOverride(Struct, frozen=True, tag=True, gc=False):
    """`id` of one override, or "all"."""

    id: str
    by: str = ""


class Cancel(Struct, frozen=True, tag=True, gc=False):
    """Stops a running request: its upstream is closed, what it used so far is billed."""

    id: str
    by: str = ""


class Pause(Struct, frozen=True, tag=True, gc=False):
    """New requests of a session are refused, in their dialect, until it is resumed, also after a
    restart. Those that run go on."""

    session: str
    by: str = ""


class Resume(Struct, frozen=True, tag=True, gc=False):
    """`session` by name, or "all"."""

    session: str
    by: str = ""


class ClearCooldown(Struct, frozen=True, tag=True, gc=False):
    """A provider that rests after errors may be tried again at once."""

    provider: str
    by: str = ""


class ListModels(Struct, frozen=True, tag=True, gc=False):
    """Every model that can be named, with its price and size: answered with Models."""


class ShowRoutes(Struct, frozen=True, tag=True, gc=False):
    """The rules as they stand: answered with Routes."""


class ReplayRoutes(Struct, frozen=True, tag=True, gc=False):
    """What the newest `last` requests would have got under edited routes: answered with Replayed.
    `edits`: what → its new text; what is not named stays. A scenario's is "provider,model", "" for
    none; a RouteValue's is as there."""

    edits: dict[str, str]
    last: int = 200


class EditRoutes(Struct, frozen=True, tag=True, gc=False):
    """Writes the same edits into pointsman.toml and takes them at once: answered with Edited.
    `dry`: only says what would be written. `ccr`: into CCR's config.json, where there is one; that
    takes targets alone."""

    edits: dict[str, str]
    dry: bool = True
    by: str = ""
    ccr: bool = False


class AddModels(Struct, frozen=True, tag=True, gc=False):
    """Writes models of a provider into CCR's config.json, and the provider where it is not there
    yet, and takes them at once: answered with Edited. A key may be a variable's name ("$NAME");
    `transformers` are a transformer's `use`: names, or lists of a name and its options."""

    provider: str
    models: tuple[str, ...]
    api_base_url: str = ""
    api_key: str = ""
    transformers: tuple[Any, ...] = ()
    by: str = ""


class UndoRoutes(Struct, frozen=True, tag=True, gc=False):
    """Takes the newest edit of the routes back: answered with Edited."""

    by: str = ""


class StartNeighbour(Struct, frozen=True, tag=True, gc=False):
    """Has the router run a program behind the front door, and keep it running."""

    name: str
    by: str = ""


class StopNeighbour(Struct, frozen=True, tag=True, gc=False):
    name: str
    by: str = ""


class Reload(Struct, frozen=True, tag=True, gc=False):
    """Reads the config files again now."""

    by: str = ""


class Recost(Struct, frozen=True, tag=True, gc=False):
    """Prices history anew, at the prices as they are now: requests begun at or after `since`, those
    that follow the request number `after`. Does a part at a time: ask again while `next` is set."""

    since: float = 0.0
    after: int = 0
    dry_run: bool = False
    by: str = ""


class Explain(Struct, frozen=True, tag=True, gc=False):
    """A dry run: which model would this request body get, and why. Nothing is sent."""

    body: str
    door: Literal["litellm", "ccr", "claude-code"] = "ccr"
    headers: dict[str, str] = field(default_factory=dict)


class Stop(Struct, frozen=True, tag=True, gc=False):
    """Drains and ends the router. `again`: another one is about to take its place, so people who
    are here over SSH may stay."""

    by: str = ""
    again: bool = False


class Dismiss(Struct, frozen=True, tag=True, gc=False):
    """Ends the visits of `who`: a Visitor's id, or all of one `by`."""

    who: str
    by: str = ""


class Invite(Struct, frozen=True, tag=True, gc=False):
    """Asks for a ticket to the console in a browser: answered with Invited. `once`: for one
    browser, within minutes; else for any number, until the router ends."""

    role: Role = "admin"
    once: bool = True
    by: str = ""


class Redeem(Struct, frozen=True, tag=True, gc=False):
    """A browser shows its ticket, or a client's key in its place: answered with Invitation. For the
    front that lets browsers in."""

    ticket: str = ""
    key: str = ""


class ShowKeys(Struct, frozen=True, tag=True, gc=False):
    """What clients show at the doors: answered with ClientKeys. For whoever has a shell here, and
    so the files with these keys."""


#: what wants models, prices or routes looked up before it can be answered
Question = (
    ListModels
    | Recost
    | WeighOverride
    | ShowRoutes
    | ReplayRoutes
    | EditRoutes
    | AddModels
    | UndoRoutes
)
Action = (
    Question
    | SetOverride
    | ClearOverride
    | Cancel
    | Pause
    | Resume
    | ClearCooldown
    | Reload
    | Explain
    | Stop
    | Dismiss
    | StartNeighbour
    | StopNeighbour
    | Invite
    | Redeem
    | ShowKeys
)
