"""Requests that have something rare in them, among millions: where to look, newest first.

One rule: nothing that matches is missed. `gist` tells in which stretches a word may stand, and only
the rows there are looked at; what it does not know of yet (the newest rows, and those from before
there was one) is looked through row by row. Each question is a small one, so that a search holds up
nobody else's. Of what the gist knows, a request's id is found by its beginning alone.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from typing import Final, NamedTuple

from router.contract import RequestFilter
from storage import queries
from storage.queries import Query
from storage.rows import Row

Ask = Callable[[Query], Awaitable[list[Row]]]

#: stretches in the first part of the gist that is read; each further part is twice as large
PART: Final = 50
#: times as many are looked at together where only those that failed are
SPARSE: Final = 50


class Span(NamedTuple):
    """Seqs of requests, both inside."""

    first: int
    last: int


def searched(filter: RequestFilter) -> bool:
    """Whether no index answers it: there are those of sessions, of models over all time, and of
    what failed by anything but words."""
    words = queries.words_of(filter)
    if filter.session or not words:
        return False
    if queries.refused(filter):
        return bool(filter.text or filter.words)
    return words != [filter.model] or filter.since is not None or filter.until is not None


async def search(
    ask: Ask, filter: RequestFilter, limit: int, before: int | None, stretch: int
) -> list[Row]:
    """Rows for rows.read_request, newest first; `stretch`: how many are looked at together."""
    if queries.refused(filter):
        stretch *= SPARSE
    reach = await ask(queries.SEARCHED_TO)
    if not reach:  # there is no ledger yet
        return []
    ((newest, rolled, bare),) = reach
    low, high = 1, newest if before is None else min(newest, before - 1)
    if filter.since is not None:
        ((first,),) = await ask(queries.first_since(filter.since))
        low = high + 1 if first is None else first
    if filter.until is not None:
        ((last,),) = await ask(queries.last_until(filter.until))
        high = min(high, last or 0)
    known = Span(max(low, bare + 1), min(high, rolled))
    singles = [
        Span(seq, seq) for (seq,) in await ask(queries.singles(filter, limit, known.last + 1))
    ]
    found: list[Row] = []

    async def look(spans: list[Span]) -> None:
        found.extend(await ask(queries.requests_in(filter, limit - len(found), spans)))

    waiting: list[Span] = []
    size = 0
    async for span in _apart(_everywhere(ask, filter, known, singles, low, high, PART * stretch)):
        for part in _parts(span, stretch):
            width = part.last - part.first + 1
            if size + width > stretch:
                await look(waiting)
                waiting, size = [], 0
            if len(found) >= limit:
                return found
            waiting.append(part)
            size += width
    await look(waiting)
    return found


async def _everywhere(
    ask: Ask,
    filter: RequestFilter,
    known: Span,
    singles: list[Span],
    low: int,
    high: int,
    width: int,
) -> AsyncIterator[Span]:
    """Where a match may be, by the last of each, newest first. `known`: what the gist tells of,
    but for `singles`; `width` is that of the first part that is read of it."""
    if high > known.last:
        yield Span(max(low, known.last + 1), high)
    upto, most = known.last, queries.LAST  # what begins before a page may end after it
    while upto >= known.first:
        after = max(upto - width, known.first - 1)
        told = [Span(*row) for row in await ask(queries.gist(filter, after, most, upto))]
        told += [one for one in singles if after < one.last <= upto]
        for span in sorted(told, key=lambda one: -one.last):
            yield Span(max(span.first, known.first), min(span.last, known.last))
        upto, most, width = after, after, 2 * width
    if low < known.first:
        yield Span(low, min(known.first - 1, high))


async def _apart(spans: AsyncIterator[Span]) -> AsyncIterator[Span]:
    """The same without what was there before."""
    floor: int | None = None
    async for first, last in spans:
        end = last if floor is None else min(last, floor - 1)
        if first <= end:
            yield Span(first, end)
            floor = first


def _parts(span: Span, most: int) -> Iterable[Span]:
    """The newest first."""
    for last in range(span.last, span.first - 1, -most):
        yield Span(max(span.first, last - most + 1), last)
