"""Programs that people run beside the router, as data: one file each, PROGRAM in it.

One rule: a file says what a program needs to live behind the front door and to send its requests
through the router; everything in it can be said differently in pointsman.toml.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from msgspec import Struct


class Means(Struct, frozen=True):
    """What a program is started with. `api` is our LiteLLM role's address ("…/litellm/v1"), `key`
    what it asks for, `port` the program's own, `front` the front door's address, `path` its path
    there, `data` a folder for it alone."""

    api: str
    key: str
    port: int
    front: str
    path: str
    data: Path


class Program(Struct, frozen=True):
    """`marker` is in the answer to `health`, and in no other program's."""

    name: str  # also its table in pointsman.toml
    title: str
    port: int
    health: str
    marker: str
    command: tuple[str, ...]
    environment: Callable[[Means], Mapping[str, str]]
    install: str
    path: str = ""
    host: str = ""
    strip: bool = True
    about: str = ""  # what it is for, in a word or two
    #: before it is started with this environment in this folder: for one that keeps what it was
    #: first told, and would go on with a key or an address of before
    rewire: Callable[[Path, Mapping[str, str]], None] | None = None
    stand_in: str = ""  # the console's screen that its path leads to while it is not there


def programs() -> Mapping[str, Program]:
    from router.neighbours import n8n, open_webui

    return {each.name: each for each in (open_webui.PROGRAM, n8n.PROGRAM)}
