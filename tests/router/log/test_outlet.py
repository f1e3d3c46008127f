"""The log on standard error, as terminals, containers and journald read it."""

from __future__ import annotations

import fcntl
import json
import os
import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from router.contract import LogLine
from router.log.forms import as_journal, as_json, as_text
from tests.harness import environment, free_ports


@contextmanager
def serving(home: Path, stderr: Any, *words: str, **env: str) -> Iterator[tuple[str, Any]]:
    """The front door of a `pointsman serve`, and its process; it ends with 0."""
    (port,) = free_ports(1)
    listen = ["--port", str(port), "--litellm-port", "0", "--ccr-port", "0", "--ssh-port", "0"]
    process = subprocess.Popen(
        [sys.executable, "-m", "console", "serve", *listen, *words],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=stderr,
        env=environment(home, **env),
    )
    try:
        yield f"http://127.0.0.1:{port}", process
    finally:
        process.terminate()
        said, _ = process.communicate(timeout=30)
    assert (said, process.returncode) == (b"", 0)


def refused(front: str, name: str) -> str:
    """The id of a request for a model that there is none of."""
    body = {"model": name, "messages": [{"role": "user", "content": "x"}]}
    answer = httpx.post(f"{front}/litellm/v1/chat/completions", json=body)
    assert answer.status_code == 400
    return answer.headers["x-request-id"]


@pytest.mark.parametrize("form", ["json", "journal"])
def test_a_router_in_the_foreground_says_its_log_to_what_collects_logs(
    tmp_path: Path, form: str
) -> None:
    ours, theirs = socket.socketpair()
    here = os.fstat(theirs.fileno())
    named = {"JOURNAL_STREAM": f"{here.st_dev}:{here.st_ino}"} if form == "journal" else {}
    words = ["--log", "json"] if form == "json" else []
    with ours, ours.makefile("r", encoding="utf-8") as reader:
        with theirs, serving(tmp_path, theirs, *words, **named) as (front, _):
            theirs.close()
            started = reader.readline()
            request = refused(front, "no\u001b[31m,such\n<0>it")
            asked = reader.readline()
            while request not in asked:
                asked = reader.readline()
        *_, last = reader
    if form == "json":
        assert json.loads(asked)["request"] == request
        assert front in json.loads(started)["message"]
        assert json.loads(last)["message"] == "stopped"
        return
    assert front in started
    assert "litellm no\\x1b[31m,such\\n<0>it" in asked
    assert asked.startswith("<4>exchange ")
    assert asked.endswith(f"  {request}\n")
    assert last == "<6>router    stopped\n"


def test_one_that_a_manager_holds_goes_on_saying_it_after_a_restart(tmp_path: Path) -> None:
    said = tmp_path / "said"
    words = [sys.executable, "-m", "console", "restart", "--json"]
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager, said.open("wb") as stderr:
        manager.bind(place := str(tmp_path / "n"))
        manager.settimeout(30)
        with serving(tmp_path, stderr, NOTIFY_SOCKET=place) as (front, process):
            assert manager.recv(4096).startswith(b"READY=1")
            env = environment(tmp_path)
            done = subprocess.run(words, env=env, capture_output=True, text=True, check=True)
            assert json.loads(done.stdout) == {"pid": process.pid}
            request = refused(front, "one")
    before, _, after = said.read_text().partition("stopped\n")
    assert re.match(r"20\S+Z  info     router    started, .*" + front, before)
    assert re.search(rf"Z  warning  exchange  litellm one .*  {request}\n", after)


def test_one_that_reads_nothing_or_has_gone_holds_up_nobody(tmp_path: Path) -> None:
    reading, writing = os.pipe()
    fcntl.fcntl(writing, fcntl.F_SETPIPE_SZ, 4096)
    with serving(tmp_path, writing) as (front, _):
        os.close(writing)
        assert os.read(reading, 10)
        asked = [refused(front, f"{number},{'m' * 400}") for number in range(24)]
        os.close(reading)
        asked.append(refused(front, "last"))
    written = (tmp_path / ".claude-code-router/logs/ccr.log").read_text()
    assert all(request in written for request in asked)


@pytest.mark.long
def test_a_closed_standard_error_is_no_file_of_ours(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    words = [sys.executable, "-m", "console", "serve", "--port", "0", "--litellm-port", "0"]
    words = ["/bin/sh", "-c", 'exec "$@" 2>&-', "sh", *words, "--ccr-port", "0", "--ssh-port", "0"]
    with subprocess.Popen(words, env=environment(home)) as process:
        while not (home / "run/control.sock").exists():
            assert process.poll() is None
        process.terminate()
        assert process.wait(30) == 0
    assert (home / "run/router.lock").read_text() == f"{process.pid}\n"


def test_a_line_in_words_is_one_line() -> None:
    text = "a\u2028b\r\n\x9b31m\U0001f600 é"
    line = LogLine(0, 1_700_000_000.25, "error", "ssh", text, "r", True)
    words = "ssh       simulated a\\u2028b\\r\\n\\x9b31m\U0001f600 é  r"
    assert as_text(line).decode() == f"2023-11-14T22:13:20.250Z  error    {words}"
    assert as_journal(line).decode() == f"<3>{words}"
    half = LogLine(0, 0.0, "info", "config", "/srv/\udcff/x")  # a path that is no UTF-8
    assert json.loads(as_json(half))["message"] == "/srv/?/x"
