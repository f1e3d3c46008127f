"""History at other prices, as SQL: what was billed, and its money written anew. Pure.

One rule: what was used is never changed, only what it cost; rows and sums change in one commit.
"""

# ruff: noqa: S608 - what is put into the text are column names of our own, never a value
from __future__ import annotations

from typing import Final

from msgspec import Struct

from router.contract import Spend
from storage.rows import ATTEMPT, Row

_SPEND: Final = tuple(f"spend_{name}" for name in Spend.__struct_fields__)

#: request and ATTEMPT of requests that have ended, after ?1 and up to ?2, begun at or after ?3
PAGE: Final = (
    f"SELECT a.request, {', '.join(f'a.{name}' for name in ATTEMPT)}"
    " FROM request r JOIN attempt a ON a.request = r.seq"
    " WHERE r.seq > ?1 AND r.seq <= ?2 AND r.started_at >= ?3 AND r.state <> 'running'"
    " ORDER BY a.request, a.number"
)
#: rows of `attempt`
UPDATE_ATTEMPT: Final = (
    f"UPDATE attempt SET cost = ?, {', '.join(f'{name} = ?' for name in _SPEND)}, price = ?"
    " WHERE request = ? AND number = ?"
)
#: cost and seq
UPDATE_REQUEST: Final = "UPDATE request SET cost = ? WHERE seq = ?"


class Recosting(Struct, frozen=True):
    """What one commit changes. `attempts`: rows for UPDATE_ATTEMPT; `requests`: seq → cost."""

    attempts: tuple[Row, ...]
    requests: dict[int, int | None]


def row(seq: int, number: int, cost: int | None, spend: Spend, price: str) -> Row:
    """For UPDATE_ATTEMPT."""
    parts = (spend.input, spend.cache_read, spend.cache_write, spend.output, spend.fees)
    return (cost, *parts, spend.saved, price, seq, number)
