"""Which call of a tool a piece of a stream belongs to.

Its one rule: a new id is a new call, whatever the index says; providers number them all 0, repeat
the name in each piece, leave the id out, send a whole call at once, or give all calls one id.
"""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import Struct, field

from router.formats.fields import json_object
from router.formats.names import usable_id

_encode = msgspec.json.Encoder().encode


class FunctionPiece(Struct):
    name: Any = None
    arguments: Any = None


class CallPiece(Struct):
    index: Any = None
    id: Any = None
    function: FunctionPiece | None = None
    extra_content: Any = None


class Call(Struct):
    """A call as far as it is known. `unsent` was not told to the client yet; `quoted`: its
    arguments are a JSON string, or null, held until they can be decoded once more."""

    id: str = ""
    theirs: str = ""  # the provider's id, also where it is not usable
    name: str = ""
    pieces: list[str] = field(default_factory=list)
    unsent: list[str] = field(default_factory=list)
    extra: Any = None
    opened: bool = False
    quoted: bool | None = None
    looked: int = 0  # how many pieces there were when they were last seen not to be whole

    def add(self, text: str) -> None:
        self.pieces.append(text)
        self.unsent.append(text)
        if self.quoted is None and (head := text.lstrip()):
            self.quoted = head[0] in '"n'

    def complete(self) -> bool:
        """Whether its arguments are whole; none at all may still come."""
        if self.looked == len(self.pieces):
            return False
        text = "".join(self.pieces)
        whole = bool(text.strip()) and json_object(text) is not None
        self.looked = 0 if whole else len(self.pieces)
        return whole

    def take(self, last: bool = False) -> str:
        """What may be told now."""
        if self.quoted:
            if not last:
                return ""
            text = "".join(self.pieces)
            found = json_object(text)
            self.unsent.clear()
            return text if found is None else _encode(found).decode()
        text = "".join(self.unsent)
        self.unsent.clear()
        return text


class Calls:
    """The calls of one answer."""

    __slots__ = ("_at", "_by_id", "_last")

    def __init__(self) -> None:
        self._by_id: dict[str, Call] = {}
        self._at: dict[int, Call] = {}
        self._last: Call | None = None

    def __bool__(self) -> bool:
        return self._last is not None

    def put(self, piece: CallPiece) -> tuple[Call, bool]:
        """The call that the piece belongs to, the piece added to it; and whether it is new."""
        function = piece.function or FunctionPiece()
        name = function.name if isinstance(function.name, str) else ""
        arguments = function.arguments
        if arguments is not None and not isinstance(arguments, str):
            arguments = _encode(arguments).decode()
        call = self._find(piece, name, arguments or "")
        new = call is None
        if call is None:
            call = Call()
        index = piece.index if type(piece.index) is int else None
        if isinstance(piece.id, str) and piece.id and not call.theirs:
            taken = piece.id in self._by_id  # then the client's writer makes one
            call.theirs, call.id = piece.id, "" if taken else usable_id(piece.id)
            self._by_id[piece.id] = call
        if index is not None:
            self._at[index] = call
        self._last = call
        call.name = call.name or name
        call.extra = call.extra or piece.extra_content
        if arguments:
            call.add(arguments)
        return call, new

    def _find(self, piece: CallPiece, name: str, arguments: str) -> Call | None:
        id = piece.id if isinstance(piece.id, str) else ""
        if id in self._by_id:
            return self._of_id(self._by_id[id], piece, name)
        call = self._at.get(piece.index) if type(piece.index) is int else self._last
        if call is None:
            return None
        if id:
            return None if call.theirs else call
        # Without ids, a name after whole arguments begins the next call.
        return None if name and arguments and call.complete() else call

    def _of_id(self, call: Call, piece: CallPiece, name: str) -> Call | None:
        """The newest call with this id, unless a name at a new index begins another one."""
        if type(piece.index) is not int:
            return call
        there = self._at.get(piece.index)
        if there is not None:
            return there if there.theirs == call.theirs else call
        return None if name and call.complete() else call
