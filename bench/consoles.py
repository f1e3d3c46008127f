"""What consoles cost, and what they cost the router: `python bench/consoles.py`.

A router with the mock provider behind it serves a steady load; consoles of 120x40 look at Live on
terminals of their own. CPU is the figure to trust on a shared machine: a console's share of a core,
the router's CPU per request with and without consoles. Latencies are medians over rounds that
alternate between the two, so that what else the machine does falls on both.

    python bench/consoles.py [--rate 60] [--seconds 8] [--rounds 3] [--consoles 20]
"""

from __future__ import annotations

import argparse
import fcntl
import json
import os
import pty
import statistics
import struct
import subprocess
import sys
import tempfile
import termios
import threading
import time
from collections.abc import Iterable
from pathlib import Path

import bodies
import psutil
from gateways import Gateway, pointsman
from process import Measured
from run import SETTLE, WARM, compiled, free_port

from console.niceness import NICE

PROGRAM = (
    "from console.app import run\nfrom storage.home import home\nraise SystemExit(run(home()))\n"
)
COLUMNS, ROWS = 120, 40
KEYS = 60
#: seconds between keys, as they repeat while one is held; what a key repaints is done by then
REPEAT = 0.07
#: seconds until what consoles began, or left behind, is over, and a load fills their screens
REST = 2.0
#: seconds of a load that are not read at its end: they begin and end each on its own
SPARE = 1.0


class Looker:
    """A console on a pty whose output is read at once, as a terminal does."""

    def __init__(self, folder: Path, nice: int = NICE) -> None:
        self.master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
        self.began = time.monotonic()
        self.process = psutil.Popen(
            ["nice", "-n", str(nice), sys.executable, "-c", PROGRAM],
            stdin=slave,
            stdout=slave,
            stderr=slave,
            start_new_session=True,
            env={
                "PATH": os.environ["PATH"],
                "HOME": str(folder),
                "POINTSMAN_HOME": str(folder),
                "TERM": "xterm-256color",
                "COLORTERM": "truecolor",
                "LANG": "C.UTF-8",
            },
        )
        os.close(slave)
        self.read = 0
        self.first: float | None = None
        self.first_cpu = 0.0
        self.live = threading.Event()
        self.more = threading.Event()
        self._thread = threading.Thread(target=self._reading, daemon=True)
        self._thread.start()

    def _reading(self) -> None:
        seen = b""
        while True:
            try:
                data = os.read(self.master, 65536)
            except OSError:
                return
            if self.first is None and b"Pointsman" in (seen := seen + data):
                self.first = time.monotonic() - self.began
                self.first_cpu = self.cpu()
            if not self.live.is_set() and b"LIVE" in (seen := (seen + data)[-200_000:]):
                self.live.set()
            self.read += len(data)
            self.more.set()

    def cpu(self) -> float:
        times = self.process.cpu_times()
        return float(times.user + times.system)

    def key(self, key: bytes) -> float:
        """Seconds until something new is painted."""
        self.more.clear()
        at = time.monotonic()
        os.write(self.master, key)
        self.more.wait(5)
        return time.monotonic() - at

    def pss(self) -> float:
        return float(self.process.memory_full_info().pss) / 2**20

    def stop(self) -> None:
        self.process.kill()
        self.process.wait()
        os.close(self.master)


class Load:
    """A steady stream of requests; `answer` waits for its end."""

    def __init__(self, folder: Path, gateway: Gateway, rate: float, seconds: float) -> None:
        self._process = subprocess.Popen(
            [
                *(str(folder / "lgen"), "-u", f"http://127.0.0.1:{gateway.port}{gateway.chat}"),
                *("-b", str(folder / "chat.json"), "-c", "32", "-R", str(rate)),
                *("-t", str(seconds), "-w", str(WARM), "-H", "Content-Type: application/json"),
                *(part for header in gateway.headers for part in ("-H", header)),
            ],
            stdout=subprocess.PIPE,
        )

    def answer(self) -> dict[str, float]:
        found = json.loads(self._process.communicate()[0])
        return {
            "rps": found["rps"],
            "p50": found["lat_us"]["p50"] / 1000,
            "p99": found["lat_us"]["p99"] / 1000,
            "bad": found["errors"] + found["non200"],
        }


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--rate", type=float, default=60.0)
    parser.add_argument("--seconds", type=float, default=8.0)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--consoles", type=int, default=20)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="pointsman-bench-") as temporary:
        folder = Path(temporary)
        compiled(folder, "mock", "lgen")
        bodies.make(folder)
        own = folder / "pointsman"
        own.mkdir(mode=0o700)
        port = free_port()
        mock = Measured("mock", [str(folder / "mock"), "-p", str(port)], 1, folder, {})
        gateway = pointsman(free_port(), port, own)
        router = Measured("router", gateway.command, 0, own, gateway.env)
        try:
            mock.wait_ready(f"http://127.0.0.1:{port}/v1/models")
            router.wait_ready(f"http://127.0.0.1:{gateway.port}{gateway.ready}")
            time.sleep(SETTLE)
            _one_console(folder, own, gateway, given)
            _five(folder, own, gateway, given)
            _twenty(folder, own, gateway, router, given)
        finally:
            router.stop()
            mock.stop()
    return 0


def _one_console(folder: Path, own: Path, gateway: Gateway, given: argparse.Namespace) -> None:
    """First paint, and what a full screen under load costs."""
    paints = []
    for _ in range(5):
        looker = Looker(own, nice=0)
        looker.live.wait(20)
        paints.append((looker.first or 0.0, looker.first_cpu))
        looker.stop()
    print(
        f"first paint          {_median(p[0] for p in paints) * 1000:6.0f} ms"
        f"   CPU until then {_median(p[1] for p in paints) * 1000:.0f} ms"
    )
    looker = Looker(own, nice=0)
    looker.live.wait(20)
    idle = _share(looker, 4)
    load = Load(folder, gateway, given.rate, given.seconds)
    time.sleep(REST)
    before, seconds = looker.read, given.seconds - REST - SPARE
    busy = _share(looker, seconds)
    written = (looker.read - before) / seconds / 1024
    load.answer()
    print(f"Live, nothing new    {idle:6.1%} of a core")
    print(
        f"Live, {given.rate:3.0f} req/s      {busy:6.1%} of a core"
        f"   {written:.0f} KB/s to the terminal"
    )
    looker.stop()


def _five(folder: Path, own: Path, gateway: Gateway, given: argparse.Namespace) -> None:
    """Keys, while five look."""
    lookers = [Looker(own) for _ in range(5)]
    for looker in lookers:
        looker.live.wait(30)
    time.sleep(REST)
    waited = []
    for number in range(KEYS):
        time.sleep(REPEAT)
        waited.append(lookers[0].key(b"jk"[number % 2 : number % 2 + 1]))
    waited.sort()
    p95 = waited[int(len(waited) * 0.95)] * 1000
    print(f"key, five consoles   p50 {waited[len(waited) // 2] * 1000:.0f} ms, p95 {p95:.0f} ms")
    print(
        f"memory               {_median(each.pss() for each in lookers):6.1f} MB each (PSS, five)"
    )
    for looker in lookers:
        looker.stop()


def _twenty(
    folder: Path, own: Path, gateway: Gateway, router: Measured, given: argparse.Namespace
) -> None:
    """The router with and without them, in turns; they are stopped, not ended, in between."""
    lookers = [Looker(own) for _ in range(given.consoles)]
    for looker in lookers:
        looker.live.wait(60)
    rows: dict[bool, list[dict[str, float]]] = {True: [], False: []}
    for turn in range(given.rounds * 2):
        there = turn % 2 == 1
        if turn and there:
            lookers = [Looker(own) for _ in range(given.consoles)]
            for looker in lookers:
                looker.live.wait(60)
        elif not there:
            for looker in lookers:
                looker.stop()
            lookers = []
        time.sleep(REST)
        load = Load(folder, gateway, given.rate, given.seconds)
        before, at = router.cpu(), time.monotonic()
        found = load.answer()
        found["cpu"] = (router.cpu() - before) / (time.monotonic() - at)
        rows[there].append(found)
    for there, name in ((False, "no console"), (True, f"{given.consoles} consoles")):
        mine = rows[there]
        print(
            f"router, {name:12} p50 {_median(r['p50'] for r in mine):.1f} ms,"
            f" p99 {_median(r['p99'] for r in mine):.1f} ms"
            f"   ({', '.join(format(r['p99'], '.0f') for r in mine)})"
            f"   CPU {_median(r['cpu'] for r in mine):.1%}   bad {sum(r['bad'] for r in mine):.0f}"
        )
    for looker in lookers:
        looker.stop()


def _share(looker: Looker, seconds: float) -> float:
    before, at = looker.cpu(), time.monotonic()
    time.sleep(seconds)
    return (looker.cpu() - before) / (time.monotonic() - at)


def _median(values: Iterable[float]) -> float:
    return statistics.median(values)


if __name__ == "__main__":
    sys.exit(main())
