"""A whole router inside the test's own process: its parts can be looked at, its clocks set."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from router.app import App
from router.config import Flags, Probes, load
from router.control.socket import Control
from router.doors.refusing import TurnedAway
from router.edge import Edge, bind, bind_unix
from router.service import Router
from router.settings import Generation, Limits
from storage.home import Home


@asynccontextmanager
async def served(home: Home) -> AsyncIterator[tuple[Router, str]]:
    """The router of a home whose files are written, and the front door's address."""

    def built(number: int) -> Generation:
        flags = Flags(directory=home.config, simulator_url="http://127.0.0.1:9")
        return load(home, {}, flags, number, Probes())

    router = Router(home, built(1), built)
    sock = bind("127.0.0.1", 0)
    address = f"http://127.0.0.1:{sock.getsockname()[1]}"
    edge = Edge(App(router, {}), [sock], Limits(), TurnedAway(router))
    control = Edge(Control(router), [bind_unix(home.socket)], Limits())
    ready = asyncio.Event()
    life = asyncio.create_task(router.run(edge, control, [], ready.set))
    try:
        await ready.wait()
        yield router, address
    finally:
        router.stop()
        await life
