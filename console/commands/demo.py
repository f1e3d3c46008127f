"""`pointsman demo`: a router with simulated traffic of every kind, in a home of its own."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

import click

from console.output import fail, out, say

if TYPE_CHECKING:
    from router.contract import Snapshot
    from storage.home import Home

section = "Run"


@click.command()
@click.option("--headless", is_flag=True, help="No console: send traffic, then print a summary")
@click.option(
    "--seconds", type=click.FloatRange(1, 3600), default=20.0, help="With --headless  [20]"
)
def command(headless: bool, seconds: float) -> None:
    """Look at a router with simulated traffic. Nothing real is asked, nothing of yours is touched.

    It has a temporary home and free ports, and is gone afterwards. The console opens on an
    invented month of requests; the simulated ones follow them.
    """
    with temporary_router(past=not headless) as (here, url):
        if headless:
            asyncio.run(_watched(here, url, seconds))
        else:
            _show(here, url)


@contextmanager
def temporary_router(past: bool = False) -> Iterator[tuple[Home, str]]:
    """A router in a home of its own, and the address of its front door; both gone at the end.
    With a `past`, an invented month is in its ledger."""
    from console.demo.traffic import bare, settings_text
    from console.link import RouterDownError
    from console.process.starting import StartError, start_router
    from console.process.stopping import StopError, stop_router
    from storage.home import home

    for number in (signal.SIGTERM, signal.SIGHUP):  # a closed terminal must leave no router behind
        signal.signal(number, lambda signum, _: sys.exit(128 + signum))
    folder = tempfile.mkdtemp(prefix="pointsman-demo-")
    env = bare(os.environ, folder)
    here = home(env)
    here.make()
    here.toml.write_text(settings_text(), "utf-8")
    front, litellm, ccr = free_ports(3)
    ports = ["--port", front, "--litellm-port", litellm, "--ccr-port", ccr, "--ssh-port", "0"]
    try:
        say("starting a router with nothing but simulated models…")
        if past:
            invent(here)
        asyncio.run(start_router(here, ports, env=env, cwd=folder))
        yield here, f"http://127.0.0.1:{front}"
    except StartError as error:
        fail(str(error))
    finally:
        for number in (signal.SIGTERM, signal.SIGHUP):  # a second one must not cut this short
            signal.signal(number, signal.SIG_IGN)
        try:
            with suppress(RouterDownError):
                asyncio.run(stop_router(here, "demo"))
        except StopError as error:
            say(str(error))
        shutil.rmtree(folder, ignore_errors=True)


def invent(here: Home) -> None:
    """Writes the invented month; before the router starts, which alone writes from then on."""
    import time

    import msgspec

    from console.demo.past import past
    from console.process.program import environment

    lines = b"\n".join(map(msgspec.json.encode, past(time.time())))
    here.ledger.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    subprocess.run(
        [sys.executable, "-m", "storage.restore", str(here.ledger)],
        input=lines,
        check=True,
        env=environment(),
    )


def _show(here: Home, url: str) -> None:
    from console.process.program import environment
    from console.process.stopping import STOP_PATIENCE

    # the console, and what it starts, look at the demo's home and not at the person's own
    os.environ["POINTSMAN_HOME"] = str(here.config)
    traffic = subprocess.Popen(
        [sys.executable, "-m", "console.demo.traffic", url],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env=environment(),
        start_new_session=True,  # it outlives a terminal that is closed
    )
    try:
        from console.app import run

        run(here, demo=True)
    finally:
        assert traffic.stdin is not None
        traffic.stdin.close()
        traffic.wait(timeout=STOP_PATIENCE)


async def _watched(here: Home, url: str, seconds: float) -> None:
    from console.demo.traffic import traffic
    from console.process.presence import running

    say(f"POINTSMAN_HOME={here.config}  front door {url}  for {seconds:g} s")
    work = asyncio.create_task(traffic(here, url))
    await asyncio.wait({work}, timeout=seconds)
    snapshot = await running(here)
    work.cancel()
    await asyncio.gather(work, return_exceptions=True)
    if snapshot is None:
        fail("the router ended while the demo ran")
    _summary(snapshot)


def _summary(snapshot: Snapshot) -> None:
    from console.commands.status import show

    show(snapshot, snapshot.beat.at)
    rules = sorted({view.rule for view in snapshot.recent if view.rule})
    out(f"rules seen: {', '.join(rules)}")


def free_ports(count: int) -> list[str]:
    """Ports that are free now. Another program may take one first; then the start says so."""
    sockets = [socket.socket() for _ in range(count)]
    try:
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [str(one.getsockname()[1]) for one in sockets]
    finally:
        for one in sockets:
            one.close()
