"""Neighbours that the router runs: started, seen, stopped, and never outliving it."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import httpx
import pytest

from router.contract import Done, Refused, Result, StartNeighbour, StopNeighbour
from router.control.actions import act
from router.process.keeper import NOT_FOUND
from router.service import Router
from storage.home import Home
from tests.harness import free_ports
from tests.router.inside import served

PROGRAM = """
import http.server, json, os
class Env(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        body = json.dumps(dict(os.environ)).encode()
        self.send_response(200); self.send_header("content-length", str(len(body)))
        self.end_headers(); self.wfile.write(body)
    def log_message(self, *words): print("asked", flush=True)
print("a secret that somebody wrote", flush=True)
http.server.ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), Env).serve_forever()
"""


def words(result: Result) -> str:
    assert isinstance(result, Done | Refused)
    return result.message


async def test_a_neighbour_is_started_seen_and_stopped(
    test_home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOME_API_KEY", "sk-of-ours")
    (tmp_path / "program.py").write_text(PROGRAM)
    (tmp_path / "python").symlink_to(sys.executable)
    (port,) = free_ports(1)
    test_home.toml.write_text(
        f"""
[neighbours.mine]
url = "http://127.0.0.1:{port}"
command = ["./python", "program.py"]
directory = "{tmp_path}"
env = {{ PORT = "{port}" }}
[neighbours.gone]
url = "http://127.0.0.1:9"
command = ["there-is-no-such-program"]
[neighbours.lost]
url = "http://127.0.0.1:9"
command = ["{sys.executable}"]
directory = "{tmp_path}/nowhere"
[neighbours.old]
url = "http://127.0.0.1:9"
command = ["{sys.executable}", "-c", "raise SystemExit('wants Node 24')"]
"""
    )
    async with (
        served(test_home) as (router, address),
        httpx.AsyncClient(base_url=address, timeout=20) as http,
    ):
        assert "is starting" in words(await act(router, StartNeighbour("mine")))
        assert "already runs" in words(await act(router, StartNeighbour("mine")))
        assert "not installed" in words(await act(router, StartNeighbour("gone")))
        assert "nowhere is none" in words(await act(router, StartNeighbour("lost")))
        for asked in (StartNeighbour("nope"), StopNeighbour("nope")):
            assert "chat, n8n" in words(await act(router, asked))
        assert "not ours to stop" in words(await act(router, StopNeighbour("n8n")))
        await act(router, StartNeighbour("old"))
        while not (why := {s.name: s.last_error for s in router.services()}["old"]):
            await http.get("/livez")
        assert why.startswith("ended with code 1")
        assert why.endswith("It said: wants Node 24")
        # shown while it is news; in history, which lasts, stands only how it went
        while not (kept := _history(router, "old")):
            await http.get("/livez")
        assert not any("Node" in reason for reason in kept)
        while (answer := await http.get("/mine/")).status_code != 200:
            assert "It is starting" in answer.text
        given = answer.json()
        assert given["PORT"] == str(port)
        assert "SOME_API_KEY" not in given
        assert "POINTSMAN_HOME" not in given
        await router.health.probes.ask(router.generation)
        mine = next(s for s in router.services() if s.name == "mine")
        assert (mine.state, mine.place) == ("up", "/mine")
        said = test_home.data / "neighbours" / "mine" / "output.log"
        assert "a secret that somebody wrote" in said.read_text()
        said.unlink()  # by a person who tidies up
        while not said.exists():
            await http.get("/mine/")
        assert "asked" in said.read_text()
        await act(router, StopNeighbour("mine"))
        assert (await http.get("/mine/")).status_code == 502
        await act(router, StartNeighbour("mine"))  # and the router's end ends it
        while (await http.get("/mine/")).status_code != 200:
            pass
        router.tending.hand_on()  # as where it is restarted
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection("127.0.0.1", port)
    async with served(test_home) as (router, _):
        assert "mine" in router.children
        assert "old" in router.children
        assert "gone" not in router.children
    async with served(test_home) as (router, _):  # one that was stopped and started
        assert "mine" not in router.children
    assert "secret that" not in test_home.ccr_log.read_text()


async def test_one_whose_folder_cannot_be_made_keeps_the_router_from_nothing(
    test_home: Home,
) -> None:
    (test_home.data / "neighbours").mkdir(parents=True)
    (test_home.data / "neighbours" / "barred").touch()
    test_home.toml.write_text(
        f'[neighbours.barred]\nurl = "http://127.0.0.1:9"\ncommand = ["{sys.executable}"]\n'
        "start = true\n"
    )
    async with served(test_home) as (router, _):
        assert "barred: File exists" in words(await act(router, StartNeighbour("barred")))


KEEPER = [sys.executable, "-m", "router.process.keeper"]
ASKS = "import os,sys,time; print(os.getpid(), flush=True); time.sleep(100)"


async def test_what_is_kept_ends_with_its_keeper(tmp_path: Path) -> None:
    keeper = await asyncio.create_subprocess_exec(
        *(*KEEPER, sys.executable, "-c", ASKS),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    assert keeper.stdout is not None
    assert keeper.stdin is not None
    pid = int(await keeper.stdout.readline())
    keeper.stdin.close()  # as where the router is killed
    assert await keeper.wait() == 0
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
    if sys.platform == "linux":
        killed = await asyncio.create_subprocess_exec(
            *(*KEEPER, sys.executable, "-c", ASKS),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
        )
        assert killed.stdout is not None
        await killed.stdout.readline()
        killed.kill()
        await killed.stdout.read()  # open as long as one of them is
        await killed.wait()
    gone = await asyncio.create_subprocess_exec(
        *(*KEEPER, str(tmp_path / "nothing")), stdin=asyncio.subprocess.DEVNULL
    )
    assert await gone.wait() == NOT_FOUND


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
def test_one_that_is_ended_while_it_starts_its_program_leaves_none() -> None:
    pipe = subprocess.PIPE
    words = [*KEEPER, sys.executable, "-c", ASKS]
    with subprocess.Popen(words, stdin=pipe, stdout=pipe) as keeper:
        children = Path(f"/proc/{keeper.pid}/task/{keeper.pid}/children")
        while not children.read_text():
            pass
        keeper.terminate()
        keeper.communicate(timeout=20)  # its output is open as long as one of them is
    assert keeper.returncode == 0


def _history(router: Router, service: str) -> list[str]:
    """The reasons that were stored of a service that was down."""
    with closing(sqlite3.connect(router.ledger.path)) as db:
        asked = "SELECT reason FROM health WHERE service = ? AND state = 'down'"
        return [reason for (reason,) in db.execute(asked, (service,))]
