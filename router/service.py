"""The router as a whole: its parts put together, started, reloaded and ended.

Everything that a stage needs hangs on `Router`; the clocks and the randomness too, so that no
stage has its own.
"""

from __future__ import annotations

import asyncio
import os
import random
import sys
import time
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import TYPE_CHECKING, Any

from router import formats, outgoing, upkeep
from router.added_models import AddedModels
from router.alerts import Alerts
from router.catalogue import configured
from router.config.pending import pending
from router.contract import Finding, Reloaded, ServiceView
from router.control.edits import Edits
from router.control.invitations import Invitations
from router.control.listeners import listeners
from router.control.visitors import Visitors
from router.cooldowns import Cooldowns
from router.custom import CustomRouters
from router.edge import Edge
from router.errors import ConfigError
from router.guards import proxied
from router.health import Health
from router.health.ollama import learnt
from router.health.passed import PASSED
from router.ids import new_id
from router.image_agent import ImageAgent, own_door
from router.inlining import Inlining
from router.live import RECENT, Live, midnight
from router.log import Log
from router.log.outlet import Form
from router.overrides import Overrides
from router.pauses import PAUSE
from router.process.children import Child
from router.process.handover import give, keep
from router.process.sd_notify import Manager
from router.process.tending import Tending
from router.projects import Projects
from router.response_cache import ResponseCache
from router.responses.remembered import Remembered
from router.sessions import Sessions
from router.settings import Generation
from router.signers import Signers
from router.signing import Signing
from router.situation import Means
from router.spending.cashier import Cashier
from router.telemetry.conventions import Callee
from router.telemetry.meters import Meters, Names
from router.tokens import Counter
from router.transport import Proxies, Transport
from storage.home import Home
from storage.writer import Ledger

if TYPE_CHECKING:
    from router.telemetry.otel import Telemetry

#: seconds that running requests have to finish when the router is stopped
DRAIN = 20.0
#: seconds of silence after which a stream's client is sent its dialect's keep-alive
PING = 15.0


class Router:
    """One running router. `reload_from` builds the next Generation from the files as they are;
    `said` as for Log."""

    #: another machine, whose request a proxy on this one brought ("": none did)
    came_for = ""
    #: the files that are always looked at, all that are watched, and those that keep the next
    #: generation out: the one that is wrong, and one that it misses
    files: tuple[Path, ...] = ()
    watched: frozenset[Path] = frozenset()
    broken: tuple[Path, ...] = ()
    #: variables for the router that begins anew in this process, once `run` has returned
    left: dict[str, str] | None = None

    def __init__(
        self,
        home: Home,
        generation: Generation,
        reload_from: Callable[[int], Generation],
        said: Form | None = None,
    ) -> None:
        self.home = home
        #: in force; `configured`: as the files say it, without what was learnt since; `begun_with`:
        #: what the router was started with
        self.generation = self.configured = self.begun_with = generation
        self.config_error = ""
        self._reload_from = reload_from
        self.pid = os.getpid()
        #: asked for once: each further time would be a system call
        self.loop = asyncio.get_running_loop()
        self.wall, self.now = time.time, time.monotonic
        self.chance = random.random
        self.ping = PING
        self.began, self.began_at = self.now(), self.wall()
        self.formats = formats.load()
        self.manager = Manager()
        self.ledger = Ledger(home.ledger, tell=self._updating)
        self.log = Log(self.ledger.log, home.ccr_log, generation.log_level, self.wall, said)
        self.telemetry = self._telemetry(generation)
        self.overrides = Overrides(self.ledger.kept_overrides(), self.ledger, self.wall)
        today, before = self.ledger.today(midnight(self.wall())), self.ledger.recent(RECENT)
        self.live = Live(self.wall, self.now, today, before)
        #: sessions whose new requests are refused (router/pauses.py)
        self.paused = {session for session, _ in self.ledger.kept(PAUSE)}
        self.edits = Edits(home.route_edits)
        self.added = AddedModels(home.litellm_models, self.reload)
        self.visitors = Visitors(self.live.tell)
        self.invitations = Invitations(self.wall, home.browsers)
        self.counter = Counter()
        self.meters = Meters(Names(self._configured))
        self.sessions = Sessions()
        self.signers = Signers()
        self.remembered = Remembered()
        self.custom = CustomRouters(lambda line: self.log.info("custom router", line))
        self.cooldowns = Cooldowns()
        self.signing = Signing(self.wall)
        self.inlining = Inlining()
        self.transport = Transport(proxies=_proxies(generation, self.log))
        self.alerts = Alerts(
            self.wall,
            self.live.tell,
            lambda line: self.log.warning("alert", line),
            self.transport,
            lambda: (self.generation.webhook, self.generation.webhook_for),
        )
        self.cashier = Cashier(self.ledger, self.wall, self.alerts.raised)
        self.cashier.follow(generation.budgets)
        self.live.budgets = self.cashier.views
        self.cache = ResponseCache(self.wall, generation.cache)
        self.means = Means(
            self.counter,
            self.sessions,
            Projects(home.claude_projects),
            self.custom,
            image_agent=ImageAgent(own_door(self.transport, lambda: self.generation)),
            formats=self.formats,
        )
        self.children: dict[str, Child] = {}
        #: where the child answers that serves the console to browsers
        self.web = ""
        #: children started only once the configuration needs them
        self.spare: dict[str, Child] = {}
        self.tending = Tending(self.children, home.data, self.log, self.wall, home.neighbours)
        self.health = Health(
            self.wall, self.now, self.cooldowns, self.children, self.ledger.kept(PASSED)
        )
        self.health.troubles["CCR"] = lambda: (
            f"custom router: {self.custom.trouble}" if self.custom.trouble else ""
        )
        self._reloading = asyncio.Lock()
        self._stopping = asyncio.Event()
        self._again = False  # another router is about to take our place
        #: other files than before are to be watched
        self.refollow = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []

    # ── what the stages ask ───────────────────────────────────────────────────────────────────

    def new_id(self) -> str:
        return new_id(self.wall())

    def came_through(self, forwarded: str) -> None:
        """A request has come through a proxy: said once, where no key is asked for."""
        self.came_for = proxied.far(forwarded)
        if finding := proxied.problem(self.came_for, self.generation):
            self.log.warning("router", f"{finding.where}: {finding.detail}")

    def findings(self) -> tuple[Finding, ...]:
        """What start-up found, and what showed itself since."""
        since = (
            proxied.problem(self.came_for, self.generation),
            pending(self.begun_with, self.configured),
        )
        return (*self.generation.findings, *filter(None, since))

    def repriced(self) -> None:
        """History has other costs now. Waits for the disk, some milliseconds, so that no request
        ends between what the ledger says and what is counted on."""
        self.ledger.flush(1.0)
        self.live.recount(self.ledger.today(midnight(self.wall())))
        self.cashier.accounts.reread()

    def services(self) -> tuple[ServiceView, ...]:
        return self.health.views(self.generation)

    # ── life ──────────────────────────────────────────────────────────────────────────────────

    def _updating(self, seconds: float) -> None:
        """A ledger of an older version is made anew: who waits for us goes on waiting."""
        words = f"the ledger of an older version is brought up to date: {seconds:.0f} s so far"
        self.manager.tell("EXTEND_TIMEOUT_USEC=60000000", f"STATUS={words}")
        sys.stderr.write(f"pointsman, at work: {words}\n")
        sys.stderr.flush()

    def stop(self, *, again: bool = False) -> None:
        """`again`: another router is about to take our place; children that can, stay for it."""
        for child in self.children.values():
            child.lingers = again and child.can_linger
        self._again = again
        self._stopping.set()

    async def reload(self) -> str:
        """Builds the next generation and swaps it in. Returns why it was refused, or "".

        One at a time: a slower one must not put older files over newer ones."""
        async with self._reloading:
            try:
                built = await asyncio.to_thread(self._reload_from, self.generation.number + 1)
            except ConfigError as error:
                self.config_error = str(error)
                # it is mended there, or not at all
                self.broken = tuple(map(Path, filter(None, (error.file, error.missing))))
                self.log.error("config", f"not taken: {error}")
            else:
                self.config_error, self.broken = "", ()
                if built.follows != self.generation.follows:
                    self.refollow.set()
                self.configured = built
                self.generation = learnt(built, self.health.probes.rooms)
                outgoing.forget()
                self.transport.forget()
                self.log.set_level(built.log_level)
                self.cashier.follow(built.budgets)
                self.cache.follow(built.cache)
                self._simulate()
                self.tending.follow(built)
                self.log.info("config", f"generation {built.number} is in force")
                if waits := pending(self.begun_with, built):
                    self.log.warning("config", waits.detail)
            if not upkeep.to_watch(self) <= self.watched:
                self.refollow.set()
            self.live.tell(Reloaded(self.generation.number, self.config_error))
            return self.config_error

    async def run(
        self, edge: Edge, control: Edge, files: list[Path], ready: Callable[[], None]
    ) -> None:
        """Serves until `stop()`; then drains, writes everything down and ends the children.

        `files` are watched; `ready` is called once it listens.
        """
        self.files = tuple(files)
        for child in self.children.values():
            self._task(child.keep())
        self._simulate()
        self.tending.follow(self.generation)
        self._task(self.live.pulse())
        self._task(upkeep.tick(self))
        self._task(self.alerts.deliver())
        self._task(upkeep.probe(self))
        self._task(upkeep.follow(self))
        self._task(upkeep.settle(self))
        self._task(self.manager.watch())
        await edge.start()
        await control.start()
        where = ", ".join(
            f"{one.address} ({one.name})" for one in listeners(self.generation, self.home.socket)
        )
        self.log.info("router", f"started, generation {self.generation.number}: {where}")
        ready()
        self.manager.tell("READY=1", f"STATUS=generation {self.generation.number}")
        await self._stopping.wait()
        anew = self._again and self.manager.holds_us
        self.manager.tell("STATUS=begins anew" if anew else "STOPPING=1")
        self.log.info("router", f"stopping, {len(self.live.running)} requests still run")
        if self._again:
            fds = [fd for child in self.children.values() if child.lingers for fd in child.fds]
            fds += edge.listening()
            if anew:
                self.left = keep(fds) | self.manager.given
            else:
                give(self.home.handover, fds)
            self.invitations.hand_on()
            self.tending.hand_on()
        await edge.drain(DRAIN)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.tending.close()
        await control.drain(0.5)
        await self.transport.close()
        await self.inlining.close()
        await self.custom.close()
        await self.health.probes.close()
        if self.telemetry is not None:
            await asyncio.to_thread(self.telemetry.close)
        upkeep.keep_health(self)
        self.log.info("router", "stopped")
        self.log.close()
        self.ledger.close()

    def need(self, name: str) -> Child | None:
        """A child that is started when it is first needed; None where there is none."""
        if child := self.spare.pop(name, None):
            self.children[name] = child
            self._task(child.keep())
        return self.children.get(name)

    def _simulate(self) -> None:
        """Starts the simulator when a provider of the running generation needs it."""
        if any(p.simulated and not p.plane for p in self.generation.providers.values()):
            self.need("simulator")

    def _configured(self, provider: str, model: str) -> bool:
        return configured(self.generation, provider, model)

    def _telemetry(self, generation: Generation) -> Telemetry | None:
        """Imported here: the SDK is an extra, and half a second of start."""
        if generation.otlp is None:
            return None
        from router.telemetry.otel import Telemetry

        def complain(words: str) -> None:
            self.log.warning("telemetry", words)

        def callee(provider: str) -> Callee:
            known = self.generation.providers.get(provider)
            return Callee(known.kind, known.base) if known is not None else Callee()

        telemetry = Telemetry(generation.otlp, complain, callee, Names(self._configured))
        self.log.add(telemetry.logged)
        return telemetry

    def _task(self, work: Coroutine[Any, Any, None]) -> None:
        self._tasks.append(asyncio.create_task(self._supervised(work)))

    async def _supervised(self, work: Coroutine[Any, Any, None]) -> None:
        try:
            await work
        except Exception as error:  # noqa: BLE001  a lost background task must not go unseen
            self.log.incident("router", error)


def _proxies(generation: Generation, log: Log) -> Proxies:
    """The environment's, else what the configuration names for every provider."""
    found = Proxies.from_env(os.environ)
    if generation.proxy and not (found.http or found.https):
        named = generation.proxy.reveal()
        found = Proxies.from_env({**os.environ, "HTTP_PROXY": named, "HTTPS_PROXY": named})
    for trouble in found.troubles:
        log.warning("router", f"{trouble}: what is to go through it will fail")
    return found
