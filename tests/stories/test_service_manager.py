"""systemd's side of Type=notify, and the files that are shipped for it."""

from __future__ import annotations

import configparser
import json
import socket
import subprocess
import sys
import threading
from pathlib import Path

from tests.harness import running

PACKAGING = Path(__file__).parents[2] / "packaging"


def test_the_manager_is_told_how_it_is_and_a_restart_keeps_the_process_that_it_watches(
    tmp_path: Path,
) -> None:
    place = str(tmp_path / "n")
    words = [sys.executable, "-m", "console", "restart", "--json"]
    said: list[str] = []

    def listen(manager: socket.socket) -> None:
        """All the time, as systemd does: what finds its few places taken is lost."""
        while said[-1:] != ["STOPPING=1"]:
            said.append(manager.recv(4096).decode().split("\n")[0])

    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(place)
        manager.settimeout(30)
        listening = threading.Thread(target=listen, args=(manager,))
        listening.start()
        with running(tmp_path, NOTIFY_SOCKET=place, WATCHDOG_USEC="1000000") as router:
            done = subprocess.run(words, env=router.env, capture_output=True, text=True, check=True)
            assert json.loads(done.stdout) == {"pid": router.process.pid}
            assert router.get("/livez").status_code == 200
            assert router.stop() == 0
        listening.join()
    alive = "WATCHDOG=1"
    assert [word for word in said if word != alive] == [
        "READY=1",
        "STATUS=begins anew",
        "READY=1",
        "STOPPING=1",
    ]
    again = said.index("STATUS=begins anew")
    assert alive in said[:again]
    assert alive in said[again:]


def test_the_units_are_of_the_kind_that_the_router_speaks() -> None:
    for unit in (PACKAGING / "systemd").iterdir():
        parser = configparser.ConfigParser(strict=False, interpolation=None)
        parser.optionxform = str  # type: ignore[assignment,method-assign]
        parser.read_string(unit.read_text())
        assert parser["Service"]["Type"] == "notify"
        assert parser["Service"]["ExecStart"].endswith("pointsman serve")
        assert parser["Service"]["NoNewPrivileges"] == "yes"
