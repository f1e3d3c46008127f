"""The newest response of one connection, from which its next turn may go on though nobody keeps it.

Its one rule: only the newest, only on this connection, and only until a turn that went on from it
fails; the same holds for what OpenAI's own servers keep of a WebSocket. Pure.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
from msgspec import Struct

from router.errors import CallerError
from router.formats.fields import body_of
from router.formats.splice import members, splice
from router.responses.remembered import items_of, joined

_BROKEN = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)


class Asked(Struct):
    """One `response.create`. `items` are all that are known of its conversation, as JSON; `before`
    is the response that they follow, which somebody else keeps."""

    body: bytes  # as it would be sent by HTTP
    previous: str  # the response that it goes on from; "": none
    before: str
    items: list[bytes]
    kept: bool  # whether it will be known by its id alone
    generate: bool  # False: it only makes a place to go on from


class _Item(Struct):
    type: str = ""
    call_id: str = ""
    encrypted_content: str | None = None


_item = msgspec.json.Decoder(_Item).decode


class Latest:
    """`limit`: bytes of items that are held."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self.forget()

    def forget(self) -> None:
        self._id = self._before = ""
        self._items: list[bytes] = []

    def asked(self, message: bytes, known: Callable[[str], bool]) -> Asked:
        """What a message of the client asks for. `known`: whether a response is kept by its id.
        Raises CallerError."""
        try:
            found = members(message)
            said = {name: _value(found, name) for name in _READ}
        except _BROKEN:
            body_of(message)  # tells what is wrong
            raise CallerError("the message cannot be read") from None
        if said["type"] != "response.create":
            words = f"a message's type is 'response.create', not {str(said['type'])[:100]!r}"
            raise CallerError(words, param="type", code="unknown_event")
        if said["stream_id"] is not None:
            words = "one connection has one stream here: open another for a second"
            raise CallerError(words, param="stream_id", code="unsupported_parameter")
        try:
            new = items_of(bytes(found["input"])) if "input" in found else []
        except _BROKEN:
            raise CallerError("input is a text, or a list of items", param="input") from None
        kept = said["store"] is not False
        asked = Asked(message, "", "", new, kept, said["generate"] is not False)
        changes = dict(_ALWAYS)
        if type(id := said["previous_response_id"]) is str and id:
            asked.previous = asked.before = id
            if id == self._id:
                changes |= self._joined(asked, new)
            elif not kept and not known(id):
                raise CallerError(
                    f"Previous response with id '{id[:100]}' not found.",
                    param="previous_response_id",
                    code="previous_response_not_found",
                )
        asked.body = splice(message, changes)
        return asked

    def _joined(self, asked: Asked, new: list[bytes]) -> dict[str, bytes | None]:
        asked.before, asked.items = self._before, self._items + new
        if not self._items:
            return {}
        if not asked.before and (orphan := _orphan(asked.items)):
            self.forget()
            raise CallerError(orphan, param="input", code="invalid_input")
        before = msgspec.json.encode(asked.before) if asked.before else None
        return {"input": joined(asked.items), "previous_response_id": before}

    def answered(self, asked: Asked, id: str, output: bytes) -> None:
        """The response to `asked` is there; `output` is its list of items."""
        self.forget()
        if asked.kept and asked.generate:
            self._id = self._before = id
            return
        items = asked.items + [item for item in items_of(output) if _may_return(item)]
        if sum(map(len, items)) <= self._limit:
            self._id, self._before, self._items = id, asked.before, items

    def failed(self, asked: Asked) -> None:
        if asked.previous and asked.previous == self._id:
            self.forget()


_READ = ("type", "stream_id", "store", "generate", "previous_response_id")
#: what only a message says, and what only HTTP does
_ALWAYS: dict[str, bytes | None] = {"type": None, "generate": None, "stream": b"true"}


def _value(found: dict[str, msgspec.Raw], name: str) -> Any:
    return msgspec.json.decode(found[name]) if name in found else None


def _read(item: bytes) -> _Item:
    try:
        return _item(item)
    except _BROKEN:  # whoever serves the request says what is wrong with it
        return _Item()


def _orphan(items: list[bytes]) -> str:
    """OpenAI's words for a tool's output whose call is not in the conversation; "" without one."""
    read = [_read(item) for item in items]
    calls = {item.call_id for item in read if not item.type.endswith("_output")}
    for item in read:
        if item.type.endswith("_output") and item.call_id and item.call_id not in calls:
            kind = item.type.replace("_", " ")
            return f"No tool call found for {kind} with call_id {item.call_id[:100]}."
    return ""


def _may_return(item: bytes) -> bool:
    """A thought that is not sealed cannot be sent back: nobody keeps it."""
    read = _read(item)
    return read.type != "reasoning" or bool(read.encrypted_content)
