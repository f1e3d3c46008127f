"""Requests of the ledger that a filter lets through.

Its rule: the ledger looks for the widest part of a filter that it can, the filter decides, and
where not everything was looked at, that is said.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from console.query import Wanted
from router.contract import RequestView

if TYPE_CHECKING:
    from console.link import Archive

#: requests read at once; pages of which none may match, until one gives up
PAGE = 500
PAGES = 40


async def matching(
    archive: Archive, wanted: Wanted, most: int, *, page: int = PAGE, pages: int = PAGES
) -> tuple[list[RequestView], bool]:
    """The newest first, at most `most`, and whether there are no more."""
    found: list[RequestView] = []
    widest, before = wanted.requests(), None
    for _ in range(pages):
        read = await archive.requests(widest, page, before)
        found += [request for request in read if wanted.holds(request)]
        if len(read) < page or len(found) >= most:
            return found[:most], len(read) < page and len(found) <= most
        before = read[-1].seq
    return found, False
