"""Runs the simulator: `python -m router.simulator --fd N` (a listening socket), until stdin closes.

`--port N` listens on loopback itself and says where, for use by hand; 0 takes a free port.
"""

from __future__ import annotations

import argparse
import os
import signal
import socket
import sys
from types import FrameType

import uvicorn

from router.process import lifeline
from router.simulator.app import Simulator


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m router.simulator", description=__doc__)
    where = parser.add_mutually_exclusive_group(required=True)
    where.add_argument("--fd", type=int, help="an inherited listening socket")
    where.add_argument("--port", type=int, help="a port on 127.0.0.1; 0: a free one")
    options = parser.parse_args(arguments)
    try:
        pace = float(os.environ.get("POINTSMAN_SIMULATOR_PACE", "1"))
    except ValueError:
        parser.error("POINTSMAN_SIMULATOR_PACE must be a number: 0 answers at once, 1 is normal")

    if options.fd is not None:
        listener = socket.socket(fileno=options.fd)
    else:
        listener = socket.create_server(("127.0.0.1", options.port))
        sys.stdout.write(f"http://127.0.0.1:{listener.getsockname()[1]}\n")
        sys.stdout.flush()
    serve(listener, pace)


class _Server(uvicorn.Server):
    """Ctrl-C reaches a parent's whole group; the parent ends us once its own requests are done."""

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        if sig != signal.SIGINT or sys.stdin.isatty():
            super().handle_exit(sig, frame)


def serve(listener: socket.socket, pace: float) -> None:
    """Until stdin closes or SIGTERM comes."""
    config = uvicorn.Config(
        Simulator(pace),
        lifespan="off",
        log_config=None,
        log_level="critical",  # a drill that cuts a connection is no news
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=1,
    )
    server = _Server(config)

    def stop() -> None:
        server.should_exit = True

    lifeline.watch(stop)
    server.run(sockets=[listener])


if __name__ == "__main__":
    main()
