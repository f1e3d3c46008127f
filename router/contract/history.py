"""query(): lines of the log, and what a page of history must match."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct


class LogLine(Struct, frozen=True, gc=False):
    """One line of the router's own log."""

    id: int
    at: float
    level: Literal["debug", "info", "warning", "error"]
    source: str  # "exchange", "config", "ssh", …
    message: str
    request: str = ""  # a request id, where it is about one
    simulated: bool = False


class RequestFilter(Struct, frozen=True, gc=False):
    """What a page of history must match; None or "" matches all."""

    since: float | None = None
    until: float | None = None
    #: part of asked, provider, model, rule, session, agent, client, error, door or key, or the
    #: beginning of an id
    text: str = ""
    provider: str = ""
    model: str = ""
    session: str = ""
    door: str = ""
    status_from: int | None = None
    simulated: bool | None = None
    key: str = ""
    user: str = ""
    words: tuple[str, ...] = ()  # as text, each of them
    took_from: float | None = None  # ms; what has ended and took so long
    cost_from: int | None = None  # nano-dollars


class Figure(Struct, frozen=True, gc=False):
    """What a figure of a request must be. `took` and `ttft` in ms, `cost` in nano-dollars; `in` are
    all tokens of the prompt. One that is not known is neither more nor less than anything."""

    name: Literal["status", "took", "ttft", "cost", "in", "out", "tries"]
    sign: Literal[">=", "<=", ">", "<", "="]
    value: float


class LogFilter(Struct, frozen=True, gc=False):
    """What a line of the log must match; None or "" matches all. A `source`, `model` or `session`
    that begins with "=" is the whole of it."""

    since: float | None = None
    level: Literal["debug", "info", "warning", "error"] = "debug"  # this one and worse
    text: str = ""
    source: str = ""  # the beginning of it
    request: str = ""
    words: tuple[str, ...] = ()  # each in the message or the source
    #: of the request that a line is about
    figures: tuple[Figure, ...] = ()
    model: str = ""  # part of its provider,model
    session: str = ""  # the beginning of it
    until: float | None = None
    each: tuple[LogFilter, ...] = ()  # what all of these match too
    but: tuple[LogFilter, ...] = ()  # what none of these matches
