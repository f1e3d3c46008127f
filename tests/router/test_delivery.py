"""What reaches the client of an answer, and when: silence, early ends, late ends, wrong labels."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass

import httpx
import msgspec
import pytest

from router.contract import RequestView
from router.service import PING, Router
from storage.home import Home
from tests.fakes.upstream import Behaviour, FakeUpstream, Point
from tests.router import inside
from tests.router.formats.grammar import check_anthropic, check_openai
from tests.stories.provider import anthropic_body, configure, openai_body
from tests.waiting import until

CHECKS: dict[str, Callable[[bytes], dict[str, object]]] = {
    "/litellm/v1/chat/completions": check_openai,
    "/ccr/v1/messages": check_anthropic,
}
BODIES = {"/litellm/v1/chat/completions": openai_body, "/ccr/v1/messages": anthropic_body}
#: T08: nobody on the way may keep a stream back, or pack it
HEADERS = {
    "content-type": "text/event-stream; charset=utf-8",
    "cache-control": "no-cache",
    "x-accel-buffering": "no",
    "content-encoding": None,
}
#: an event of each provider that tells of a failure, and the words right before it
TOLD = {
    "openai": b'data: {"id":"c","object":"chat.completion.chunk","created":1,"model":"m",'
    b'"choices":[{"index":0,"delta":{"content":"last "},"finish_reason":null}]}\n\n'
    b'data: {"error":{"message":"no more","type":"server_error"}}\n\n',
    "anthropic": b"event: content_block_delta\ndata: "
    b'{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"last "}}\n\n'
    b'event: error\ndata: {"type":"error","error":{"type":"overloaded_error","message":"no"}}\n\n',
}


def asked(path: str, group: str, **more: object) -> bytes:
    plane = "" if path.startswith("/litellm") else "litellm-internal,"
    return BODIES[path](plane + group, "hello", **more)


@pytest.fixture
async def router(test_home: Home, upstream: FakeUpstream) -> AsyncIterator[tuple[Router, str]]:
    configure(test_home.config, upstream)
    async with inside.served(test_home) as running:
        yield running


@pytest.fixture
async def http() -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(timeout=10) as client:
        yield client


async def settled(router: Router) -> None:
    await until(lambda: not router.live.running)


async def read_until(chunks: AsyncIterator[bytes], word: bytes) -> bytes:
    got = b""
    async with asyncio.timeout(5):
        while word not in got:
            got += await anext(chunks)
    return got


async def released(answer: httpx.Response, upstream: FakeUpstream, word: bytes) -> bytes:
    """All of an answer whose provider goes on only once `word` was read."""
    chunks = answer.aiter_bytes()
    got = await read_until(chunks, word)
    upstream.release.set()
    return got + b"".join([chunk async for chunk in chunks])


@dataclass(frozen=True)
class Way:
    """Of an answer: to a client at `path`, from a provider of the dialect that `group` is named
    after."""

    inner: Router
    front: str
    upstream: FakeUpstream
    http: httpx.AsyncClient
    path: str
    group: str

    @property
    def check(self) -> Callable[[bytes], dict[str, object]]:
        return CHECKS[self.path]

    def streamed(
        self, group: str = "", **headers: str
    ) -> AbstractAsyncContextManager[httpx.Response]:
        """The answer to a request for a stream."""
        body = asked(self.path, group or self.group, stream=True)
        return self.http.stream("POST", self.front + self.path, content=body, headers=headers)

    async def answer(self, *, stream: bool) -> httpx.Response:
        body = asked(self.path, self.group, stream=stream)
        return await self.http.post(self.front + self.path, content=body)

    def behaves(self, behaviour: Behaviour) -> None:
        self.upstream.behave(self.group, behaviour)

    async def released(self, answer: httpx.Response, word: bytes) -> bytes:
        return await released(answer, self.upstream, word)

    async def ended(self) -> RequestView:
        await settled(self.inner)
        return self.inner.live.recent[0]


@pytest.fixture(params=[(path, group) for path in CHECKS for group in ("openai", "anthropic")])
def way(
    request: pytest.FixtureRequest,
    router: tuple[Router, str],
    upstream: FakeUpstream,
    http: httpx.AsyncClient,
) -> Way:
    return Way(*router, upstream, http, *request.param)


async def test_T05_T08_T09_each_word_goes_on_at_once_until_its_client_leaves(way: Way) -> None:
    way.behaves(Behaviour(stall="middle"))
    wishes = {"accept-encoding": "gzip, br, zstd"}
    async with way.streamed(**wishes) as answer:
        shown = {name: answer.headers.get(name) for name in HEADERS}
        assert shown == HEADERS
        # the provider has not said the rest of it yet, and never will
        got = await read_until(answer.aiter_bytes(), b"three")
    await asyncio.wait_for(way.upstream.requests[0].closed.wait(), 5)
    view = await way.ended()
    assert (view.state, view.error) == ("cancelled", "the client left")
    assert view.tokens.estimated
    assert view.tokens.output > 0  # what went by is billed, and said to be a guess
    for line in got.splitlines():
        named = line.startswith(b"event: ")
        assert not named or way.check is check_anthropic, "T05: OpenAI's events have no name"
    assert (b"event: message_start" in got) is (way.check is check_anthropic)


async def test_T10_silence_is_filled_with_pings(way: Way) -> None:
    way.inner.ping = 0.02
    way.behaves(Behaviour(stall="middle"))
    async with way.streamed() as answer:
        got = await way.released(answer, b"ping")
    assert "error" not in way.check(got)
    assert PING <= 15, "s: proxies and Claude Code wait no longer"


@pytest.mark.parametrize("stall", ["headers", "first"])
async def test_T10_a_client_that_waits_for_the_first_event_is_pinged_and_may_still_be_moved_on(
    way: Way, stall: Point
) -> None:
    """The provider that was silent fails in the end: before its head, or after it."""
    way.inner.ping = 0.02
    silent = Behaviour(stall=stall, status=529)
    if stall == "first":
        silent = Behaviour(stall=stall, cut=stall)
    way.upstream.behave(f"{way.group}-weak", silent)
    async with way.streamed(group=f"{way.group}-weak") as answer:
        shown = {name: answer.headers.get(name) for name in HEADERS}
        got = await way.released(answer, b"ping")
    assert shown == HEADERS
    assert "x-pointsman-model" not in answer.headers, "nobody knew yet who would answer"
    assert "error" not in way.check(got)
    assert got.count(b"eight") == 1
    view = await way.ended()
    other = "anthropic" if way.group == "openai" else "openai"
    assert (view.state, view.status, view.attempts, view.model) == ("done", 200, 3, other)


OLLAMAS = {"model": "openai", "messages": [{"role": "user", "content": "hi"}]}
SPOKEN = {"contents": [{"parts": [{"text": "hi"}]}]}
GOOGLES = "/gemini/v1beta/models/openai:streamGenerateContent"
#: path, body, what a client reads while it waits, how its answer then begins
WAITING: list[tuple[str, object, bytes, bytes]] = [
    ("/ollama/api/chat", OLLAMAS, b" ", b'{"model":"openai"'),
    (GOOGLES, SPOKEN, b" ", b'[{"candidates"'),
    (GOOGLES + "?alt=sse", SPOKEN, b'data: {"usageMetadata":{}}\r\n\r\n', b'data: {"candidates"'),
]


@pytest.mark.parametrize("fails", [False, True])
async def test_T10_clients_of_ollama_and_gemini_wait_for_the_first_event_with_what_they_can_read(
    router: tuple[Router, str], upstream: FakeUpstream, http: httpx.AsyncClient, fails: bool
) -> None:
    inner, front = router
    inner.ping = 0.02
    upstream.behave("openai", Behaviour(stall="headers", status=529 if fails else 200))
    for path, body, ping, begins in WAITING:
        upstream.release.clear()
        async with http.stream("POST", front + path, json=body) as answer:
            got = await released(answer, upstream, ping)
        assert answer.status_code == 200
        told = got.removeprefix(ping)
        while told.startswith(ping):
            told = told.removeprefix(ping)
        assert fails or told.startswith(begins), path
        assert (b'"error":' in told) is fails, path
        if fails and path != GOOGLES:
            assert msgspec.json.decode(told)["error"], "one JSON, as both SDKs look for it"


async def test_T07_what_fails_after_nothing_but_pings_is_told_in_the_stream(way: Way) -> None:
    way.inner.ping = 0.02
    way.behaves(Behaviour(stall="headers", status=529))
    async with way.streamed() as answer:
        got = await way.released(answer, b"ping")
    assert answer.status_code == 200
    assert b"message_start" not in got
    assert b"told to answer 529" in got
    ends = b"event: error" if way.check is check_anthropic else b"data: [DONE]"
    assert got.count(ends) == got.count(b'"error":') == 1
    view = await way.ended()
    assert (view.state, view.status, view.attempts) == ("failed", 200, 2)
    assert view.tokens.output == 0


@pytest.mark.parametrize("cut", ["cut", "told"])
async def test_a_failure_in_mid_stream_ends_legally(way: Way, cut: str) -> None:
    """ "told": by an event of the provider's, in one packet with its last words."""
    last = TOLD[way.group] if cut == "told" else b""
    way.behaves(Behaviour(stall="middle", cut="middle", last=last))
    async with way.streamed() as answer:
        got = await way.released(answer, b"one")
    assert answer.status_code == 200
    told = way.check(got)
    assert told["error"]
    assert got.count(b"one ") == 1
    assert got.count(b"last ") == bool(last)
    view = await way.ended()
    assert (view.state, view.attempts, len(way.upstream.requests)) == ("failed", 1, 1)
    assert view.tokens.estimated
    assert view.tokens.output > 0  # what went by is billed, and said to be a guess


@pytest.mark.parametrize("ending", ["stall", "cut"])
async def test_a_complete_answer_is_complete_however_its_stream_is_closed(
    way: Way, ending: str
) -> None:
    way.behaves(Behaviour(stall="end") if ending == "stall" else Behaviour(cut="end"))
    answer = await way.answer(stream=True)
    assert "error" not in way.check(answer.content)
    view = await way.ended()
    assert (view.state, view.error, view.tokens.estimated) == ("done", "", False)


async def test_a_client_that_goes_after_the_last_word_has_not_left(way: Way) -> None:
    way.behaves(Behaviour(stall="end"))
    last = b"[DONE]" if way.check is check_openai else b"message_stop"
    async with way.streamed() as answer:
        await read_until(answer.aiter_bytes(), last)
    await settled(way.inner)
    assert way.inner.live.recent[0].state == "done"


@pytest.mark.parametrize(
    ("stream", "behaviour"),
    [
        (True, Behaviour(shape="whole")),
        (True, Behaviour(shape="stream")),
        (False, Behaviour(shape="whole")),
        (False, Behaviour(shape="stream")),
        (False, Behaviour(headers={"content-type": "text/plain"})),
    ],
)
async def test_the_client_gets_the_shape_that_it_asked_for(
    way: Way, stream: bool, behaviour: Behaviour
) -> None:
    way.behaves(behaviour)
    answer = await way.answer(stream=stream)
    assert answer.status_code == 200
    if stream:
        assert "error" not in way.check(answer.content)
    else:
        assert msgspec.json.decode(answer.content)["usage"]
    assert answer.text.count("eight") == 1
    await settled(way.inner)
    tokens = way.inner.live.recent[0].tokens
    # OpenAI tells no usage in a stream for which nobody asked
    assert tokens.output == 8 or (tokens.estimated and 8 <= tokens.output <= 11)


@pytest.mark.parametrize(
    ("path", "group"),
    [("/litellm/v1/chat/completions", "openai"), ("/litellm/v1/messages", "anthropic")],
)
@pytest.mark.parametrize("stream", [True, False])
async def test_what_passes_through_passes_byte_for_byte(
    router: tuple[Router, str],
    upstream: FakeUpstream,
    http: httpx.AsyncClient,
    path: str,
    group: str,
    stream: bool,
) -> None:
    """But for the model's name; both ways, odd spacing, escapes and unknown fields included."""
    _, front = router
    flag = b"true" if stream else b"false"
    raw = (
        b' {"x_unknown" :[1.50,1e3, "\\u00e9"],\n"model":"%b", "max_tokens":9,"stream": %b,'
        b'"stream_options":{"include_usage":true},"messages":[{"role":"user","content":"h\\/i"}]} '
    ) % (group.encode(), flag)
    upstream.behave(group, Behaviour(split=11, headers={"x-other": "1"}))
    answer = await http.post(front + path, content=raw)
    seen = upstream.requests[0]
    assert seen.body == raw
    direct = await http.post(upstream.url(seen.path), content=seen.body)
    assert answer.content == direct.content
    assert "x-other" not in answer.headers


async def test_a_client_that_does_not_read_cannot_hold_a_cancelled_request(
    router: tuple[Router, str], upstream: FakeUpstream
) -> None:
    inner, front = router
    upstream.behave("openai", Behaviour(words=["word " * 20_000] * 200))
    port = int(front.rpartition(":")[2])
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1024)
    body = asked("/litellm/v1/chat/completions", "openai", stream=True)
    head = f"POST /litellm/v1/chat/completions HTTP/1.1\r\nhost: a\r\ncontent-length: {len(body)}"
    writer.write(head.replace("host: a", "host: localhost").encode() + b"\r\n\r\n" + body)
    seen = await upstream.arrived(1)
    await reader.readline()  # it has begun; nothing more is read
    (record,) = inner.live.running.values()
    sizes = [-1]

    def stuck() -> bool:
        """Nothing moved since ten looks ago."""
        sizes.append(record.tokens.output)
        return len(sizes) > 10 and sizes[-1] == sizes[-10]

    await until(stuck)
    assert not seen.done.is_set()
    record.stop("operator")
    await asyncio.wait_for(seen.closed.wait(), 1)
    await settled(inner)
    assert inner.live.recent[0].state == "cancelled"
    writer.transport.abort()
