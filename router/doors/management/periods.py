"""What /spend, /global/spend and /global/activity ask the ledger: a time, and sums over it.

One rule: simulated traffic costs nothing and is never among the answers.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from router.contract import CostLine, CostPoint
from router.doors.management.asked import Asked, wrong
from storage.readers import Archive

if TYPE_CHECKING:
    from router.service import Router
    from storage.costs import Grouping


@asynccontextmanager
async def archive_of(router: Router) -> AsyncIterator[Archive]:
    archive = Archive(router.home.ledger)
    try:
        yield archive
    finally:
        await archive.close()


def span(router: Router, asked: Asked, days: int = 30) -> tuple[float, float | None]:
    """Local days from `start_date` to `end_date`, both inside; else the last ones."""
    start, end = _day(asked, "start_date"), _day(asked, "end_date")
    since = router.wall() - days * 86_400 if start is None else start.timestamp()
    return since, None if end is None else (end + timedelta(days=1)).timestamp()


def _day(asked: Asked, name: str) -> datetime | None:
    text = asked.one(name)
    if not text:
        return None
    try:
        day = datetime.fromisoformat(text[:10])
    except ValueError:
        raise wrong(f"{name}: should be a day, as 2026-01-31", name) from None
    return day


def real(lines: list[CostLine]) -> list[CostLine]:
    """Simulated traffic costs nothing."""
    return [line for line in lines if not line.simulated]


def limit(asked: Asked) -> int | None:
    text = asked.one("limit")
    if not text:
        return None
    if not text.isdigit() or not int(text):
        raise wrong("limit: should be a whole number, above 0", "limit")
    return int(text)


async def lines_of(router: Router, asked: Asked, by: Grouping, days: int = 30) -> list[CostLine]:
    since, until = span(router, asked, days)
    async with archive_of(router) as archive:
        return real(await archive.costs(since, until, by))[: limit(asked)]


async def points_of(router: Router, asked: Asked, by: Grouping | None = None) -> list[CostPoint]:
    since, until = span(router, asked)
    async with archive_of(router) as archive:
        points = await archive.cost_series(since, until, "day", by)
    return [point for point in points if not point.line.simulated]


def date_of(point: CostPoint) -> str:
    return datetime.fromtimestamp(point.at).strftime("%Y-%m-%d")
