"""What commands share in their command lines: the router's own options, durations, points in time.

One rule: an option is described once, here, and is handed to the router under the same name.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

import click

from console.moments import FORMS, point, seconds_of

if TYPE_CHECKING:
    from router.contract import Snapshot

_F = TypeVar("_F", bound=Callable[..., Any])

_PORT = click.IntRange(0, 65535)

#: name, type, what it means; each is also read from POINTSMAN_NAME
_VALUES: tuple[tuple[str, click.ParamType[Any], str], ...] = (
    ("--host", click.STRING, "Address to listen on  [127.0.0.1]"),
    ("--port", _PORT, "Front door  [5000]"),
    ("--litellm-port", _PORT, "LiteLLM role  [4000]"),
    ("--ccr-port", _PORT, "Claude Code Router role  [3456]"),
    ("--ssh-port", _PORT, "SSH  [2222]; 0 switches a port off"),
    ("--litellm-config", click.Path(dir_okay=False), "A LiteLLM config.yaml to read"),
)
#: which option moves which contract.Listener
LISTENERS = {
    "port": "front door",
    "litellm_port": "LiteLLM",
    "ccr_port": "CCR",
    "ssh_port": "SSH",
}

_PORT_OF = re.compile(r"(?::|-p )(\d+)")


def ports(snapshot: Snapshot) -> dict[str, int]:
    """Listener name → port: of "http://127.0.0.1:5000" and of "ssh -p 2222 127.0.0.1"."""
    found = {one.name: _PORT_OF.search(one.address) for one in snapshot.listeners}
    return {name: int(match[1]) for name, match in found.items() if match}


def router_options(function: _F) -> _F:
    """Adds the options of a router that is to be started; they arrive as keyword arguments."""
    local = click.option(
        "--local", is_flag=True, help="Serve ollama-local with a real small model (or LOCAL=1)"
    )
    function = local(function)
    for name, type, text in reversed(_VALUES):
        variable = "POINTSMAN_" + _key(name).upper()
        metavar = "PORT" if type is _PORT else None
        add = click.option(name, type=type, metavar=metavar, envvar=variable, help=text)
        function = add(function)
    return function


def router_arguments(options: Mapping[str, Any]) -> list[str]:
    """The words that follow `python -m router serve`, from what `router_options` collected."""
    words: list[str] = []
    for name, _, _ in _VALUES:
        value = options.get(_key(name))
        if value is not None:
            text = os.path.abspath(value) if name == "--litellm-config" else str(value)
            words += [name, text]
    if options.get("local") or os.environ.get("LOCAL", "").lower() in ("1", "true", "yes", "on"):
        words.append("--local")
    return words


def environment_arguments() -> list[str]:
    """The same for commands that have no such options of their own (`ccr code`)."""
    given = {
        _key(name): os.environ.get("POINTSMAN_" + _key(name).upper()) for name, _, _ in _VALUES
    }
    return router_arguments({key: value for key, value in given.items() if value})


def arguments_after(snapshot: Snapshot | None) -> list[str]:
    """The words for a router in the place of one that has gone, whose last `snapshot` this is."""
    moved = ports(snapshot) if snapshot is not None else {}
    words = environment_arguments()
    for key, listener in LISTENERS.items():
        if listener in moved:
            words += ["--" + key.replace("_", "-"), str(moved[listener])]
    return words


def _key(name: str) -> str:
    return name.removeprefix("--").replace("-", "_")


def duration(text: str) -> float:
    """ "90s", "30m", "2h", "1d", "1h30m": seconds."""
    seconds = seconds_of(text)
    if not seconds:
        raise click.BadParameter(f"{text!r} is no duration: write 90s, 30m, 2h, 1d or 1h30m")
    return float(seconds)


def moment(text: str) -> float:
    """What `console.moments.point` reads, as Unix seconds."""
    at = point(text, time.time())
    if at is None:
        raise click.BadParameter(f"{text!r}: write {FORMS}")
    return at
