"""`pointsman doctor`: what start-up found, and whether this machine is in order."""

from __future__ import annotations

import asyncio
import os
import platform
import shutil
import socket
import sqlite3
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from console.output import FAILED, block, out, print_json, red, say
from console.tables import INDENT, room, wrapped
from console.text import clean, when

if TYPE_CHECKING:
    from router.contract import Finding, Snapshot
    from storage.home import Home

#: seconds by which a request may be newer than now
AHEAD = 120.0

section = "Look"

#: what a listener is called, its key in [listen] of pointsman.toml, where it is by default
PORTS = (
    ("front door", "port", 5000),
    ("LiteLLM", "litellm_port", 4000),
    ("CCR", "ccr_port", 3456),
    ("SSH", "ssh_port", 2222),
)
MARKS = {"found": "✓", "made": "+", "absent": "·", "problem": "!"}


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print JSON")
@click.option("--fix", is_flag=True, help="Mend what can be mended without a decision of yours")
@click.pass_context
def command(ctx: click.Context, as_json: bool, fix: bool) -> None:
    """Say what was found and where, and what is wrong. Ends with 1 if something is.

    ✓ found   + made by us   · absent   ! a problem

    --fix takes from others the right to read files of ours and files with keys, and makes folders
    that are missing. It stops no program and changes no line of a file.
    """
    from console import household
    from console.process.presence import running
    from storage.home import home

    here = home()
    if fix:
        for line in household.mended(here):
            say(line)
    snapshot = asyncio.run(running(here))
    if fix and snapshot is not None:
        snapshot = asyncio.run(looked_again(here))
    found = list(snapshot.findings) if snapshot else of_configuration()
    ailment, newest = asyncio.run(of_ledger(here))
    order = household.findings(here, ailment)
    machine = [*of_router(here, snapshot), *of_program(), *order, *of_clock(newest), *of_ssh(here)]
    if snapshot is None:
        machine += of_ports(here)
    if as_json:
        print_json({"running": snapshot is not None, "findings": [*found, *machine]})
    else:
        show("Found", found)
        show("This machine", machine)
    problems = sum(finding.state == "problem" for finding in (*found, *machine))
    if problems:
        say(f"{problems} problem{'s' if problems > 1 else ''}, marked with !")
        ctx.exit(FAILED)


def show(title: str, findings: list[Finding]) -> None:
    lines = []
    cells = room()
    for finding in findings:
        line = f"{MARKS[finding.state]} {clean(finding.what)}  {clean(finding.where)}".rstrip()
        lines.append(red(line) if finding.state == "problem" else line)
        if finding.detail:
            detail = clean(finding.detail, limit=2000)
            lines += [f"{' ' * 4}{line}" for line in wrapped(detail, cells and cells - INDENT - 4)]
    block(title, lines)
    if title == "Found" and not lines:
        out("nothing was looked for")


def of_configuration() -> list[Finding]:
    """The router's own look at the files, the environment and the neighbours, without serving."""
    import msgspec

    from console.process.program import ask_without_router
    from router.contract import Finding

    answer, said = ask_without_router(["doctor", "--json"])
    try:
        return msgspec.json.decode(answer, type=list[Finding])
    except msgspec.DecodeError:
        return [Finding("configuration", "", "problem", said)]


def of_router(here: Home, snapshot: Snapshot | None) -> Iterator[Finding]:
    from console.process.presence import silent_holder
    from router.contract import VERSION, Finding

    if snapshot is None:
        holder = silent_holder(here)
        if holder:
            text = (
                f"process {holder} holds it but does not answer: wait, or `kill {holder}` ends it"
            )
            yield Finding("router", str(here.lock), "problem", text)
        else:
            yield Finding("router", str(here.socket), "absent", "not running: `pointsman start`")
        return
    if snapshot.config_error:
        yield Finding("newest edit", snapshot.home, "problem", f"refused: {snapshot.config_error}")
    if snapshot.ledger_trouble:
        text = f"requests cannot be written down: {snapshot.ledger_trouble}"
        yield Finding("ledger", str(here.ledger), "problem", text)
    if snapshot.version != VERSION:
        text = f"the router is {snapshot.version}, this is {VERSION}: `pointsman restart`"
        yield Finding("version", "", "problem", text)
    yield Finding("router", f"pid {snapshot.pid}", "found", f"version {snapshot.version}")
    for listener in snapshot.listeners:
        yield Finding(listener.name, listener.address, "found", "listens")
    for service in snapshot.services:  # a provider may rest: another takes its place
        if service.state == "down" and service.kind in ("role", "ssh", "neighbour"):
            text = f"is down: {service.reason}"
            yield Finding(service.name, service.address, "problem", text)


def of_program() -> Iterator[Finding]:
    from router.contract import Finding

    yield Finding("Python", sys.executable, "found", platform.python_version())
    detail = f"{sqlite3.sqlite_version}; one process writes, so its WAL cannot be reset under it"
    yield Finding("SQLite", "", "found", detail)
    for name in ("pointsman", "ccr"):
        own = Path(sys.executable).parent / name
        called = shutil.which(name)
        if own.exists() and (called is None or Path(called).resolve() != own.resolve()):
            other = f"`{name}` is another program, {called}" if called else f"no `{name}` on PATH"
            remedy = f'`export PATH="{own.parent}:$PATH"` makes it this one'
            yield Finding(name, str(own), "absent", f"{other}: {remedy}")


async def looked_again(here: Home) -> Snapshot | None:
    """After the running router has read its files anew: what it found was of before."""
    from console.link import Link
    from router.contract import Reload

    link = Link(here)
    try:
        await link.act(Reload())
        return await link.snapshot()
    finally:
        await link.close()


async def of_ledger(here: Home) -> tuple[str, float]:
    """What it suffers from, and when its newest request began."""
    from console.link import ArchiveError, Link

    link = Link(here)
    try:
        ailment = await link.archive.ailment()
        newest = [] if ailment else await link.archive.requests(limit=1)
        return ailment, newest[0].started_at if newest else 0.0
    except ArchiveError:  # of an older version: the next start mends that
        return "", 0.0
    finally:
        await link.close()


def of_clock(newest: float) -> Iterator[Finding]:
    """A clock that is wrong spoils every sum by day, and what certificates are checked by."""
    from router.contract import Finding

    if newest > time.time() + AHEAD:
        text = f"the newest request in the ledger is of {when(newest)}: it is wrong, or was then"
        yield Finding("clock", when(time.time()), "problem", text)


def of_ssh(here: Home) -> Iterator[Finding]:
    import asyncssh

    from router.contract import Finding

    try:
        print_ = asyncssh.read_private_key(here.host_key).get_fingerprint()
    except (FileNotFoundError, NotADirectoryError):
        yield Finding("SSH host key", str(here.host_key), "absent", "made at the first start")
    except (OSError, asyncssh.KeyImportError) as error:
        yield Finding("SSH host key", str(here.host_key), "problem", str(error))
    else:
        yield Finding("SSH host key", str(here.host_key), "found", print_)


def of_ports(here: Home) -> Iterator[Finding]:
    """Whether a start would find its ports free."""
    from router.contract import Finding

    listen = _listen_table(here.toml)
    for name, key, usual in PORTS:
        told = os.environ.get(f"POINTSMAN_{key.upper()}", "")
        port = int(told) if told.isdecimal() else listen.get(key, usual)
        if not isinstance(port, int) or not 0 < port < 65536 or _free(port):
            continue
        flag = "--" + key.replace("_", "-")
        text = f"taken by {holder(port)}: `{flag} PORT` moves ours"
        role = key in ("litellm_port", "ccr_port")
        if role:
            text += f"; if a real {name} listens there, it is used instead"
        yield Finding(f"{name} port", str(port), "found" if role else "problem", text)


def holder(port: int) -> str:
    """Who listens on `port`, as far as this user may know."""
    import psutil

    try:
        for connection in psutil.net_connections("tcp"):
            listens = connection.status == psutil.CONN_LISTEN and connection.pid
            if listens and connection.laddr and connection.laddr.port == port:
                return f"{psutil.Process(connection.pid).name()} (pid {connection.pid})"
    except psutil.Error:
        pass
    return "another program"


def _free(port: int) -> bool:
    with socket.socket() as trial:
        trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            trial.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def _listen_table(path: Path) -> dict[str, Any]:
    import tomllib

    try:
        table = tomllib.loads(path.read_text("utf-8")).get("listen", {})
    except (OSError, ValueError):
        return {}  # of_configuration tells what is wrong with the file
    return table if isinstance(table, dict) else {}
