"""The questions and switches of a console that are more than a lookup: models, routes, pauses.

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
    ClearCooldown,
    Done,
    EditRoutes,
    ListModels,
    Models,
    Pause,
    PausedChanged,
    Question,
    Recost,
    Refused,
    ReplayRoutes,
    RequestFilter,
    Result,
    Resume,
    ServicesChanged,
    ShowRoutes,
    UndoRoutes,
    WeighOverride,
)
from router.control.replay import replay
from router.control.routes import shown
from router.pauses import PAUSE
from router.prices.recost import recost
from router.rules import warm
from storage.readers import Archive, ArchiveError

if TYPE_CHECKING:
    from router.service import Router

Switch = Pause | Resume | ClearCooldown


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


async def switch(router: Router, action: Switch) -> Result:
    by = said_by(action.by)
    if isinstance(action, ClearCooldown):
        if router.generation.provider(action.provider) is None:
            return Refused(f"no provider is named {action.provider!r}")
        count = router.cooldowns.clear(action.provider)
        router.live.tell(ServicesChanged(router.services()))
        router.log.info("control", f"{by}cleared the rest of {action.provider}")
        return Done(f"{action.provider} is asked again" if count else "nothing rested there")
    if not action.session:
        return Refused("which session? A request without one cannot be paused")
    if isinstance(action, Pause):
        if not await _seen(router, action.session):
            listed = "`pointsman session list` shows those of late"
            return Refused(f"no session {action.session[:100]!r} is known: {listed}")
        router.paused.add(action.session)
        router.ledger.keep(PAUSE, action.session, "{}")
        words = f"paused session {action.session}: its new requests are refused"
    elif action.session == "all":
        count = len(router.paused)
        words = f"resumed {count} session{'s' * (count != 1)}"
        for session in router.paused:
            router.ledger.keep(PAUSE, session, None)
        router.paused.clear()
    elif action.session in router.paused:
        router.paused.discard(action.session)
        router.ledger.keep(PAUSE, action.session, None)
        words = f"resumed session {action.session}"
    else:
        return Refused(f"session {action.session!r} is not paused")
    router.live.tell(PausedChanged(tuple(sorted(router.paused))))
    router.log.info("control", f"{by}{words}")
    return Done(words)


async def _seen(router: Router, session: str) -> bool:
    """Whether a session has ever asked for something: a mistyped id must not look as if it were
    heeded. A ledger that cannot be read is no reason to let one go on."""
    live = router.live
    if any(one.caller.session == session for one in live.running.values()):
        return True
    if any(one.session == session for one in live.recent):
        return True
    archive = Archive(router.home.ledger)
    try:
        return bool(await archive.requests(RequestFilter(session=session), 1))
    except (sqlite3.Error, ArchiveError):
        return True
    finally:
        await archive.close()


def weighed(router: Router, scope: str, target: str) -> str:
    """What an override would throw away, for people; "" for nothing."""
    met = router.sessions.under(scope)
    return warm.thrown_away(met, target, router.generation, router.wall())


def said_by(who: str) -> str:
    return f"{who}: " if who else ""
