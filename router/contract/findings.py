"""What start-up found, and what somebody's file becomes here."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct


class Finding(Struct, frozen=True, gc=False):
    """One thing that start-up looked for. `what` "CCR config", `where` its path or address."""

    what: str
    where: str
    state: Literal["found", "absent", "problem", "made"]
    detail: str = ""  # what was taken from it, or what is wrong and what to do


class ImportLine(Struct, frozen=True, gc=False):
    """A key of somebody's file, and what becomes of it here."""

    key: str
    detail: str
    line: int | None = None


class Imported(Struct, frozen=True, gc=False):
    """What a file of CCR's or LiteLLM's becomes: nothing of it is lost without a line."""

    maps: tuple[ImportLine, ...]
    differs: tuple[ImportLine, ...]
    ignored: tuple[ImportLine, ...]


class Listener(Struct, frozen=True, gc=False):
    name: str  # "front door", "LiteLLM", "CCR", "SSH", "control"
    address: str  # "http://127.0.0.1:5000"
