"""Sessions on a terminal: the console, the shell, keys, sizes and hang-ups."""

from __future__ import annotations

import os
from collections.abc import Iterator

import psutil
import pytest

from tests.console.ssh.running import PATIENCE, Front, Terminal


class Window(Terminal):
    def __init__(self, front: Front, *words: str, options: tuple[str, ...] = ()) -> None:
        super().__init__([*front.by_key("-t", *options), "developer@localhost", *words])


@pytest.fixture
def windows() -> Iterator[list[Window]]:
    opened: list[Window] = []
    yield opened
    for window in opened:
        window.close()


def test_a_login_is_the_console(front: Front, windows: list[Window]) -> None:
    windows.append(Window(front, options=("-o", "SendEnv=COLORTERM")))
    window = windows[0]
    window.until("CONSOLE xterm-256color truecolor")
    window.until("SIZE 90x30")
    window.resize(77, 20)
    window.until("SIZE 77x20")
    window.send("täst\r")
    window.until("GOT täst")
    window.send("quit\r")
    assert window.process.wait(PATIENCE) == 5


def test_a_killed_console_gives_the_terminal_back(front: Front, windows: list[Window]) -> None:
    before = set(psutil.Process(front.process.pid).children(recursive=True))
    windows.append(Window(front))
    windows[0].until("SIZE 90x30")
    after = set(psutil.Process(front.process.pid).children(recursive=True))
    for console in after - before:
        console.kill()
    windows[0].until("\x1b[?1049l")
    assert windows[0].process.wait(PATIENCE) != 0


def test_the_shell_is_interactive_and_owns_its_terminal(
    front: Front, windows: list[Window]
) -> None:
    windows.append(Window(front, "shell"))
    window = windows[0]
    window.send("stty size; [ -t 0 ] && command -v ccr pointsman; echo at-$((40+2))\r")
    shown = window.until("at-42\r\n")
    assert "30 90" in shown
    assert "/ccr\r\n" in shown
    assert "/pointsman\r\n" in shown
    window.send("sh -c 'echo go-$((1+1)); exec sleep 1000'\r")
    window.until("go-2\r\n")
    window.send("\x03")  # Ctrl-C reaches the foreground job
    window.send("echo code-$?\r")
    window.until("code-130")
    window.send("exit 6\r")
    assert window.process.wait(PATIENCE) == 6


def test_a_command_on_a_terminal_ends_though_a_background_job_holds_it(
    front: Front, windows: list[Window]
) -> None:
    windows.append(Window(front, "trap '' HUP; sleep 1000 & echo job-$!"))
    window = windows[0]
    window.until("job-")
    job = psutil.Process(int(window.until("\r\n")))
    try:
        assert window.process.wait(PATIENCE) == 0
    finally:
        job.kill()


def test_everything_written_before_the_end_is_shown(front: Front, windows: list[Window]) -> None:
    windows.append(Window(front, "head -c 2000000 /dev/zero | tr '\\0' x; echo END"))
    shown = windows[0].until("END")
    assert shown.count("x") == 2_000_000


def test_a_killed_client_leaves_no_job_behind(front: Front, windows: list[Window]) -> None:
    windows.append(Window(front, "shell"))
    window = windows[0]
    window.send("set +m; sleep 1001 & echo jobs-$!-$$-$((1+1))-\r")
    window.until("\r\njobs-")
    job, shell = (psutil.Process(int(pid)) for pid in window.until("-2-").split("-")[:2])
    os.kill(window.process.pid, 9)
    assert psutil.wait_procs([job, shell], PATIENCE)[1] == []
