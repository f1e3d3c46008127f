"""A credential, which shows itself only to who asks for it by name."""

from __future__ import annotations

import re

_VARIABLE = re.compile(r"\$\{([A-Z_][A-Z0-9_]*)\}|\$([A-Z_][A-Z0-9_]*)")


class Secret(str):
    """A credential. Its repr and format are masked so that no log or traceback can carry it."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "Secret(…)"

    def __format__(self, spec: str) -> str:
        return "…"

    def __str__(self) -> str:
        return "…"

    def reveal(self) -> str:
        return str.__str__(self)

    def unset(self) -> str:
        """The variable that stands in place of a key because it is not set; "" for a key."""
        named = _VARIABLE.fullmatch(self.reveal())
        return (named[1] or named[2]) if named else ""


NO_KEY = Secret("")
