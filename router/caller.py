"""Who sent a request: what its headers and metadata tell, read once at the door."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct


class Caller(Struct, frozen=True):
    """`headers` have lower-case names. `key` is a public short name of the client's key, never the
    key itself."""

    door: str  # "litellm", "ccr", "claude-code"
    plane: str  # "litellm" or "ccr": which rules decide
    headers: Mapping[str, str]
    session: str = ""
    agent: str = ""
    key: str = ""
    client: str = ""
    project: str = ""
    team: str = ""
    sent_id: str = ""
    preset: str = ""  # whose Router decides, where that is not the usual one
