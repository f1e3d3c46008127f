"""`python -m router`: the router process, and questions about a configuration that need none.

    serve    until SIGTERM or SIGINT: drains, writes everything down, ends
    doctor   what was looked for, as JSON: a list of contract.Finding
    prices   the prices in force, as JSON: a list of contract.PriceLine
    recost   history at these prices, as JSON: contract.Recosted
    import   what a file of CCR's or LiteLLM's becomes, as JSON: contract.Imported
    explain  the route of the request body on stdin, as JSON: contract.Explained

Exit codes: 0 done, 1 it could not be done (one line on stderr says why), 2 bad usage, 4 another
router holds this home.
"""

from __future__ import annotations

import signal

if __name__ == "__main__":
    # until the loop takes it over: Ctrl-C at start-up ends the process, and leaves no trace of ours
    signal.signal(signal.SIGINT, signal.SIG_DFL)

import argparse
import asyncio
import fcntl
import os
import socket
import sys
import time
from collections.abc import Container
from dataclasses import replace
from pathlib import Path
from typing import IO

import msgspec
import uvloop

from router import formats
from router.app import App, Door
from router.config import Flags, Probes, addresses, files, load, probe
from router.config.price_file import install
from router.config.report import report
from router.contract import Explain
from router.control.explain import explain
from router.control.listeners import listeners
from router.control.socket import Control
from router.doors.ccr import ccr
from router.doors.litellm import litellm
from router.doors.refusing import TurnedAway
from router.edge import Edge, PortTakenError, bind, bind_unix
from router.errors import ConfigError
from router.extras import ExtraMissingError, need_local
from router.prices import listing
from router.prices.recost import recost
from router.process import programs
from router.process.descriptors import clients, raised
from router.process.handover import Taken
from router.service import Router
from router.settings import Generation, Limits
from router.situation import Means
from storage.database import LedgerError
from storage.home import Home, home
from storage.writer import Ledger

ALREADY_RUNNING = 4
#: never contacted: stands for the simulator where nothing is served
NOWHERE = "http://127.0.0.1:9"


def main(arguments: list[str] | None = None) -> int:
    _standard()
    given = _arguments(arguments)
    os.umask(0o077)
    here = home()
    try:
        match given.command:
            case "serve":
                return _serve(here, given)
            case "doctor":
                _print(_load(here, _flags(given, NOWHERE, ""), 1).findings)
            case "import":
                _print(report(given.kind, given.file, os.environ))
            case "explain":
                _print(_explain(here, given))
            case "prices":
                _print(_prices(here, given))
            case "recost":
                return _recost(here, given)
    except (ConfigError, ExtraMissingError, PortTakenError, LedgerError, OSError) as error:
        sys.stderr.write(f"pointsman: {error}\n")
        return 1
    return 0


def _standard() -> None:
    """The three standard descriptors are open: else the first file of ours would get the number of
    one that is closed (`2>&-`), and with it what the log says on standard error."""
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # takes the lowest that is free


# ── serve ─────────────────────────────────────────────────────────────────────────────────────────


def _serve(here: Home, given: argparse.Namespace) -> int:
    here.make()
    lock = _lock(here)
    if lock is None:
        sys.stderr.write(
            f"pointsman: a router of this home already runs (pid {here.lock.read_text().strip()});"
            " attach with `pointsman`, or choose another home with POINTSMAN_HOME\n"
        )
        return ALREADY_RUNNING
    with lock:
        here.make()  # the router before may have taken a folder away as it left
        left = None
        try:
            left = uvloop.run(_run(here, given))
        finally:
            if left is None:
                here.leave()
    if left is not None:  # the same process and options, with the program as it is now
        words = [sys.executable, *sys.orig_argv[1:]]
        os.execve(words[0], words, {**os.environ, **left})  # noqa: S606 no shell is wanted
    return 0


def _lock(here: Home) -> IO[str] | None:
    """Held as long as the process lives; None where another router holds it."""
    lock = here.lock.open("a+")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        lock.close()
        return None
    lock.truncate(0)
    lock.write(f"{os.getpid()}\n")
    lock.flush()
    return lock


async def _run(here: Home, given: argparse.Namespace) -> dict[str, str] | None:
    """What a router that begins anew in this process is given; None where it just ended."""
    if given.local:
        need_local()
    simulator = bind("127.0.0.1", 0)
    model = bind("127.0.0.1", 0) if given.local else None
    flags = _flags(given, _address(simulator), _address(model) if model else "")
    taken = Taken(os.environ)
    generation = await asyncio.to_thread(_load, here, flags, 1, taken.ports)
    listen = generation.listen
    roots: dict[int, Door] = {}
    sockets = taken.listen(listen.host, listen.port, "--port")
    for port, door, flag in (
        (listen.litellm_port, litellm, "--litellm-port"),
        (listen.ccr_port, ccr, "--ccr-port"),
    ):
        if port:
            sockets += taken.listen(listen.host, port, flag)
            roots[port] = door
    ssh = taken.listen(listen.host, listen.ssh_port, "--ssh-port") if listen.ssh_port else []
    taken.close()
    said = None if given.log == "none" else given.log
    router = Router(here, generation, lambda number: _load(here, flags, number), said)
    router.spare["simulator"] = programs.simulator(router.log, simulator)
    if model is not None:
        router.children["local model"] = programs.local_model(router.log, model)
    if ssh:
        router.children["ssh"] = programs.ssh(router.log, generation, ssh)
    web = bind("127.0.0.1", 0)
    router.web = _address(web)
    router.spare["web"] = programs.web(router.log, generation, web)
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, router.stop)
    limits, descriptors = generation.limits, raised()
    allowed = clients(descriptors, limits.connections)
    if allowed < limits.connections:
        few = f"{descriptors} file descriptors (ulimit -n) allow {allowed} connections of clients"
        router.log.warning("router", f"{few}, not the {limits.connections} of [limits]")
    await router.run(
        Edge(
            App(router, roots),
            sockets,
            replace(limits, connections=allowed),
            TurnedAway(router),
        ),
        Edge(Control(router), [bind_unix(here.socket)], Limits()),
        [path for path in files(here, flags)],
        (lambda: None) if said else lambda: _ready(router),
    )
    return router.left


def _ready(router: Router) -> None:
    """For who started it in the background; with the log on standard error, that says so."""
    reached = listeners(router.generation, router.home.socket)
    _print({"ready": True, "pid": router.pid, "listeners": reached})


# ── questions ─────────────────────────────────────────────────────────────────────────────────────


def _explain(here: Home, given: argparse.Namespace) -> object:
    headers = dict(header.partition(":")[::2] for header in given.header)
    action = Explain(
        body=sys.stdin.read(),
        door=given.door,
        headers={name.strip(): value.strip() for name, value in headers.items()},
    )
    generation = _load(here, _flags(given, NOWHERE, ""), 1)
    known = formats.load()
    means = Means(formats=known)
    return asyncio.run(explain(action, known, generation, means, (), time.time()))


def _prices(here: Home, given: argparse.Namespace) -> object:
    """The prices in force; with `--update FILE`, after that price map took its place."""
    if given.update is not None:
        try:
            install(given.update, here.price_map)
        except ValueError as error:
            raise ConfigError(str(error), file=str(given.update)) from None
    return listing.lines(_load(here, _flags(given, NOWHERE, ""), 1), given.model or "")


def _recost(here: Home, given: argparse.Namespace) -> int:
    """Where no router runs: one would be asked."""
    here.make()
    lock = _lock(here)
    if lock is None:
        sys.stderr.write("pointsman: a router of this home runs: it is asked for this\n")
        return ALREADY_RUNNING
    with lock:
        generation = _load(here, _flags(given, NOWHERE, ""), 1)
        ledger = Ledger(here.ledger)
        try:
            _print(recost(ledger, generation, given.since, given.after, dry_run=given.dry_run))
        finally:
            ledger.close()
    return 0


def _load(here: Home, flags: Flags, number: int, held: Container[int] = ()) -> Generation:
    """Reads all there is, and asks the neighbours, but for those at ports that are `held`. Not to
    be called on a running loop."""
    found: Probes = asyncio.run(probe(addresses(os.environ), held))
    return load(here, os.environ, flags, number, found)


def _flags(given: argparse.Namespace, simulator_url: str, local_model_url: str) -> Flags:
    return Flags(
        host=given.host,
        port=given.port,
        litellm_port=given.litellm_port,
        ccr_port=given.ccr_port,
        ssh_port=given.ssh_port,
        litellm_config=given.litellm_config,
        directory=Path.cwd(),
        simulator_url=simulator_url,
        local_model_url=local_model_url,
    )


def _address(listening: socket.socket) -> str:
    host, port = listening.getsockname()[:2]
    return f"http://{host}:{port}"


def _print(value: object) -> None:
    sys.stdout.write(msgspec.json.encode(value).decode() + "\n")
    sys.stdout.flush()


def _arguments(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m router", description="The router process.")
    shared = argparse.ArgumentParser(add_help=False)
    shared.add_argument("--host")
    for name in ("--port", "--litellm-port", "--ccr-port", "--ssh-port"):
        shared.add_argument(name, type=int)
    shared.add_argument("--litellm-config", type=Path)
    shared.add_argument("--local", action="store_true", help="a real small model as ollama-local")
    commands = parser.add_subparsers(dest="command", required=True)
    serve = commands.add_parser("serve", parents=[shared])
    serve.add_argument("--log", default="none", choices=("none", "text", "json"))
    doctor = commands.add_parser("doctor", parents=[shared])
    doctor.add_argument("--json", action="store_true", help="the only form there is")
    listed = commands.add_parser("prices", parents=[shared])
    listed.add_argument("--update", type=Path, help="a price map in LiteLLM's form, to be used")
    listed.add_argument("model", nargs="?")
    again = commands.add_parser("recost", parents=[shared])
    again.add_argument("--since", type=float, default=0.0)
    again.add_argument("--after", type=int, default=0)
    again.add_argument("--dry-run", action="store_true")
    check = commands.add_parser("import")
    check.add_argument("kind", choices=("ccr", "litellm"))
    check.add_argument("file", type=Path)
    dry = commands.add_parser("explain", parents=[shared])
    dry.add_argument("--door", default="ccr", choices=("ccr", "litellm", "claude-code"))
    dry.add_argument("--header", action="append", default=[], metavar="NAME:VALUE")
    dry.add_argument("body", nargs="?", help="- for stdin, the only place it is read from")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
