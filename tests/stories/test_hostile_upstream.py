"""A provider that splits, stalls, lies and repeats: each request ends in a legal answer of the
client's dialect and in one truthful row of the ledger.

Every lie is told in both dialects of a provider, to clients of both, who stream and who do not.
"""

from __future__ import annotations

import gzip
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest

from router.contract import RequestDetail
from router.service import Router
from storage.home import Home
from storage.readers import Archive
from tests.fakes.upstream import Behaviour, FakeUpstream
from tests.router import inside
from tests.router.formats.grammar import check_anthropic, check_openai
from tests.stories.provider import anthropic_body, configure, openai_body

TOML = """
[litellm]
mode = "embedded"
[ccr]
mode = "embedded"
[retry]
retries = 0
cooldown = 0
"""
DOORS = {"openai": "/litellm/v1/chat/completions", "anthropic": "/litellm/v1/messages"}
#: nobody has counted so many tokens
MOST = 10_000
#: no client is told these: where our code lies, how it fell, what the provider's key is
TOO_MUCH = f"Traceback|{re.escape(str(Path(__file__).parents[2]))}|a-provider-key"


def head(*lines: str, status: str = "200 OK", kind: str = "application/json") -> bytes:
    return "\r\n".join((f"HTTP/1.1 {status}", f"content-type: {kind}", *lines, "", "")).encode()


def sse(*events: object, done: int = 1) -> bytes:
    """OpenAI's stream of these chunks."""
    data = [b"data: " + msgspec.json.encode(event) + b"\n\n" for event in events]
    return b"".join(data) + b"data: [DONE]\n\n" * done


CHUNK = {"id": "c", "object": "chat.completion.chunk", "model": "m", "created": 1}


def chunk(text: str = "", finish: str | None = None, **more: Any) -> dict[str, Any]:
    choice = {"index": 0, "delta": {"content": text} if text else {}, "finish_reason": finish}
    return {**CHUNK, "choices": [choice], **more}


def told(input: int, output: int) -> dict[str, Any]:
    usage = {"prompt_tokens": input, "completion_tokens": output, "total_tokens": input + output}
    return {**CHUNK, "choices": [], "usage": usage}


def whole(text: str = "four words are here", **more: Any) -> bytes:
    """One JSON body that both dialects could take for an answer."""
    message = {"role": "assistant", "content": text}
    return msgspec.json.encode(
        {
            "id": "c",
            "model": "m",
            "object": "chat.completion",
            "created": 1,
            "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
            "usage": {"prompt_tokens": 5, "completion_tokens": 4, "total_tokens": 9},
            **more,
        }
    )


def length(body: bytes, said: int | None = None, **parts: str) -> bytes:
    return head(f"content-length: {len(body) if said is None else said}", **parts) + body


STREAM = "text/event-stream"
WORDS = (chunk("four "), chunk("words "), chunk("are "), chunk("here"), chunk(finish="stop"))
#: what is sent, and whether it may be taken for an answer: True, False, or None for either
LIES: dict[str, tuple[bytes, bool | None]] = {
    "nothing": (b"", False),
    "not HTTP": (b"SSH-2.0-OpenSSH_9.2\r\n\r\n", False),
    "half a status line": (b"HTTP/1.1 20", False),
    "headers without end": (b"HTTP/1.1 200 OK\r\n" + b"x-a: b\r\n" * 20_000, False),
    "one endless header": (b"HTTP/1.1 200 OK\r\nx-a: " + b"b" * 2_000_000, False),
    "informs without end": (b"HTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\n" * 5_000, False),
    "two lengths": (head("content-length: 5", "content-length: 900") + whole(), False),
    "a length that is no number": (head("content-length: many") + whole(), False),
    "more than it said": (length(whole(), 10), False),
    "less than it said": (length(whole(), 9_000), False),
    "length and chunks": (
        head("content-length: 3", "transfer-encoding: chunked") + b"3\r\n{}\n\r\n0\r\n\r\n",
        False,
    ),
    "a chunk of a size that is none": (
        head("transfer-encoding: chunked") + b"zz\r\nhello\r\n0\r\n\r\n",
        False,
    ),
    "chunks cut short": (head("transfer-encoding: chunked") + b"ff\r\nhello", False),
    "a page": (length(b"<html><body>Welcome!</body></html>", kind="text/html"), False),
    "a page that calls itself JSON": (length(b"<html>Sign in to Wi-Fi</html>"), False),
    "a page that calls itself a stream": (length(b"<html>hm</html>", kind=STREAM), False),
    "empty JSON": (length(b"{}"), False),
    "null": (length(b"null"), False),
    "half of JSON": (length(whole()[:60]), False),
    "no choices": (length(whole(choices=[])), False),
    "an error with 200": (length(b'{"error":{"message":"no","type":"api_error"}}'), False),
    "no body": (length(b""), False),
    "no content at all": (head("content-length: 0", status="204 No Content"), False),
    "a redirect": (head("location: http://127.0.0.1:1/", status="302 Found"), False),
    "a status of its own": (length(b"{}", status="799 Odd"), False),
    "bytes that are no text": (length(b"\xff\xfe" * 100), False),
    "a bomb": (
        length(gzip.compress(b" " * 200_000_000, 9)).replace(
            b"content-type", b"content-encoding: gzip\r\ncontent-type", 1
        ),
        False,
    ),
    "compressed in a way that nobody knows": (
        length(b"abc").replace(b"content-type", b"content-encoding: zap\r\ncontent-type", 1),
        False,
    ),
    "JSON without end": (length(b"[" * 300_000), False),
    "the end at once": (length(sse(), kind=STREAM), None),  # S11: an empty message
    "comments alone": (length(b": hello\n\n" * 50, kind=STREAM), False),
    "an error in the stream": (
        length(sse({"error": {"message": "worn out", "type": "server_error"}}), kind=STREAM),
        False,
    ),
    "half an event": (length(sse(*WORDS)[:200], kind=STREAM), None),
    "no end of the answer": (length(sse(*WORDS[:3], done=0), kind=STREAM), None),
    "an event without end": (length(b"data: " + b"x" * 3_000_000, kind=STREAM), False),
    "done, again and again": (length(sse(*WORDS, told(5, 4), done=9), kind=STREAM), True),
    "said twice": (length(sse(*WORDS, told(5, 4)) + sse(*WORDS), kind=STREAM), True),
    "usage twice": (length(sse(*WORDS, told(5, 4), told(5, 4)), kind=STREAM), True),
    "usage below nothing": (length(sse(*WORDS, told(-5, -4)), kind=STREAM), True),
    "usage of no number": (
        length(sse(*WORDS, {"choices": [], "usage": {"prompt_tokens": "x"}}), kind=STREAM),
        True,
    ),
    "an absurd usage": (length(sse(*WORDS, told(10**30, 10**30)), kind=STREAM), True),
    "a stream that calls itself JSON": (length(sse(*WORDS, told(5, 4))), None),
    "JSON that calls itself a stream": (length(whole(), kind=STREAM), None),
    "informed before": (b"HTTP/1.1 100 Continue\r\n\r\n" + length(whole()), True),
    "terminal codes": (length(whole("\x1b]52;c;aGk=\x07 four words")), True),
}


@pytest.fixture
async def http() -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(timeout=20) as client:
        yield client


async def row(router: Router) -> RequestDetail:
    """The newest request, as the ledger has it."""
    assert router.ledger.flush(5)
    archive = Archive(router.home.ledger)
    try:
        detail = await archive.request(router.live.recent[0].id)
    finally:
        await archive.close()
    assert detail is not None
    return detail


def legal(dialect: str, answer: httpx.Response, *, stream: bool) -> bool:
    """Whether it tells an answer, not an error. Asserts that it is one of the two."""
    if answer.headers["content-type"].startswith("text/event-stream"):
        assert stream
        check = check_openai if dialect == "openai" else check_anthropic
        return "error" not in check(answer.content)
    body = answer.json()
    if answer.status_code != 200:
        assert answer.status_code >= 400
        assert body["error"]["type"]
        assert body["error"]["message"]
        return False
    assert not stream
    assert body["choices"][0]["message"] if dialect == "openai" else body["content"] is not None
    return True


@pytest.mark.parametrize("provider", ["openai", "anthropic"])
async def test_every_lie_ends_in_a_legal_answer_and_a_truthful_row(
    test_home: Home, upstream: FakeUpstream, http: httpx.AsyncClient, provider: str
) -> None:
    configure(test_home.config, upstream, TOML)
    wrong: list[str] = []
    async with inside.served(test_home) as (router, front):
        for name, (raw, good) in LIES.items():
            for dialect, path in DOORS.items():
                for stream in (True, False):
                    upstream.then(Behaviour(raw=raw))
                    body = openai_body if dialect == "openai" else anthropic_body
                    answer = await http.post(
                        front + path, content=body(provider, "hello", stream=stream)
                    )
                    where = f"{name} ({provider} to {dialect}, stream={stream})"
                    detail = await row(router)
                    try:
                        answered = legal(dialect, answer, stream=stream)
                    except (AssertionError, KeyError, ValueError) as error:
                        wrong.append(f"{where}: {error!r} in {answer.content[:200]!r}")
                        continue
                    if good is not None and provider == "openai" and answered is not good:
                        wrong.append(f"{where}: answered={answered}")
                    if answered is not (detail.request.state == "done"):
                        wrong.append(f"{where}: the row says {detail.request.state}")
                    tokens = detail.request.tokens
                    if not (0 <= tokens.prompt <= MOST and 0 <= tokens.output <= MOST):
                        wrong.append(f"{where}: the row has {tokens}")
                    (attempt,) = detail.attempts
                    if (attempt.outcome == "ok") is not answered:
                        wrong.append(f"{where}: the attempt ended {attempt.outcome!r}")
                    if re.search(TOO_MUCH, answer.text):
                        wrong.append(f"{where}: told too much")
        # and it serves on as if nothing had been
        good_answer = await http.post(
            front + DOORS["openai"], content=openai_body(provider, "hello")
        )
        assert good_answer.status_code == 200
        assert not router.live.running
    assert not wrong, "\n".join(wrong)


async def test_an_answer_of_one_byte_at_a_time_is_the_same_answer(
    test_home: Home, upstream: FakeUpstream, http: httpx.AsyncClient
) -> None:
    configure(test_home.config, upstream, TOML)
    async with inside.served(test_home) as (router, front):
        for provider in DOORS:
            for dialect, path in DOORS.items():
                body = (openai_body if dialect == "openai" else anthropic_body)(
                    provider, "hello", stream=True
                )
                seen = []
                for split in (None, 1, 7):
                    upstream.then(Behaviour(split=split))
                    answer = await http.post(front + path, content=body)
                    seen.append(re.sub(r"req_\w+|\"created\":\d+", "", answer.text))
                    assert (await row(router)).request.state == "done"
                assert len(set(seen)) == 1, f"{provider} to {dialect}"


@pytest.mark.parametrize(
    "before",
    [
        b"",
        b": OPENROUTER PROCESSING\n\n",
        sse({**CHUNK, "choices": [], "prompt_filter_results": []}, done=0),  # Azure's first
        b": a\n\n" * 500,
    ],
    ids=["nothing", "a comment", "a chunk that says nothing", "many comments"],
)
async def test_what_says_nothing_does_not_begin_an_answer(
    test_home: Home, upstream: FakeUpstream, http: httpx.AsyncClient, before: bytes
) -> None:
    """S12: as long as nothing was said, another candidate may answer."""
    configure(test_home.config, upstream, TOML)
    async with inside.served(test_home) as (router, front):
        error = sse({"error": {"message": "worn out", "type": "server_error"}})
        upstream.then(Behaviour(raw=length(before + error, kind=STREAM)), Behaviour())
        body = openai_body("openai-weak", "hello", stream=True)
        answer = await http.post(front + DOORS["openai"], content=body)
        detail = await row(router)
    assert "error" not in check_openai(answer.content)
    assert [attempt.outcome for attempt in detail.attempts] == ["upstream", "ok"]
    assert [seen.model for seen in upstream.requests] == ["openai-weak", "anthropic"]


async def test_a_first_chunk_that_says_nothing_is_passed_on_with_the_answer(
    test_home: Home, upstream: FakeUpstream, http: httpx.AsyncClient
) -> None:
    configure(test_home.config, upstream, TOML)
    first = {**CHUNK, "choices": [], "usage": None, "prompt_filter_results": [{"index": 0}]}
    stream = sse(first, *WORDS, told(5, 4))
    async with inside.served(test_home) as (_, front):
        upstream.then(Behaviour(raw=length(stream, kind=STREAM)))
        options = {"include_usage": True}
        body = openai_body("openai", "hello", stream=True, stream_options=options)
        answer = await http.post(front + DOORS["openai"], content=body)
    assert answer.content == stream
