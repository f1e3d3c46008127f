"""What a running router does by itself, beside the requests: each a task that `Router.run` starts.

One rule: none of it is waited for by a request.
"""

from __future__ import annotations

import asyncio
import gc
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from router.config import made_next, watch
from router.contract import OverridesChanged, ServicesChanged, ServiceView
from router.health import takeover
from router.health.ollama import learnt
from router.health.passed import PASSED
from router.prices import warm
from router.pruning import Pruning
from router.record import KEPT_AFTER
from router.tokens.vocab import encoding

if TYPE_CHECKING:
    from router.service import Router

#: seconds between probes of what runs on this machine
INTERVAL = 5.0
#: seconds between looks at what should be written or pruned
TICK = 0.25
#: seconds until a request that runs on is written down again, with its newer figures
KEPT_AGAIN = 5.0
#: seconds between two times that what health knows of each service is kept
KEPT_HEALTH = 20.0
#: a file that is gone or empty is taken to be so after this many looks, and seconds between them
GLANCES, GLANCE = 5, 0.2
#: new objects until the collector looks at them; a request leaves hardly a cycle behind
YOUNG = 50_000


async def settle(router: Router) -> None:
    """Loads what the first requests would wait for; then takes all of it out of the collector's
    sight, which would else walk hundreds of thousands of lasting objects again and again."""
    await asyncio.to_thread(encoding)
    await asyncio.to_thread(warm, router.generation)
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG, 20, 50)


async def tick(router: Router) -> None:
    """Long requests are kept while they run, so that a killed router still shows them; who
    waits for a stream to begin is told that it will; what overrides did, and that one has
    expired, is told. What health knows is kept, and what is too old is let go."""
    kept = router.now()
    pruning = Pruning(router.wall(), kept)
    overrides = router.overrides.views(router.generation)
    while True:
        await asyncio.sleep(TICK)
        if (views := router.overrides.views(router.generation)) != overrides:
            overrides = views
            router.live.tell(OverridesChanged(views))
        now = router.now()
        for record in router.live.running.values():
            due = now >= record.keep_at and (record.cost or now - record.started >= KEPT_AFTER)
            if due or (record.kept_unused and record.cost):
                record.keep_at = now + KEPT_AGAIN
                record.kept_unused = record.entry is not None and not record.cost
                router.ledger.request(record.detail())
            border = record.border
            if border is not None and now - (record.pinged or record.started) >= router.ping:
                border.ping(now)
        if now - kept > KEPT_HEALTH:
            kept = now
            keep_health(router)
        if pruning.leapt(wall := router.wall(), now):
            text = f"the clock has leapt to {datetime.fromtimestamp(wall, UTC):%F %R} UTC"
            router.log.info("router", f"{text}: nothing old is let go for an hour")
        if pruning.due(now):
            generation = router.generation
            oldest = wall - generation.retention_days * 86_400
            router.ledger.prune(oldest, generation.retention_bytes)


def keep_health(router: Router) -> None:
    """What is known of each service outlives the router."""
    for id, data in router.health.kept():
        router.ledger.keep(PASSED, id, data)


async def probe(router: Router) -> None:
    """Asks each service how it is, learns what it can do, and tells and keeps what has changed."""
    shown: tuple[ServiceView, ...] = ()
    while True:
        configured = router.configured
        await router.health.probes.ask(configured)
        if configured is router.configured and not router.config_error:
            await _take_over(router)
            configured = router.configured
        known = learnt(configured, router.health.probes.rooms)
        if configured is router.configured and known.providers != router.generation.providers:
            router.generation = known
        if (services := router.services()) != shown:
            shown = services
            for change in router.health.changed(services):
                router.ledger.health(change)
                if change.state == "down" and change.kind in ("provider", "local"):
                    router.alerts.raised("provider", change.service, f"is down: {change.reason}")
            router.live.tell(ServicesChanged(services))
        await asyncio.sleep(INTERVAL)


def to_watch(router: Router) -> frozenset[Path]:
    """The files that are always looked at, those that the generation in force names, and those that
    keep the next out."""
    named = map(Path, router.generation.follows)
    return frozenset(map(made_next, (*router.files, *named, *router.broken)))


async def written(paths: set[Path]) -> None:
    """Waits a moment for files that are gone or empty: some programs save so, and between the two
    all that the file says would be unsaid."""
    for _ in range(GLANCES):
        if all(map(_says_something, paths)):
            return
        await asyncio.sleep(GLANCE)


def _says_something(path: Path) -> bool:
    try:
        return path.stat().st_size > 0
    except OSError:
        return False


async def _take_over(router: Router) -> None:
    """Plays the part of a real LiteLLM or CCR that has gone, where that is wanted."""
    left = takeover.due(router.configured, router.health.probes.gone)
    for role in left:
        words = f"{role.title} has gone from {role.url}"
        router.log.warning("router", f"{words}: this router plays its part")
    if left:
        await router.reload()  # which looks who is there, as at the start


async def follow(router: Router) -> None:
    """Reads the configuration again whenever one of its files has changed."""
    moved = False
    while True:
        router.refollow.clear()
        router.watched = to_watch(router)
        changes = watch(router.watched, router.refollow)
        first = asyncio.ensure_future(anext(changes, None))
        try:
            if moved:  # what was written between the last look and the new watch
                await asyncio.sleep(0)  # it watches from here on
                await router.reload()
            seen = await first
        finally:
            first.cancel()
        while seen is not None:
            await written(seen)
            await router.reload()
            seen = await anext(changes, None)
        if not router.refollow.is_set():
            return
        moved = True
