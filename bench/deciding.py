"""What deciding costs: the route of a coding agent's request of 200,000 tokens, ours and CCR's.

In this process: parsing the body, then the count, the facts and the rules (`situation`, `decide`),
once with nothing seen before and once for each next turn of the same conversation. Beside it what
tiktoken alone takes for the same texts, as it splits them by itself, and whole
requests over HTTP, ours and the real CCR's, less what a request of a few words costs there. All
figures are CPU: they hardly move with what else the machine does.

    python bench/deciding.py [--turns 9]        CCR: POINTSMAN_BENCH_CCR=/path/to/dist/cli.js
"""

from __future__ import annotations

import argparse
import asyncio
import json
import shutil
import statistics
import sys
import tempfile
import time
import urllib.request
from pathlib import Path
from typing import Any

import bodies
import tiktoken
from gateways import Gateway, ccr, pointsman
from process import Measured
from run import SETTLE, compiled, free_port

from router.caller import Caller
from router.config import Flags, Probes, load
from router.formats.anthropic_messages.parse import parse_request
from router.rules import decide
from router.situation import Means, situation
from router.tokens import contents
from router.tokens.vocab import encoding
from storage.home import home

TOKENS = 200_000
#: characters of a token of bodies.py's text, measured: what the conversation is made long by
CHARACTERS = 5.2
#: every rule that looks at the size of a request has a bound to look at
ROUTES = {
    "default": "mock,mock",
    "background": "mock,mock",
    "think": "mock,mock",
    "longContext": "mock,mock",
    "longContextThreshold": 60_000,
}
COLD = 5
#: how tiktoken itself writes what splits a text for cl100k_base
PUBLISHED = (
    r"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}++|\p{N}{1,3}+| ?[^\s\p{L}\p{N}]++[\r\n]*+"
    r"|\s++$|\s*[\r\n]|\s+(?!\S)|\s"
)
MORE = 20  # short requests that one reading of CPU covers
#: CPU seconds of parsing, on the loop, in the thread that counts
Row = tuple[float, float, float]


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--turns", type=int, default=9)
    turns = max(1, min(parser.parse_args().turns, 50))
    with tempfile.TemporaryDirectory(prefix="pointsman-bench-") as temporary:
        folder = Path(temporary)
        tokens = asyncio.run(_inside(folder / "inside", turns))
        print(f"\nwhole requests of {tokens:,} tokens over HTTP, CPU ms more than a short one")
        _outside(folder, turns)
    return 0


def _conversation(turn: int) -> bytes:
    """The body of a turn: each is the one before it and one exchange more."""
    body = bodies.agent(int(TOKENS * CHARACTERS))
    for number in range(turn):
        body["messages"].append({"role": "assistant", "content": f"Step {number} is done."})
        body["messages"].append({"role": "user", "content": f"Then go on with step {number + 1}."})
    return json.dumps(body).encode()


# ── in this process ───────────────────────────────────────────────────────────────────────────────


async def _inside(folder: Path, turns: int) -> int:
    """Prints its figures; returns how many tokens the request has."""
    folder.mkdir(mode=0o700)
    _config(folder, 0, "http://127.0.0.1:9/v1")
    found = home({"POINTSMAN_HOME": str(folder)})
    generation = load(found, {}, Flags(directory=folder), 1, Probes())
    caller = Caller(door="ccr", plane="ccr", headers={})
    encoding().encode_ordinary("loaded")  # once per process, when it starts
    tokens, size = 0, 0

    async def decided(means: Means, raw: bytes) -> Row:
        nonlocal tokens, size
        began = time.thread_time()
        request = parse_request(raw)
        parsed, every = time.thread_time(), time.process_time()
        case = await situation(means, request, caller, generation)
        plan = decide(case)
        loop, every = time.thread_time() - parsed, time.process_time() - every
        assert plan.rule == "longContext", plan.rule
        tokens, size = case.facts.tokens, len(raw)
        return parsed - began, loop, max(0.0, every - loop)

    cold = [await decided(Means(), _conversation(0)) for _ in range(COLD)]
    means = Means()
    await decided(means, _conversation(0))
    seen = [await decided(means, _conversation(turn)) for turn in range(1, turns + 1)]
    print(f"{tokens:,} tokens, {size:,} bytes; CPU ms, median and least")
    print(f"{'':34} {'parsing':>14} {'on the loop':>14} {'in a thread':>14}")
    for title, rows in ((f"nothing seen before ({COLD})", cold), (f"next turns ({turns})", seen)):
        columns = [(statistics.median(one), min(one)) for one in zip(*rows, strict=True)]
        told = " ".join(f"{mid * 1e3:8.2f} {low * 1e3:5.2f}" for mid, low in columns)
        print(f"deciding, {title:24} {told}")
    print(f"{'tiktoken alone, text by text':64} {_plain(_conversation(0))}")
    return tokens


def _plain(raw: bytes) -> str:
    """CPU ms of what a program without Pointsman would do."""
    plain = tiktoken.Encoding(
        "cl100k_base",
        pat_str=PUBLISHED,
        mergeable_ranks=encoding()._mergeable_ranks,
        special_tokens={},
    )
    texts, _ = contents(parse_request(raw))
    took = []
    for _ in range(COLD):
        began = time.thread_time()
        for text in texts:
            plain.encode_ordinary(text)
        took.append(time.thread_time() - began)
    return f"{statistics.median(took) * 1e3:8.2f} {min(took) * 1e3:5.2f}"


def _config(folder: Path, port: int, api: str) -> None:
    """The routes in place of those that the gateways are usually measured with."""
    file = folder / ".claude-code-router" / "config.json"
    if not file.exists():
        file.parent.mkdir(mode=0o700, parents=True)
        url = f"{api}/chat/completions"
        mock = {"name": "mock", "api_base_url": url, "api_key": "sk-bench", "models": ["mock"]}
        file.touch(mode=0o600)
        file.write_text(json.dumps({"Providers": [mock], "PORT": port}))
    config = json.loads(file.read_text())
    file.write_text(json.dumps({**config, "Router": ROUTES}))


# ── over HTTP ─────────────────────────────────────────────────────────────────────────────────────


def _outside(folder: Path, turns: int) -> None:
    if shutil.which("cc") is None or shutil.which("taskset") is None:
        print("left out: it needs a C compiler and taskset")
        return
    compiled(folder, "mock")
    port = free_port()
    mock = Measured("mock", [str(folder / "mock"), "-p", str(port)], 1, folder, {})
    try:
        mock.wait_ready(f"http://127.0.0.1:{port}/v1/models")
        print(f"{'gateway':10} {'first':>9} {'next turns':>11}")
        for peer in (pointsman, ccr):
            own = folder / peer.__name__
            own.mkdir(mode=0o700)
            gateway = peer(free_port(), port, own)
            if gateway is None:
                print(f"{peer.__name__:10} left out: it is not named in the environment")
                continue
            _config(own, gateway.port, "")
            first, later = _asked(gateway, own, turns)
            print(f"{gateway.name:10} {first * 1e3:9.1f} {later * 1e3:11.1f}")
    finally:
        mock.stop()


def _asked(gateway: Gateway, folder: Path, turns: int) -> tuple[float, float]:
    """CPU seconds that the first long request cost, and each of the next turns."""
    process = Measured(gateway.name, gateway.command, 0, folder, gateway.env)
    short: dict[str, Any] = {"model": "claude-x", "max_tokens": 9}
    short["messages"] = [{"role": "user", "content": "Go on."}]
    try:
        process.wait_ready(f"http://127.0.0.1:{gateway.port}{gateway.ready}")
        time.sleep(SETTLE)
        for _ in range(MORE):
            _post(gateway, json.dumps(short).encode())
        little = _cost(process, gateway, [json.dumps(short).encode()] * MORE)
        first = _cost(process, gateway, [_conversation(0)])
        later = _cost(process, gateway, [_conversation(turn) for turn in range(1, turns + 1)])
    finally:
        process.stop()
    return first - little, later - little


def _cost(process: Measured, gateway: Gateway, asked: list[bytes]) -> float:
    before = process.cpu()
    for body in asked:
        _post(gateway, body)
    return (process.cpu() - before) / len(asked)


def _post(gateway: Gateway, body: bytes) -> None:
    headers = dict(header.split(": ", 1) for header in gateway.headers)
    url = f"http://127.0.0.1:{gateway.port}{gateway.messages}"
    asked = urllib.request.Request(
        url, body, {"content-type": "application/json", "x-api-key": "sk-bench", **headers}
    )
    with urllib.request.urlopen(asked, timeout=60) as answer:
        answer.read()


if __name__ == "__main__":
    sys.exit(main())
