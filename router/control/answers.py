"""What a console asks that is more than a lookup: models, prices, routes and their edits.

One rule: what takes more than a moment (prices, a replay) runs off the router's loop.
"""

from __future__ import annotations

import asyncio
import sqlite3
from functools import partial
from typing import TYPE_CHECKING

import msgspec

from router.catalogue import models
from router.contract import (
    AddModels,
    Done,
    EditRoutes,
    ListModels,
    Models,
    Question,
    Recost,
    Refused,
    ReplayRoutes,
    Result,
    ShowRoutes,
    UndoRoutes,
    WeighOverride,
)
from router.control.replay import replay
from router.control.routes import shown
from router.prices.recost import recost
from router.rules import warm
from storage.readers import Archive

if TYPE_CHECKING:
    from router.service import Router


async def answer(router: Router, question: Question) -> Result:
    generation = router.generation
    match question:
        case ListModels():
            return Models(await asyncio.to_thread(models, generation))
        case Recost(since, after, dry_run):
            ledger = router.ledger
            try:
                work = partial(recost, ledger, generation, since, after, dry_run=dry_run)
                done = await asyncio.to_thread(work, busy=lambda: bool(router.live.running))
            except sqlite3.Error as error:
                return Refused(f"the ledger: {error}")
            if done.changed and not dry_run:
                router.repriced()
                text = f"{said_by(question.by)}priced {done.changed:,} requests anew"
                router.log.info("control", text)
            return done
        case WeighOverride(scope, target):
            return Done(warning=weighed(router, scope, target))
        case ShowRoutes():
            view = shown(generation, router.overrides.in_force(), str(router.home.toml))
            return msgspec.structs.replace(view, undo=router.edits.newest)
        case ReplayRoutes():
            archive = Archive(router.home.ledger)
            try:
                return await replay(question, generation, archive)
            finally:
                await archive.close()
        case EditRoutes():
            edited = await router.edits.edit(router, question)
        case AddModels():
            edited = await router.edits.add(router, question)
        case UndoRoutes():
            edited = await router.edits.undo(router)
    if not isinstance(edited, Refused) and edited.applied:
        router.log.info("control", f"{said_by(question.by)}routes: {edited.message}")
    return edited


def weighed(router: Router, scope: str, target: str) -> str:
    """What an override would throw away, for people; "" for nothing."""
    met = router.sessions.under(scope)
    return warm.thrown_away(met, target, router.generation, router.wall())


def said_by(who: str) -> str:
    return f"{who}: " if who else ""
