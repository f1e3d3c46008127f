"""People who are here over SSH or in a browser, and what each may do."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

#: what a visitor may do, each also what those before it may: "view" looks, "operate" overrides and
#: cancels, "admin" changes and stops the router, "shell" is the Unix user itself
Role = Literal["view", "operate", "admin", "shell"]


class Arrival(Struct, frozen=True, gc=False):
    """Someone who came in over SSH or the browser, as its front announces them (POST /visit).

    `by` names them in the log ("ssh:ana"). Who shows `token` acts as them, with their role.
    """

    by: str
    role: Role
    origin: str  # the address they came from
    doing: str  # "console", "shell", "sftp", or the first word of a command
    since: float
    token: str


class Visitor(Struct, frozen=True, gc=False):
    """An Arrival that is still here, as a row shows it."""

    id: str
    by: str
    role: Role
    origin: str
    doing: str
    since: float
