"""A credential, which shows itself only to who asks for it by name."""

from __future__ import annotations


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


NO_KEY = Secret("")
