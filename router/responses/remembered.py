"""Responses that a client may go on from by their id, as OpenAI keeps them (`store`).

Its one rule: in memory only, bounded, and each for the key that made it. A restart forgets them,
as does time when others came since; nothing of them is ever written down.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator

import msgspec
from msgspec import Struct

from router.messages import JSON

#: bytes of all that is kept; agents keep their conversation themselves and say store: false
MOST = 64 * 1024 * 1024
#: responses that follow one upon the other
LONGEST_CHAIN = 500
_list = msgspec.json.Decoder(list[msgspec.Raw]).decode


class Kept(Struct, frozen=True):
    """One turn. `input` and `output` are lists of items as JSON, `response` the whole object."""

    key: str
    previous: str
    input: bytes
    output: bytes
    response: bytes

    @property
    def size(self) -> int:
        return len(self.input) + len(self.output) + len(self.response)


class Remembered:
    """By the response's id; the ones that were not needed for longest go first."""

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._kept: OrderedDict[str, Kept] = OrderedDict()
        self._size = 0

    def __len__(self) -> int:
        return len(self._kept)

    def keep(self, id: str, kept: Kept) -> None:
        self.forget(id)
        if kept.size > self._most:
            return
        self._kept[id] = kept
        self._size += kept.size
        while self._size > self._most:
            _, oldest = self._kept.popitem(last=False)
            self._size -= oldest.size

    def get(self, id: str, key: str) -> Kept | None:
        """None also where another key made it."""
        kept = self._kept.get(id)
        if kept is None or kept.key != key:
            return None
        self._kept.move_to_end(id)
        return kept

    def forget(self, id: str) -> None:
        kept = self._kept.pop(id, None)
        if kept is not None:
            self._size -= kept.size

    def before(self, id: str, key: str) -> list[bytes] | None:
        """The items of a conversation up to and with this response, oldest first, each as JSON;
        None where not all of it is known any more."""
        turns: list[Kept] = []
        while id:
            kept = self.get(id, key)
            if kept is None or len(turns) == LONGEST_CHAIN:
                return None
            turns.append(kept)
            id = kept.previous
        return [item for kept in reversed(turns) for item in _items(kept)]


def _items(kept: Kept) -> Iterator[bytes]:
    for text in (kept.input, kept.output):
        for item in _list(text):
            yield bytes(item)


def items_of(input: bytes) -> list[bytes]:
    """A request's `input`, a text or a list, as items. Raises msgspec.DecodeError."""
    if input.lstrip()[:1] != b'"':
        return [bytes(item) for item in _list(input)]
    message: JSON = {"type": "message", "role": "user", "content": msgspec.Raw(input)}
    return [msgspec.json.encode(message)]


def joined(items: list[bytes]) -> bytes:
    return b"[%b]" % b",".join(items)
