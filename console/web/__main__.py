"""`python -m console.web`: lets browsers in, a process of its own, started by the router.

Its rule: one JSON line on stdout says {"listening": port}; what happens later goes to stderr, a
JSON line each. With --child it ends when its stdin closes. Browsers reach it through the router's
front door, below /console.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import socket
import sys
from collections.abc import Sequence

from websockets.asyncio.server import ServerConnection, serve
from websockets.typing import Subprotocol

from console.remote import log
from console.remote.options import Options
from console.remote.starter import Starter, say
from console.web.server import LARGEST, SUBPROTOCOL, Server
from storage.home import home, user_home


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m console.web")
    parser.add_argument("--fd", type=int, required=True, help="a bound socket to inherit")
    parser.add_argument("--home", default=os.environ.get("POINTSMAN_HOME", ""))
    parser.add_argument("--router-port", type=int, default=5000)
    parser.add_argument("--litellm-port", type=int, default=4000)
    parser.add_argument("--ccr-port", type=int, default=3456)
    parser.add_argument("--child", action="store_true", help="end when stdin closes")
    given = parser.parse_args()
    log.take_over()
    options = Options(
        home=home({"POINTSMAN_HOME": given.home}),
        home_given=given.home,
        user_home=user_home(),
        router_port=given.router_port,
        litellm_port=given.litellm_port,
        ccr_port=given.ccr_port,
    )
    asyncio.run(_serve(options, socket.socket(fileno=given.fd), given.child))
    return 0


async def _serve(options: Options, bound: socket.socket, is_child: bool) -> None:
    starter = Starter()
    await starter.watch(is_child)
    server = Server(options)
    async with serve(
        server.talk,
        sock=bound,
        process_request=server.answer,
        select_subprotocol=_ours,
        max_size=LARGEST,
        server_header=None,
        # a terminal is many small messages that must not wait for each other
        compression=None,
        open_timeout=10,
        ping_interval=20,
        ping_timeout=20,
        close_timeout=2,
    ):
        say({"listening": bound.getsockname()[1]})
        await starter.stop.wait()
        await server.close()


def _ours(_: ServerConnection, __: Sequence[Subprotocol]) -> Subprotocol:
    """Who did not offer it was refused before (server.py)."""
    return Subprotocol(SUBPROTOCOL)


if __name__ == "__main__":
    sys.exit(main())
