"""systemd's side of Type=notify, and the files that are shipped for it."""

from __future__ import annotations

import configparser
import socket
from pathlib import Path

from tests.harness import running

PACKAGING = Path(__file__).parents[2] / "packaging"


def test_the_manager_is_told_when_it_listens_and_when_it_ends(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(tmp_path / "n"))
        manager.settimeout(30)
        place = str(tmp_path / "n")
        with running(tmp_path, NOTIFY_SOCKET=place, WATCHDOG_USEC="100000") as router:
            said = {manager.recv(4096).decode().split("\n")[0] for _ in range(3)}
            assert said == {"READY=1", "WATCHDOG=1"}
            assert router.get("/livez").status_code == 200
            router.stop()
            while (line := manager.recv(4096).decode()) != "STOPPING=1":
                assert line == "WATCHDOG=1"


def test_the_units_are_of_the_kind_that_the_router_speaks() -> None:
    for unit in (PACKAGING / "systemd").iterdir():
        parser = configparser.ConfigParser(strict=False, interpolation=None)
        parser.optionxform = str  # type: ignore[assignment,method-assign]
        parser.read_string(unit.read_text())
        assert parser["Service"]["Type"] == "notify"
        assert parser["Service"]["ExecStart"].endswith("pointsman serve")
        assert parser["Service"]["NoNewPrivileges"] == "yes"
