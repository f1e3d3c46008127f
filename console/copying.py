"""What can be copied of requests: the same things under the same keys wherever one looks. Pure.

Its rule: of several, each stands on a line of its own; what a request does not have is not offered.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from console.curl import curl
from console.lines.requests import draw
from console.widgets.paint import plain
from router.contract import RequestView

#: key, what it is called, and its lines
Offered = tuple[str, str, Sequence[str]]


def of_requests(picked: Sequence[RequestView], now: float, door: str) -> list[Offered]:
    """`door` is the front door's address."""
    many = len(picked) > 1

    def called(one: str, several: str) -> str:
        return f"{len(picked)} {several}" if many else one

    rows = ["  ".join(plain(cell).strip() for cell in draw(r, now)) for r in picked]
    sessions = list(dict.fromkeys(r.session for r in picked if r.session))
    errors = [r.error for r in picked if r.error]
    offered: list[Offered] = [
        ("i", called("its id", "ids"), [r.id for r in picked]),
        ("s", "its session" if len(sessions) == 1 else "their sessions", sessions),
        ("e", "its error" if not many else "their errors", errors),
        ("r", called("the row", "rows"), rows),
        ("j", "JSON", [msgspec.json.encode(r).decode() for r in picked]),
        ("c", "curl", [curl(r, door) for r in picked]),
    ]
    return [each for each in offered if each[2]]
