"""What the rules are given and what they decide. Pure data."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from msgspec import Struct, field

from router.caller import Caller
from router.contract import Facts, Look, OverrideView
from router.custom import Answer
from router.messages import Request
from router.sessions import Seen
from router.settings import Generation, Provider


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


class Candidate(Struct, frozen=True):
    """One model to try. `params` are defaults put into the body where the client set none."""

    provider: Provider
    model: str
    reason: str
    params: Mapping[str, Any] = field(default_factory=dict)


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
