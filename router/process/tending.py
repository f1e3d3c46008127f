"""Neighbours that the router runs: Open WebUI, n8n, and what pointsman.toml gives a command.

One rule: they get what they need to work through us and nothing of what we know: an environment of
their own, without any provider's key; what they say goes to a file of theirs, not to our log, since
it may hold what people wrote.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import sys
from collections.abc import Callable, MutableMapping
from pathlib import Path

from router.log import Log
from router.log.file import LogFile
from router.neighbours import programs
from router.process import bequest
from router.process.children import Child
from router.process.keeper import NOT_FOUND
from router.settings import Generation, Site

#: of our own environment
_KEPT = (
    *("PATH", "HOME", "LANG", "LC_ALL", "TZ", "TMPDIR", "SSL_CERT_FILE", "NODE_EXTRA_CA_CERTS"),
    *("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy"),
)
#: seconds for a program to end, its keeper included
GRACE = 12.0
#: bytes of what one says that are kept, twice
LARGEST = 5 * 1024 * 1024


class CannotTendError(Exception):
    """Why a neighbour was not started or stopped, and what to do."""


class Tending:
    """`children` is the router's own: whoever is in it is seen in its health."""

    def __init__(
        self,
        children: MutableMapping[str, Child],
        data: Path,
        log: Log,
        wall: Callable[[], float],
        path: Path,
    ) -> None:
        """`path`: what a router that restarts hands on."""
        self._path = path
        self._wall = wall
        #: those that ran under the router before, until they are started again
        self._before = frozenset(bequest.found(path, wall(), list[str]) or ())
        self._children = children
        self._data = data
        self._log = log
        self._keeping: dict[str, asyncio.Task[None]] = {}

    def start(self, site: Site) -> None:
        """Raises CannotTendError."""
        running = self._keeping.get(site.name)
        if running is not None and not running.done():
            raise CannotTendError(f"{site.title} already runs, or is being started again")
        if not site.command:
            raise CannotTendError(
                f"how {site.title} is started is not known: give [neighbours.{site.name}] a command"
            )
        folder = self._data / "neighbours" / site.name
        # not ours: Open WebUI writes a secret to wherever it is started
        directory = Path(site.directory or folder)
        wanted = site.command[0]
        beside = directory / wanted if "/" in wanted else wanted
        program = shutil.which(str(beside), path=site.env.get("PATH"))
        if program is None:
            rest = "".join(f', "{word}"' for word in site.command[1:])
            raise CannotTendError(
                f"{wanted} is not installed, or not on the router's PATH: `pointsman restart`"
                f" where the shell finds it, or under [neighbours.{site.name}] its whole path,"
                f' `command = ["/…/{Path(wanted).name}"{rest}]`. {site.hint}'
            )
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        except OSError as error:
            raise CannotTendError(f"its folder {folder}: {error.strerror}") from None
        if not directory.is_dir():
            raise CannotTendError(f"its directory {directory} is none")
        known = programs().get(site.name)
        if known is not None and known.rewire is not None:
            known.rewire(folder, site.env)
        output = LogFile(folder / "output.log", LARGEST, older=1)
        said = ""

        def report(line: str, complaint: bool) -> None:
            nonlocal said
            if child.state == "resting":  # the line is its keeper's; why it ended, it said itself
                child.trouble = f"{line}. It said: {said}" if said else line
            else:
                child.trouble = said = line[-300:]
            output.put(line)

        kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
        child = Child(
            site.name,
            [sys.executable, "-P", "-m", "router.process.keeper", program, *site.command[1:]],
            report,
            env={**kept, **site.env},
            clean=True,
            folder=directory,
            grace=GRACE,
            final=(NOT_FOUND,),
        )
        self._children[site.name] = child
        self._keeping[site.name] = asyncio.create_task(_kept(child, output))
        self._log.info("neighbours", f"{site.title} is started; what it says: {folder}/output.log")

    async def stop(self, name: str) -> None:
        """Returns when it has ended. Raises CannotTendError."""
        task = self._keeping.pop(name, None)
        if task is None:
            raise CannotTendError(f"{name} was not started here, so it is not ours to stop")
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
        self._children.pop(name, None)
        self._log.info("neighbours", f"{name} is stopped")

    def follow(self, generation: Generation) -> None:
        """Starts those that the configuration wants to run with the router, or that ran before it
        was restarted."""
        wanted, self._before = self._before, frozenset()
        for site in generation.sites:
            if (site.start or site.name in wanted) and site.name not in self._keeping:
                try:
                    self.start(site)
                except CannotTendError as error:
                    self._log.warning("neighbours", f"{site.title} was not started: {error}")

    def hand_on(self) -> None:
        """Writes down who is to run again, for the router after a restart."""
        running = [name for name, task in self._keeping.items() if not task.done()]
        if running:
            bequest.leave(self._path, self._wall(), running)

    async def close(self) -> None:
        await asyncio.gather(*(self.stop(name) for name in list(self._keeping)))


async def _kept(child: Child, output: LogFile) -> None:
    try:
        await child.keep()
    finally:
        output.close()
