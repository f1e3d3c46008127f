"""`python -m console.ssh`: the SSH front, a process of its own, started by the router.

Its rule: one JSON line on stdout says {"listening": port, "fingerprint": …} or {"error": …}; what
happens later goes to stderr, a JSON line each. With --child it ends when its stdin closes. It runs
on asyncio's own loop, not uvloop (see pty.own_terminal).
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import shlex
import socket
import sys
import time
from collections.abc import Sequence

import asyncssh

from console.remote import log
from console.remote.environment import Account
from console.remote.nursery import Nursery
from console.remote.options import CONSOLE, Options
from console.remote.starter import Starter, say
from console.ssh import algorithms, hostkey, limits, listen, users
from console.ssh.front import Front
from console.ssh.server import Server
from storage.home import home, user_home

#: seconds that sessions get to end when the front stops, a hang-up as far as SIGKILL, and then
#: those that are cut off. The router gives its children 3.
_FAREWELL = 2.2
_PATIENCE = 0.5
#: the exit code for what starting again would not mend
_REFUSED = 2


def main(arguments: Sequence[str] | None = None) -> int:
    options, fds, is_child = _read(arguments)
    log.take_over()
    # sftp makes files with it, as under any sshd; what is ours is written 0600 explicitly
    os.umask(0o022)
    try:
        bound = listen.inherited(fds) if fds else listen.sockets(options.host, options.port)
        if options.password in ("auto", "on") and not listen.is_private(bound):
            raise listen.ListenError(
                f"will not listen on {options.host} while the development password is in force: "
                "switch it off first (password = false under [ssh] in pointsman.toml)"
            )
        key = hostkey.load(options.home.host_key)
    except (listen.ListenError, hostkey.HostKeyError) as error:
        say({"error": str(error)})
        return _REFUSED
    asyncio.run(_serve(options, bound, key, is_child))
    return 0


def _read(arguments: Sequence[str] | None) -> tuple[Options, list[int], bool]:
    parser = argparse.ArgumentParser(
        prog="python -m console.ssh", description="The SSH front of Pointsman."
    )
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=2222, help="0: any free one")
    parser.add_argument(
        *("--fd",), action="append", type=int, help="a bound socket to inherit, instead of --port"
    )
    parser.add_argument("--home", default=os.environ.get("POINTSMAN_HOME", ""))
    parser.add_argument("--router-port", type=int, default=5000, help="0: off")
    parser.add_argument("--litellm-port", type=int, default=4000, help="0: off")
    parser.add_argument("--ccr-port", type=int, default=3456, help="0: off")
    parser.add_argument("--password", choices=("auto", "on", "own", "off"), default="auto")
    parser.add_argument("--agent", action="store_true", help="shells may use the client's agent")
    parser.add_argument("--console-command", help="what a login runs, instead of the console")
    parser.add_argument("--child", action="store_true", help="end when stdin closes")
    given = parser.parse_args(arguments)
    options = Options(
        home=home({"POINTSMAN_HOME": given.home}),
        home_given=given.home,
        user_home=user_home(),
        host=given.host,
        port=given.port,
        router_port=given.router_port,
        litellm_port=given.litellm_port,
        ccr_port=given.ccr_port,
        password=given.password,
        agent=given.agent,
        console=tuple(shlex.split(given.console_command)) if given.console_command else CONSOLE,
    )
    return options, given.fd or [], given.child


async def _serve(
    options: Options, bound: list[socket.socket], key: asyncssh.SSHKey, is_child: bool
) -> None:
    starter = Starter()
    await starter.watch(is_child)
    front = Front(
        options,
        Account.own(options.user_home),
        limits.Gate(time.monotonic),
        users.Watched(options.home.ssh_users),
        Nursery() if options.console == CONSOLE else None,
    )
    acceptors = [await _listen(front, each, key) for each in bound]
    say({"listening": bound[0].getsockname()[1], "fingerprint": key.get_fingerprint()})
    if front.nursery is not None:
        await front.nursery.open()
    await starter.stop.wait()
    for acceptor in acceptors:
        acceptor.close()
    if starter.lingers:
        await _linger(front)
    # first the programs: a console that is cut off leaves its visitor's terminal in disorder
    for visit in tuple(front.visits):
        visit.dismiss("Pointsman is stopping")
    await _sessions_end(front, _FAREWELL)
    for connection in tuple(front.connections):
        connection.disconnect(asyncssh.DISC_BY_APPLICATION, "Pointsman is stopping")
    await _sessions_end(front, _PATIENCE)
    if front.nursery is not None:
        await front.nursery.close()


async def _listen(front: Front, bound: socket.socket, key: asyncssh.SSHKey) -> asyncssh.SSHAcceptor:
    return await asyncssh.create_server(
        lambda: Server(front),
        sock=bound,
        server_host_keys=[key],
        server_version="Pointsman",
        kex_algs=algorithms.KEY_EXCHANGES,
        encryption_algs=algorithms.CIPHERS,
        mac_algs=algorithms.MACS,
        signature_algs=algorithms.SIGNATURES,
        compression_algs=None,
        config=None,
        encoding=None,
        line_editor=False,
        agent_forwarding=front.options.agent,
        x11_forwarding=False,
        kbdint_auth=False,
        host_based_auth=False,
        gss_host=None,
        login_timeout=20,
        keepalive_interval=15,
        keepalive_count_max=3,
    )


async def _sessions_end(front: Front, seconds: float) -> None:
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await asyncio.gather(*front.sessions, return_exceptions=True)


async def _linger(front: Front) -> None:
    """Until the last connection has gone. Our starter is told that the port is free; nobody reads
    what we say after that."""
    sys.stdout.write("lingering\n")
    sys.stdout.flush()
    nobody = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nobody, 1)
    os.dup2(nobody, 2)
    os.close(nobody)
    while front.connections:
        await asyncio.wait([asyncio.ensure_future(c.wait_closed()) for c in front.connections])


if __name__ == "__main__":
    sys.exit(main())
