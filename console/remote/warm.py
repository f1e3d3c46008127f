"""`python -m console.remote.warm FD`: a console that has imported everything and waits.

Each session is a fork of it, which paints in a third of the time and shares its memory.

One rule: here runs one thread and no event loop, and no file is open but the socket on FD, so that
a fork is a clean start. On the socket (SOCK_SEQPACKET): a Start with a terminal's descriptor comes
in; for each, a Started goes out, and an Ended when it has ended.
"""

from __future__ import annotations

import fcntl
import gc
import importlib
import os
import pkgutil
import random
import select
import signal
import socket
import sys
import termios
import time
from types import ModuleType
from typing import NoReturn

import msgspec

from console.niceness import NICE
from console.remote.pty import reset_signals

LARGEST = 1 << 16


class Start(msgspec.Struct):
    number: int
    argv: tuple[str, ...]  # what follows `pointsman`
    env: dict[str, str]
    folder: str
    umask: int


class Started(msgspec.Struct, tag=True):
    number: int
    pid: int


class Ended(msgspec.Struct, tag=True):
    pid: int
    code: int  # negative: the signal


def main() -> int:
    os.nice(NICE)
    warm_up()
    with socket.socket(fileno=int(sys.argv[1])) as front:
        return _serve(front)


def warm_up() -> None:
    """Imports all that a console may need, and takes it out of the collector's sight: a collection
    would write to every object, and so copy in each fork what they share."""
    names = (
        *("console.app", "console.feed", "console.link", "console.main", "console.opening"),
        *("textual.drivers.linux_driver", "textual.drivers._writer_thread", "textual.command"),
        *("textual.widgets._toast", "textual.widgets._input", "rich.traceback"),
        # what these import only when they are first used: a tenth of a second in each fork
        *("httpcore", "anyio._backends._asyncio", "textual.scrollbar", "textual.layouts.factory"),
        *("textual.layouts.horizontal", "textual.layouts.stream", "importlib.resources"),
        *("textual.pilot", "textual.drivers.headless_driver", "concurrent.futures.thread"),
    )
    for name in names:
        _everything_in(importlib.import_module(name))
    for package in ("console.screens", "console.widgets"):
        _everything_in(importlib.import_module(package))
    gc.collect()
    gc.freeze()


def _everything_in(module: ModuleType) -> None:
    for found in pkgutil.iter_modules(getattr(module, "__path__", ())):
        importlib.import_module(f"{module.__name__}.{found.name}")


def _serve(front: socket.socket) -> int:
    """Until the front's end closes."""
    woken, wake = os.pipe()
    os.set_blocking(wake, False)
    os.set_blocking(woken, False)
    signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    front.send(b"ready")
    while True:
        ready, _, _ = select.select([front.fileno(), woken], [], [])
        if woken in ready:
            os.read(woken, 512)
            _bury(front)
        if front.fileno() in ready:
            data, fds, _, _ = socket.recv_fds(front, LARGEST, 1)
            if not data:
                return 0
            start = msgspec.json.decode(data, type=Start)
            pid = os.fork()
            if pid == 0:
                front.close()
                os.close(woken)
                os.close(wake)
                _become(start, fds[0])
            os.close(fds[0])
            front.send(msgspec.json.encode(Started(start.number, pid)))


def _bury(front: socket.socket) -> None:
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if not pid:
            return
        front.send(msgspec.json.encode(Ended(pid, os.waitstatus_to_exitcode(status))))


def _become(start: Start, terminal: int) -> NoReturn:
    """In the fork: a console of its own, with nothing of ours but the imports."""
    code = 1
    try:
        signal.set_wakeup_fd(-1)
        reset_signals()
        signal.signal(signal.SIGINT, signal.default_int_handler)
        os.setsid()
        fcntl.ioctl(terminal, termios.TIOCSCTTY, 0)
        for fd in (0, 1, 2):
            os.dup2(terminal, fd)
        if terminal > 2:
            os.close(terminal)
        os.environ.clear()
        os.environ.update(start.env)
        os.umask(start.umask)
        os.chdir(start.folder)
        time.tzset()
        random.seed()
        _reopen()
        sys.argv = ["pointsman", *start.argv]

        from console.main import pointsman

        pointsman()
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 1 if end.code else 0
    finally:
        os._exit(code)


def _reopen() -> None:
    names = ("stdin", 0, "r"), ("stdout", 1, "w"), ("stderr", 2, "w")
    for name, fd, mode in names:
        stream = os.fdopen(fd, mode, encoding="utf-8", errors="backslashreplace", closefd=False)
        setattr(sys, name, stream)
        setattr(sys, f"__{name}__", stream)


if __name__ == "__main__":
    sys.exit(main())
