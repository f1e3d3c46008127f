"""What providers and clients put into names, errors and headers reaches no terminal, and no line of
its own in a log or an answer's head."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import httpx

from tests.fakes.upstream import Behaviour, FakeUpstream
from tests.harness import Running, running

#: a title and a clipboard write, a colour, C1 forms of them, a cleared screen, lines, markup,
#: a right-to-left override, a NUL
EVIL = (
    "\x1b]0;owned\x07\x1b]52;c;aGk=\x1b\\\x1b[31m\x9b31m\x9d52;c;aGk=\x9c\x1bc\r\n"
    "forged: line\r[/nope][@click=app.bell]x[/]\u202e\u2066\x00\x7f\x08%s{0}"
)
LONG = "m" * 1_000_000
COMMANDS = (
    *(["status"], ["status", "--json"], ["logs", "-n", "500"], ["logs", "--json", "-n", "500"]),
    *(["why", "last"], ["why", "last", "--json"], ["costs"], ["costs", "--json"]),
    *(["override", "list"], ["doctor"]),
)


def provider(upstream: FakeUpstream) -> str:
    return (
        f"[providers.fake]\nkind = 'openai'\nbase = '{upstream.base}'\nkey = 'k'\n"
        "[retry]\nretries = 0\ncooldown = 0.0\n"
    )


async def exercise(router: Running, upstream: FakeUpstream) -> int:
    """Returns how many requests it made."""
    count = 0
    answer = {
        "id": EVIL,
        "object": "chat.completion",
        "model": EVIL,
        "choices": [{"index": 0, "message": {"content": EVIL}, "finish_reason": EVIL}],
        "usage": {"prompt_tokens": 10**30, "completion_tokens": 2**63, "total_tokens": -1},
    }
    error = {"error": {"message": EVIL, "type": EVIL, "code": EVIL}}
    header = EVIL.translate(dict.fromkeys(map(ord, "\r\n\0\u202e\u2066")))
    limits = {"x-ratelimit-left": header, "request-id": header, "retry-after": header}
    said = [
        Behaviour(body=json.dumps(answer).encode()),
        Behaviour(status=400, body=json.dumps(error).encode(), headers=limits),
        Behaviour(status=500, body=EVIL.encode()),
        Behaviour(raw=b"HTTP/1.1 200 OK\r\nx-ratelimit-a: \x1b[31m\r\n b: c\r\n\r\n{}"),
        Behaviour(status=400, body=json.dumps({"error": {"message": LONG, "code": LONG}}).encode()),
    ]
    async with httpx.AsyncClient(timeout=30, base_url=router.front) as client:
        for behaviour in said:
            upstream.default = behaviour
            for path in ("/ccr/v1/messages", "/litellm/v1/chat/completions"):
                for model in ("fake,m", f"fake,{EVIL}", EVIL, LONG):
                    sent = {"model": model, "messages": [{"role": "user", "content": "hi"}]}
                    got = await client.post(
                        path,
                        json=sent,
                        headers={b"x-session-id": b"\x9b31m", b"user-agent": b"\x9d52;c;aGk=\x9c"},
                    )
                    count += 1
                    head = b"".join(name + value for name, value in got.headers.raw)
                    assert len(head) < 8_000
                    assert all(0x20 <= byte < 0x7F or byte >= 0xA0 for byte in head)
                    assert "forged" not in got.headers
                    assert len(got.content) < 20_000
    return count


def shown(router: Running, *words: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "console", *words],
        capture_output=True,
        timeout=60,
        env=router.env | {"TERM": "xterm-256color"},
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert b"fault of ours" not in done.stderr
    return (done.stdout + done.stderr).decode()


async def test_it_reaches_no_terminal(tmp_path: Path, upstream: FakeUpstream) -> None:
    (tmp_path / "pointsman.toml").write_text(provider(upstream))
    (tmp_path / "pointsman.toml").chmod(0o600)
    with running(tmp_path) as router:
        sent = await exercise(router, upstream)
        stop = router.stop
        for words in COMMANDS:
            text = shown(router, *words)
            wrong = {c for c in text if not c.isprintable() and c != "\n"}
            assert not wrong, (words, wrong)
            assert not [line for line in text.splitlines() if line.startswith("forged")], words
        assert stop() == 0
    log = (tmp_path / ".claude-code-router" / "logs" / "ccr.log").read_bytes()
    lines = log.split(b"\n")
    assert max(map(len, lines)) < 8_000
    assert not [byte for byte in log if byte < 0x20 and byte != 0x0A]
    sources = {json.loads(line)["source"] for line in lines if line}
    assert "exchange" in sources
    assert not [line for line in lines if b"incident" in line]
    with closing(sqlite3.connect(tmp_path / "data" / "ledger.db")) as ledger:
        (rows,) = ledger.execute("SELECT count(*) FROM request").fetchone()
    assert rows == sent  # an absurd count of tokens loses none
    assert (tmp_path / "data" / "ledger.db").stat().st_size < 1_000_000
