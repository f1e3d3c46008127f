"""What the rules are given and what they decide. Pure data."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from msgspec import Struct, field

from router.caller import Caller
from router.contract import Facts, Look, OverrideView
from router.custom import Answer
from router.loads import Loads
from router.messages import Request
from router.sessions import Seen
from router.settings import Deployment, Generation, Provider, Timeouts
from router.wishes import NO_WISHES, Other, Wishes


class Case(Struct, frozen=True):
    """Everything a decision may depend on: no clock, no I/O, no randomness but `chance`."""

    request: Request
    caller: Caller
    facts: Facts
    generation: Generation
    #: those in force now, soonest-to-win order is the rules' business
    overrides: tuple[OverrideView, ...] = ()
    #: uniform in [0, 1): spreads load over the deployments of a group
    chance: float = 0.0
    #: Unix seconds of the request
    at: float = 0.0
    #: what the session's last answer showed
    seen: Seen | None = None
    #: what the person's own router said; None where there is none
    custom: Answer | None = None
    #: what went wrong before the rules were asked
    problems: tuple[str, ...] = ()
    #: what runs where, for the strategies that look at it; None: nobody knows
    loads: Loads | None = None
    now: float = 0.0
    wishes: Wishes = NO_WISHES


class Candidate(Struct, frozen=True):
    """One model to try. `params` are defaults put into the body where the client set none.

    Neighbours of one `leg` stand for one another: the keys of a provider, the deployments of a
    group. `branch` is empty on the main way; "too_long:GROUP" or "refused:GROUP" on one that is
    taken only after that failure of that group.
    """

    provider: Provider
    model: str
    reason: str
    params: Mapping[str, Any] = field(default_factory=dict)
    leg: str = ""
    branch: str = ""
    group: str = ""  # of the LiteLLM plane
    deployment: Deployment | None = None
    timeouts: Timeouts | None = None  # instead of the provider's
    #: a whole answer that its provider's content filter cut is a failure: there is a fallback
    screened: bool = False
    #: set: it is asked otherwise than the request, `wishes` being all that holds for it
    other: Other | None = None


class Plan(Struct, frozen=True):
    """Candidates in the order to be tried, never empty, and every rule that was looked at.

    `request` is the one to send: an in-prompt `/model` line is taken out of it, from older turns
    too. It is the very same object when nothing had to be taken out (then its bytes may pass
    through). `override` is the id of the override that decided, if one did.
    """

    candidates: tuple[Candidate, ...]
    rule: str
    value: str
    looks: tuple[Look, ...]
    request: Request
    override: str = ""
    #: pins that could not be honoured: said in the answer's headers, the log and the console
    problems: tuple[str, ...] = ()
