"""What is turned away before it is a request: its id, its line, and a flood of the same."""

from __future__ import annotations

import asyncio

from router.contract import LogLine
from router.log import TURNED_AWAY
from storage.home import Home
from tests.fakes.upstream import FakeUpstream
from tests.router import inside
from tests.stories.provider import configure
from tests.waiting import until

KEY = b"sk-canary-1"
#: what is sent, what the line says
FAULTS = {
    b"GET /gr\xc3\xb6\xc3\x9fe?key=" + KEY + b" HTTP/1.1\r\n\r\n": "write other characters",
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03": "this is TLS: write http://",
    b"GET /key/" + KEY + b"/info?k=" + KEY + b" HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n":
        "refused with 400 to 127.0.0.1, for /key/sk-…/info: exactly one Host",
}  # fmt: skip


async def test_each_has_an_id_and_a_line_and_a_flood_has_few(
    test_home: Home, upstream: FakeUpstream
) -> None:
    configure(test_home.config, upstream)
    async with inside.served(test_home) as (router, front):
        now = 100.0
        lines: list[LogLine] = []
        router.now = lambda: now
        router.log.add(lambda line: lines.append(line) if line.source == TURNED_AWAY else None)

        async def said(raw: bytes) -> bytes:
            reader, writer = await asyncio.open_connection("127.0.0.1", int(front.split(":")[2]))
            writer.write(raw)
            answer = await reader.read()
            writer.close()
            return answer

        for raw, words in FAULTS.items():
            answer = await said(raw)
            assert KEY.decode() not in lines[-1].message
            assert words in lines[-1].message
            assert b"\r\nx-request-id: " + lines[-1].request.encode() + b"\r\n" in answer
        written = len(lines)
        for _ in range(5):
            assert b"x-request-id: req_" in await said(b"\x16\x03\x01")
        assert len(lines) == written
        now += 1.0
        await said(b"\x16\x03\x01")
        assert lines[-1].message.endswith("; and 5 like it before")
        assert router.meters.refused == {400: len(FAULTS) + 6}

        # where the beginning was a request there is a row: it does not say that its client left
        await said(
            b"POST /ccr/v1/messages HTTP/1.1\r\nHost: localhost\r\n"
            b"Transfer-Encoding: chunked\r\n\r\nzz\r\n"
        )
        await until(lambda: bool(router.live.recent))
        row = router.live.recent[0]
        assert (row.state, row.status, row.error) == ("failed", 400, "not a valid HTTP request")
