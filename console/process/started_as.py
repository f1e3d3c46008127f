"""How a running router was started: what another one in its place is to be given.

One rule: what cannot be seen is not guessed: it is left to what holds where we are.
"""

from __future__ import annotations

import os

import psutil

from console.link import VISITOR


def serve_arguments(pid: int) -> list[str]:
    """What follows `serve` on a running router's command line: a restart keeps its ports. How its
    log is said is the terminal's or the manager's that it was started for."""
    try:
        words = psutil.Process(pid).cmdline()
    except psutil.Error:
        return []
    words = words[words.index("serve") + 1 :] if "serve" in words else []
    if "--log" in words:
        at = words.index("--log")
        del words[at : at + 2]
    return words


def environment_of(pid: int) -> dict[str, str]:
    """The environment of the process `pid`; our own where it cannot be seen or is gone."""
    try:
        return psutil.Process(pid).environ()
    except psutil.Error:
        return {name: value for name, value in os.environ.items() if name != VISITOR}


def working_folder(pid: int) -> str | None:
    """Where the process `pid` runs, None where that cannot be seen or is gone."""
    try:
        folder = psutil.Process(pid).cwd()
    except psutil.Error:
        return None
    return folder if os.path.isdir(folder) else None
