"""`make bench`: our router beside a plain nginx, no gateway at all, and the peers installed here.

The gateway has core 0, the mock provider and the load generator core 1. Rounds alternate, every
figure is a median. CPU per request is the one to trust: it hardly moves with what else the machine
does.

    python bench/run.py [--rounds 2] [--seconds 3] [--only tput,agent] [--out FILE] [NAME …]

Peers: POINTSMAN_BENCH_LITELLM=/path/to/litellm, POINTSMAN_BENCH_CCR=/path/to/dist/cli.js.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import bodies
from gateways import PEERS, Gateway
from process import Measured

SOURCES = Path(__file__).parent / "src"
#: nobody needs more, and a shared machine should not bear more
MOST_SECONDS = 10.0
MOST_ROUNDS = 9
#: seconds of load until connections stand; the generator leaves them out of its figures
WARM = 0.5
#: share of the load's seconds in which CPU is read: to its end, the last answers would be missing
READ = 0.95
#: seconds after the starts: programs load prices and vocabularies once they listen
SETTLE = 3.0
#: share of a core that the gateways together may use before the next one is measured: LiteLLM works
#: for half a second on what it was sent, on the core that the next one then shares with it; and the
#: most seconds that this is waited for, and the seconds over which it is measured
QUIET, PATIENCE, LOOK = 0.03, 6.0, 0.3


@dataclass(frozen=True)
class Scenario:
    name: str
    api: str  # which path of the gateway
    body: str
    connections: int
    title: str


SCENARIOS = (
    Scenario("tput", "chat", "chat", 64, "Chat Completions, 1 KB, 64 connections"),
    Scenario("translate", "messages", "messages", 64, "Messages in, Chat Completions out, 1 KB"),
    Scenario("agent", "messages", "agent", 8, "a coding agent's Messages request, 200 KB"),
    Scenario("stream", "chat", "chat_stream", 16, "streams of 100 chunks, Chat Completions"),
    Scenario("mstream", "messages", "messages_stream", 16, "the same, translated to Messages"),
)


def main() -> int:
    given = _arguments()
    # ended from outside: the gateways it started end with it
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("bench: ended"))
    missing = [tool for tool in ("cc", "taskset") if shutil.which(tool) is None]
    if missing or (os.cpu_count() or 1) < 2 or not sys.platform.startswith("linux"):
        need = f"missing: {', '.join(missing)}" if missing else "it needs Linux and two cores"
        sys.stderr.write(f"bench: {need}\n")
        return 1
    scenarios = [s for s in SCENARIOS if not given.only or s.name in given.only.split(",")]
    with tempfile.TemporaryDirectory(prefix="pointsman-bench-") as temporary:
        folder = Path(temporary)
        compiled(folder, "mock", "lgen")
        bodies.make(folder)
        rows = _measure(folder, scenarios, given)
    for row in rows:
        if given.out:
            with given.out.open("a") as file:
                file.write(json.dumps(row) + "\n")
    _show(scenarios, rows)
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--seconds", type=float, default=3.0)
    parser.add_argument("--only", default="", help=",".join(s.name for s in SCENARIOS))
    parser.add_argument("--out", type=Path, help="a line of JSON for each run goes there")
    parser.add_argument("names", nargs="*", help="only these gateways")
    given = parser.parse_args()
    given.rounds = min(given.rounds, MOST_ROUNDS)
    given.seconds = min(given.seconds, MOST_SECONDS)
    return given


# ── measuring ─────────────────────────────────────────────────────────────────────────────────────


def _measure(
    folder: Path, scenarios: list[Scenario], given: argparse.Namespace
) -> list[dict[str, Any]]:
    started: list[Measured] = []
    rows = []
    try:
        mock_port = free_port()
        mock = Measured("mock", [str(folder / "mock"), "-p", str(mock_port)], 1, folder, {})
        started.append(mock)
        mock.wait_ready(f"http://127.0.0.1:{mock_port}/v1/models")
        running: list[tuple[Gateway, Measured]] = []
        for peer in PEERS:
            own = folder / peer.__name__
            own.mkdir(mode=0o700)
            gateway = peer(free_port(), mock_port, own)
            if gateway is None or (given.names and gateway.name not in given.names):
                continue
            process = mock
            if gateway.command:
                process = Measured(gateway.name, gateway.command, 0, own, gateway.env)
                started.append(process)
                try:
                    process.wait_ready(f"http://127.0.0.1:{gateway.port}{gateway.ready}")
                except RuntimeError as error:
                    sys.stderr.write(f"bench: left out: {error}\n")
                    continue
            running.append((gateway, process))
        time.sleep(SETTLE)
        for turn in range(given.rounds):
            for scenario in scenarios:
                for gateway, process in running if turn % 2 == 0 else running[::-1]:
                    _wait_quiet(started)
                    row = _one(folder, gateway, process, scenario, given.seconds)
                    if row is not None:
                        rows.append(row)
                        sys.stderr.write(_line(row))
    except RuntimeError as error:
        sys.stderr.write(f"bench: {error}\n")
    finally:
        for process in reversed(started):
            process.stop()
    return rows


def _wait_quiet(started: list[Measured]) -> None:
    """Until the last one measured has done what it had left to do."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        before, at = sum(one.cpu() for one in started), time.monotonic()
        time.sleep(LOOK)
        used = sum(one.cpu() for one in started) - before
        if used < QUIET * (time.monotonic() - at):
            return


def _one(
    folder: Path, gateway: Gateway, process: Measured, scenario: Scenario, seconds: float
) -> dict[str, Any] | None:
    """One run. None where the gateway has no such API."""
    path = gateway.chat if scenario.api == "chat" else gateway.messages
    if path is None:
        return None
    headers = ("Content-Type: application/json", "anthropic-version: 2023-06-01", *gateway.headers)
    load = subprocess.Popen(
        [
            *("taskset", "-c", "1", str(folder / "lgen")),
            *("-u", f"http://127.0.0.1:{gateway.port}{path}"),
            *("-b", str(folder / f"{scenario.body}.json"), "-c", str(scenario.connections)),
            *("-t", str(seconds), "-w", str(WARM)),
            *(part for header in headers for part in ("-H", header)),
        ],
        stdout=subprocess.PIPE,
    )
    time.sleep(WARM)
    before, at = process.cpu(), time.monotonic()
    time.sleep(seconds * READ)
    used, elapsed = process.cpu() - before, time.monotonic() - at
    found = json.loads(load.communicate()[0])
    requests = found["rps"] * elapsed
    return {
        "gateway": gateway.name,
        "scenario": scenario.name,
        "rps": found["rps"],
        "p50": found["lat_us"]["p50"] / 1000,
        "p99": found["lat_us"]["p99"] / 1000,
        "ttft": found["ttft_us"]["p50"] / 1000,
        "cpu_ms": used * 1000 / requests if requests and gateway.command else None,
        "rss": process.rss() if gateway.command else None,
        "bad": found["errors"] + found["non200"],
        "said": found["bad_text"],
    }


def compiled(folder: Path, *names: str) -> None:
    """Makes programs of src/ in `folder`. Raises CalledProcessError; the compiler says why."""
    for name in names:
        subprocess.run(
            ["cc", "-O2", "-o", str(folder / name), str(SOURCES / f"{name}.c")], check=True
        )


def free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port: int = sock.getsockname()[1]
        return port


# ── showing ───────────────────────────────────────────────────────────────────────────────────────


def _line(row: dict[str, Any]) -> str:
    bad = f"  {row['bad']} bad: {row['said'][:100]}" if row["bad"] else ""
    return f"  {row['scenario']:10} {row['gateway']:10} {row['rps']:10.0f} req/s{bad}\n"


def _show(scenarios: list[Scenario], rows: list[dict[str, Any]]) -> None:
    for scenario in scenarios:
        mine = [row for row in rows if row["scenario"] == scenario.name]
        names = list(dict.fromkeys(row["gateway"] for row in mine))
        figures = {name: _medians([r for r in mine if r["gateway"] == name]) for name in names}
        print(f"\n{scenario.title}  ({scenario.name})")
        print(
            f"{'gateway':10} {'req/s':>9} {'CPU ms':>8} {'p50 ms':>8} {'p99 ms':>8}"
            f" {'first ms':>8} {'RSS MB':>7} {'/nginx':>7} {'/direct':>8} {'bad':>5}"
        )
        for name in sorted(names, key=lambda n: -figures[n]["rps"]):
            figure = figures[name]
            print(
                f"{name:10} {figure['rps']:9.0f} {_or_dash(figure['cpu_ms'], 8, 3)}"
                f" {figure['p50']:8.2f} {figure['p99']:8.2f} {figure['ttft']:8.2f}"
                f" {_or_dash(figure['rss'], 7, 0)} {_ratio(figures, name, 'nginx', 7)}"
                f" {_ratio(figures, name, 'direct', 8)} {figure['bad']:5.0f}"
            )
        ours = figures.get("pointsman", {}).get("rps")
        beside = [n for n in ("litellm", "ccr") if ours and n in figures and figures[n]["rps"]]
        if beside:
            times = ", ".join(f"{ours / figures[name]['rps']:.1f} times {name}" for name in beside)
            print(f"pointsman serves {times}")


def _medians(rows: list[dict[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key in ("rps", "p50", "p99", "ttft", "cpu_ms", "rss"):
        values = [row[key] for row in rows if row[key] is not None]
        found[key] = statistics.median(values) if values else None
    found["bad"] = sum(row["bad"] for row in rows)
    return found


def _or_dash(value: float | None, width: int, digits: int) -> str:
    return f"{'–':>{width}}" if value is None else f"{value:{width}.{digits}f}"


def _ratio(figures: dict[str, dict[str, Any]], name: str, base: str, width: int) -> str:
    if base not in figures or not figures[base]["rps"]:
        return f"{'–':>{width}}"
    return f"{figures[name]['rps'] / figures[base]['rps']:{width}.3f}"


if __name__ == "__main__":
    sys.exit(main())
