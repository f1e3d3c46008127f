"""A stand-in for the router: a real server on the control socket and one for the CCR role.

Used in a test's own loop (`async with Fake(home)`), and as a process: a folder with a `router`
package whose `__main__` calls `main` makes `python -m router …` this (see `installed`).
"""

from __future__ import annotations

import argparse
import asyncio
import fcntl
import os
import signal
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec

from router.contract import (
    Action,
    AddModels,
    Beat,
    ClearOverride,
    ClientKeys,
    Done,
    Edited,
    EditRoutes,
    Explain,
    Explained,
    Facts,
    Finding,
    Invite,
    Invited,
    Listener,
    ListModels,
    Look,
    Models,
    ModelView,
    OverrideView,
    Refused,
    RequestView,
    Result,
    ServiceView,
    SetOverride,
    ShowKeys,
    Snapshot,
    Stop,
    Tokens,
    Totals,
)
from storage.home import Home, home

#: what a stranger might put into a name to reach the terminal
EVIL = "evil\x1b]52;c;aGk=\x07\x9b31m\u202e[red]x"
FINDINGS = (Finding("CCR config", "~/config.json", "found", f"2 providers {EVIL}"),)
EXPLAINED = Explained(
    candidates=("deepseek,deepseek-chat", f"openrouter,{EVIL}"),
    rule="default",
    looks=(
        Look("longContext", "12 > 60,000"),
        Look("default", "nothing else", True, "deepseek,deepseek-chat"),
    ),
    facts=Facts(tokens=12, messages=1),
)
_ACTION: msgspec.json.Decoder[Action] = msgspec.json.Decoder(Action)


def explained(action: Explain) -> Explained:
    if action.body == "refuse":
        return Explained((), "", (), Facts(), error="no such model")
    note = ",".join(f"{name}={value}" for name, value in action.headers.items())
    return msgspec.structs.replace(EXPLAINED, rule=f"{action.door}:{note or 'none'}")


class Fake:
    """`answers`: the SSE bodies of /v1/messages in turn; `asked`: the bodies that came."""

    def __init__(self, here: Home, *, answers: Sequence[bytes] = (), status: int = 200) -> None:
        self.home = here
        self.answers = list(answers)
        self.status = status
        self.actions: list[Action] = []
        self.asked: list[dict[str, Any]] = []
        self.headers: list[dict[str, str]] = []
        self.paths: list[str] = []
        self.refuse = ""
        self.problem = ""
        self.ledger_trouble = ""
        self.roles: tuple[ServiceView, ...] = ()
        self.keys = ClientKeys()
        self.recent: tuple[RequestView, ...] = ()
        self.overrides: dict[str, OverrideView] = {}
        self.stopped = asyncio.Event()
        self.role_port = 0
        self.front_port = 5000
        self._servers: list[asyncio.Server] = []
        self._serving: dict[asyncio.Task[None], asyncio.StreamWriter] = {}

    async def __aenter__(self) -> Fake:
        self.home.make()
        control = await asyncio.start_unix_server(self._serve, str(self.home.socket))
        role = await asyncio.start_server(self._serve, "127.0.0.1", self.role_port)
        self.role_port = role.sockets[0].getsockname()[1]
        self._servers = [control, role]
        return self

    async def __aexit__(self, *_: object) -> None:
        for server in self._servers:
            server.close()
            await server.wait_closed()
        for writer in self._serving.values():
            writer.close()
        await asyncio.gather(*self._serving)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.role_port}"

    def snapshot(self) -> Snapshot:
        return Snapshot(
            version="0.1.0",
            protocol=1,
            pid=os.getpid(),
            started_at=time.time() - 3700,
            home=str(self.home.config),
            generation=1,
            simulated_only=False,
            listeners=(
                Listener("front door", f"http://127.0.0.1:{self.front_port}"),
                Listener("CCR", self.url),
                Listener("SSH", "ssh -p 2299 127.0.0.1"),
            ),
            findings=FINDINGS,
            services=(
                ServiceView("deepseek", "provider", "up", "real", requests=7, errors=1, p50_ms=412),
                ServiceView(EVIL, "provider", "down", reason=EVIL),
                *self.roles,
            ),
            overrides=tuple(self.overrides.values()),
            running=(),
            recent=self.recent,
            beat=Beat(
                time.time(),
                running=2,
                per_second=1.0,
                p95_ms=900.0,
                error_rate=0.0,
                today=Totals(12, 1, Tokens(input=3456, output=789), 123_000_000, 2, 5, 999_000_000),
            ),
            targets=("deepseek,deepseek-chat", "openrouter,claude-3-5-sonnet"),
            ledger_trouble=self.ledger_trouble,
            scenarios={"default": "deepseek,deepseek-chat", "think": EVIL},
        )

    def act(self, action: Action) -> Result:
        self.actions.append(action)
        if self.refuse:
            return Refused(self.refuse)
        match action:
            case SetOverride():
                until = None if action.seconds is None else time.time() + action.seconds
                view = OverrideView(
                    "o1", action.scope, action.target, time.time(), until, action.by, action.forced
                )
                self.overrides = {"o1": view}
                return Done("set", override=view)
            case ClearOverride():
                if action.id != "all" and action.id not in self.overrides:
                    return Refused(f"there is no override {action.id!r}")
                self.overrides = {}
            case Explain():
                return explained(action)
            case Invite():
                return Invited("ticket-of-one", time.time() + 600)
            case ListModels():
                cheap = ModelView("deepseek,deepseek-chat", input=140, output=280)
                dear = ModelView(
                    "openrouter,claude-3-5-sonnet", input=3000, output=15_000, context=200_000
                )
                return Models((cheap, dear))
            case EditRoutes():
                return Edited("/x/config.json", ("+ a route",), applied=not action.dry)
            case AddModels():
                return Edited("/x/config.json", (), applied=True, message=f"added {EVIL}")
            case ShowKeys():
                return self.keys
            case Stop():
                asyncio.get_running_loop().call_later(0.05, self.stopped.set)
            case _:
                pass
        return Done("done")

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._serving[task] = writer
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                request, *lines = head.decode().split("\r\n")
                pairs = (line.partition(":") for line in lines if line)
                headers = {name.lower(): value.strip() for name, _, value in pairs}
                body = await reader.readexactly(int(headers.get("content-length", "0")))
                method, target, _ = request.split(" ")
                path = target.partition("?")[0]
                self.paths.append(path)
                status, more, answer = self._answer(path, headers, body)
                answer = b"" if method == "HEAD" else answer
                length = f"content-length: {len(answer)}\r\n"
                writer.write(f"HTTP/1.1 {status} OK\r\n{more}{length}\r\n".encode() + answer)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()
            del self._serving[task]

    def _answer(self, path: str, headers: dict[str, str], body: bytes) -> tuple[int, str, bytes]:
        match path:
            case "/alive":
                return 200, "", b"{}"
            case "/snapshot":
                return 200, "", msgspec.json.encode(self.snapshot())
            case "/act":
                return 200, "", msgspec.json.encode(self.act(_ACTION.decode(body)))
            case "/v1/messages":
                self.asked.append(msgspec.json.decode(body))
                self.headers.append(headers)
                answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
                more = "x-request-id: req_chat\r\ncontent-type: text/event-stream\r\n"
                if self.problem:
                    more += f"x-pointsman-problem: {self.problem}\r\n"
                return self.status, more, answer
        return 404, "", b"{}"


def sse(*events: dict[str, Any]) -> bytes:
    return b"".join(
        b"event: %s\ndata: %s\n\n" % (event["type"].encode(), msgspec.json.encode(event))
        for event in events
    )


def answer(text: str, *, thinking: bool = False, tool: str = "", stop: bool = True) -> bytes:
    """An Anthropic stream; the text comes in pieces of three characters."""
    pieces = [text[i : i + 3] for i in range(0, len(text), 3)]
    start = {"model": "m", "usage": {"input_tokens": 11, "output_tokens": 1}}
    events: list[dict[str, Any]] = [{"type": "message_start", "message": start}]
    if thinking:
        block = {"type": "thinking", "thinking": ""}
        events.append({"type": "content_block_start", "index": 0, "content_block": block})
    events += [
        {
            "type": "content_block_delta",
            "index": 1,
            "delta": {"type": "text_delta", "text": piece},
        }
        for piece in pieces
    ]
    if tool:
        block = {"type": "tool_use", "id": "t", "name": tool}
        delta = {"type": "input_json_delta", "partial_json": '{"command":"ls"}'}
        events += [
            {"type": "content_block_start", "index": 2, "content_block": block},
            {"type": "content_block_delta", "index": 2, "delta": delta},
            {"type": "content_block_stop", "index": 2},
        ]
    events.append({"type": "message_delta", "usage": {"output_tokens": 5}})
    if stop:
        events.append({"type": "message_stop"})
    return sse(*events)


def installed(folder: Path) -> dict[str, str]:
    """Variables under which `python -m router` is this file's `main`, and `router.contract` is
    still the real one."""
    package = folder / "router"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text(
        "from pkgutil import extend_path\n__path__ = extend_path(__path__, __name__)\n"
    )
    (package / "__main__.py").write_text(
        "from tests.console.commands.fake import main\nraise SystemExit(main())\n"
    )
    root = Path(__file__).parents[3]
    return {"PYTHONPATH": os.pathsep.join((str(folder), str(root)))}


async def serve(here: Home, arguments: argparse.Namespace) -> int:
    here.make()
    with here.lock.open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print("another router runs on this home", file=sys.stderr)
            return 4
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        if arguments.port == 1:
            print(f"pointsman: port 1 is taken by {EVIL}", file=sys.stderr, flush=True)
            return 1
        here.socket.unlink(missing_ok=True)
        fake = Fake(here)
        fake.front_port = arguments.port or 5000
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, fake.stopped.set)
        async with fake:
            print("ready", flush=True)
            await fake.stopped.wait()
        print("drained", flush=True)
    return 0


def main() -> int:
    parser = argparse.ArgumentParser()
    commands = parser.add_subparsers(dest="command")
    shared = argparse.ArgumentParser(add_help=False)
    for name in ("--port", "--litellm-port", "--ccr-port", "--ssh-port"):
        shared.add_argument(name, type=int, default=0)
    for name in ("--host", "--litellm-config"):
        shared.add_argument(name)
    shared.add_argument("--local", action="store_true")
    commands.add_parser("serve", parents=[shared]).add_argument("--log")
    doctor = commands.add_parser("doctor", parents=[shared])
    doctor.add_argument("--json", action="store_true", required=True)
    explain = commands.add_parser("explain")
    explain.add_argument("--door", default="ccr")
    explain.add_argument("--header", action="append", default=[])
    explain.add_argument("file", choices=["-"])
    arguments = parser.parse_args()
    if arguments.command == "serve":
        return asyncio.run(serve(home(), arguments))
    if arguments.command == "doctor":
        print(msgspec.json.encode(FINDINGS).decode())
        return 0
    pairs = (header.partition(":") for header in arguments.header)
    headers = {name: value for name, _, value in pairs}
    result = explained(Explain(sys.stdin.read(), arguments.door, headers))
    print(msgspec.json.encode(result).decode())
    return 0
