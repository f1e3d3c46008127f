"""A request's body that is sent on as it comes, so that no size of it has to fit into memory."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Upload:
    """`length` in bytes where the sender said it; None: sent in chunks."""

    pieces: AsyncIterator[bytes]
    length: int | None = None

    def framed(self, piece: bytes) -> bytes:
        return piece if self.length is not None else b"%x\r\n%b\r\n" % (len(piece), piece)

    @property
    def last(self) -> bytes:
        return b"" if self.length is not None else b"0\r\n\r\n"
