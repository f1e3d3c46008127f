"""The programs of ours that a router starts: their command lines, and what they say for its log.

One rule: each is given the sockets that it listens on; none chooses a port.
"""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Sequence

import msgspec

from router.log import LEVELS, Level, Log
from router.process.children import Child, own_environment
from router.settings import Generation, Listen


def simulator(log: Log, listening: socket.socket) -> Child:
    return program(log, "simulator", ["router.simulator", *_given(listening)], [listening])


def local_model(log: Log, listening: socket.socket) -> Child:
    return program(log, "local model", ["router.local_model", *_given(listening)], [listening])


def ssh(log: Log, generation: Generation, listening: Sequence[socket.socket]) -> Child:
    """It stays for the next router, with the sessions that it has."""
    listen = generation.listen
    words = [
        *("console.ssh", "--child", *_given(*listening)),
        *("--host", listen.host, "--port", str(listen.ssh_port), *_ports(listen)),
        *("--password", generation.ssh_password),
        *(("--agent",) if generation.ssh_agent else ()),
    ]
    child = program(log, "ssh", words, listening)
    child.can_linger = True
    return child


def web(log: Log, generation: Generation, listening: socket.socket) -> Child:
    words = ["console.web", "--child", *_given(listening), *_ports(generation.listen)]
    return program(log, "web", words, [listening])


def _given(*listening: socket.socket) -> list[str]:
    return [word for each in listening for word in ("--fd", str(each.fileno()))]


def _ports(listen: Listen) -> list[str]:
    return [
        *("--router-port", str(listen.port), "--litellm-port", str(listen.litellm_port)),
        *("--ccr-port", str(listen.ccr_port)),
    ]


def program(log: Log, name: str, words: list[str], inherited: Sequence[socket.socket]) -> Child:
    """`python -m WORDS`, with `inherited` sockets."""

    def report(line: str, complaint: bool) -> None:
        level, text = read_line(line, complaint)
        if level != "info":
            child.trouble = text
        log.write(level, name, text)

    command = [sys.executable, "-P", "-m", *words]
    fds = tuple(each.fileno() for each in inherited)
    env = own_environment(os.environ)
    child = Child(name, command, report, fds=fds, env=env, clean=True)
    return child


def read_line(line: str, complaint: bool) -> tuple[Level, str]:
    """A child's line for our log: its own level and words where it writes JSON
    (console/remote/log.py: "at", "level", "message", then facts), else as it is."""
    try:
        facts = msgspec.json.decode(line, type=dict[str, object])
    except msgspec.DecodeError:
        return ("warning" if complaint else "info"), line
    facts.pop("at", None)
    level = facts.pop("level", "error" if "error" in facts else "info")
    words = [str(facts.pop("message", ""))]
    words += [f"{name} {value}" for name, value in facts.items() if value not in ("", None)]
    return (level if level in LEVELS else "info"), " · ".join(w for w in words if w)
