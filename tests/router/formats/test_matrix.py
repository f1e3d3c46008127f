"""Every client's dialect × every provider's × what a conversation may hold × {streamed, whole}.

The pairs of the same dialect go through the conversation as well: an adjustment makes them do so.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from router.errors import RequestError, UpstreamError
from router.formats import Format
from router.formats.failures import raised
from router.formats.gemini import Gemini
from router.formats.ollama_chat import OllamaChat
from router.framing import Framer
from router.messages import Event, Failure, Request
from router.settings import Provider
from tests.router.formats import dialects as d
from tests.router.formats.dialects import Answer, Question, Seen
from tests.router.formats.grammar import check_anthropic, check_events
from tests.router.formats.wire import A, O, dumps, provider

Ask = Callable[[Question], dict[str, Any]]
Hear = Callable[[bytes, bool], Answer]
See = Callable[[dict[str, Any]], Seen]
Say = Callable[[Answer, bool], bytes]

L, G = OllamaChat(), Gemini("m")
CLIENTS: dict[str, tuple[Format, Ask, Hear]] = {
    "anthropic": (A, d.ask_anthropic, d.heard_by_anthropic),
    "chat": (O, d.ask_openai, d.heard_by_openai),
    "ollama": (L, d.ask_ollama, d.heard_by_ollama),
    "gemini": (G, d.ask_gemini, d.heard_by_gemini),
}
PROVIDERS: dict[str, tuple[Format, Provider, str, See, Say]] = {
    "anthropic": (A, provider("anthropic"), "claude-x", d.seen_by_anthropic, d.say_anthropic),
    "chat": (O, provider("openai"), "gpt-5", d.seen_by_openai, d.say_openai),
    "ollama": (
        L,
        provider("ollama", format="ollama_chat"),
        "qwen",
        d.seen_by_ollama,
        d.say_ollama,
    ),
    "gemini": (
        G,
        provider("gemini", format="gemini"),
        "gemini-2.5-flash",
        d.seen_by_gemini,
        d.say_gemini,
    ),
}
CALLS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("weather", {"city": "Rome"}),
    ("weather", {"city": "Oslo"}),
)
QUESTIONS = {
    "text": Question("hello 漢", system="be brief"),
    "tools": Question(tools=("weather", "time")),
    "parallel tools": Question(tools=("weather",), calls=CALLS, results=("warm", "cold")),
    "thinking": Question(think=True),
    "images": Question("see", images=(d.IMAGE, d.IMAGE)),
    "documents": Question("read", documents=(d.PDF,)),
}
ANSWERS = {
    "text": Answer("hello 🎉"),
    "tools": Answer("let me see", calls=[CALLS[0]], stop="tools"),
    "parallel tools": Answer(calls=list(CALLS), stop="tools"),
    "thinking": Answer("well", thinking="hmm, so"),
    "refusal": Answer("I can", stop="refusal"),
    "length": Answer("so lo", stop="length"),
    "empty call": Answer(calls=[("time", {})], stop="tools"),
}
#: cells that no dialect has words for, and what is said instead
MISSING_QUESTIONS = {("documents", "ollama"): "documents that are not text"}
clients = pytest.mark.parametrize("client", CLIENTS)
upstreams = pytest.mark.parametrize("upstream", PROVIDERS)
streams = pytest.mark.parametrize("stream", [True, False], ids=["stream", "whole"])


def asked(client: str, question: Question) -> Request:
    format, ask, _ = CLIENTS[client]
    format = Gemini("m", stream=question.stream) if client == "gemini" else format
    return format.parse_request(dumps(ask(question)))


def read(upstream: str, data: bytes, stream: bool) -> list[Event]:
    format, at, *_ = PROVIDERS[upstream]
    if not stream:
        return format.read_response(data, at)
    framer, reader = Framer(format.framing), format.reader(at)
    frames = framer.feed(data) + framer.close()
    events = [event for frame in frames for event in reader.feed(frame)] + reader.close()
    check_events(events)
    return events


def told(client: str, events: list[Event], request: Request, stream: bool) -> bytes:
    format = CLIENTS[client][0]
    if not stream:
        return format.render_response(events, request, now=1, id="r")
    writer = format.writer(request, now=1, id="r")
    return b"".join(map(writer.feed, events)) + writer.close()


@streams
@upstreams
@pytest.mark.parametrize(
    ("feature", "client"),
    # Ollama's clients have no documents
    [(f, c) for f in QUESTIONS for c in CLIENTS if (f, c) != ("documents", "ollama")],
)
def test_what_a_provider_sees(feature: str, client: str, upstream: str, stream: bool) -> None:
    question = replace(QUESTIONS[feature], stream=stream)
    request = asked(client, question)
    format, at, model, see, _ = PROVIDERS[upstream]
    if words := MISSING_QUESTIONS.get((feature, upstream)):
        with pytest.raises(UpstreamError, match=words) as refused:
            format.render_request(request, at, model)
        assert (refused.value.kind, refused.value.status) == ("caller", 400)
        return
    body = json.loads(json.dumps(format.render_request(request, at, model)))
    seen = see(body)
    assert seen.system == question.system
    assert seen.texts == [question.text]
    assert seen.tools == list(question.tools)
    assert seen.calls == list(question.calls)
    assert seen.results == list(question.results)
    assert seen.images == list(question.images)
    assert seen.documents == list(question.documents)
    assert seen.thinks == question.think
    assert seen.most == 4000
    assert seen.stream == (stream and upstream != "gemini")  # which says it in its address


@streams
@upstreams
@clients
@pytest.mark.parametrize("feature", ANSWERS)
def test_what_a_client_hears(feature: str, client: str, upstream: str, stream: bool) -> None:
    said = ANSWERS[feature]
    events = read(upstream, PROVIDERS[upstream][4](said, stream), stream)
    request = asked(client, Question(tools=("weather", "time"), think=True, stream=stream))
    heard = CLIENTS[client][2](told(client, events, request, stream), stream)
    if feature == "refusal" and "ollama" in (client, upstream):
        said = replace(said, stop="end")  # a word that Ollama does not have
    assert heard == said


ERRORS: dict[str, dict[str, Any]] = {
    "anthropic": {"type": "error", "error": {"type": "rate_limit_error", "message": "slow down"}},
    "chat": {"error": {"message": "slow down", "type": "x", "code": "rate_limit_exceeded"}},
    "ollama": {"error": "slow down"},
    "gemini": {"error": {"code": 429, "message": "slow down", "status": "RESOURCE_EXHAUSTED"}},
}


def _message(client: str, body: dict[str, Any]) -> str:
    error = body["error"]
    return str(error if client == "ollama" else error["message"])


@upstreams
@clients
def test_errors_before_and_within_an_answer(client: str, upstream: str) -> None:
    format, at, *_ = PROVIDERS[upstream]
    theirs = CLIENTS[client][0]
    error: RequestError = format.read_error(429, {}, dumps(ERRORS[upstream]), at)
    assert error.kind == "quota"
    assert theirs.client_status(error) == 429
    assert _message(client, json.loads(theirs.render_error(error))) == "slow down"
    # in mid-stream: a legal end that tells it
    whole = PROVIDERS[upstream][4](Answer("hello there"), True)
    broken = {"anthropic": b"event: error\ndata: %b\n\n", "ollama": b"%b\n"}
    framer = Framer(format.framing)
    first = b"".join(f.raw for f in framer.feed(whole)[: 3 if upstream == "anthropic" else 1])
    cut = first + broken.get(upstream, b"data: %b\n\n") % dumps(ERRORS[upstream])
    *events, last = read(upstream, cut, True)
    assert isinstance(last, Failure)
    request = asked(client, Question(stream=True))
    writer = theirs.writer(request, now=1, id="r")
    data = b"".join(map(writer.feed, events)) + writer.fail(raised(last))
    assert b"slow down" in data
    assert writer.close() in (b"", b"data: [DONE]\n\n")
    if client == "anthropic":
        assert "error" in check_anthropic(data)
    elif client == "ollama":
        assert json.loads(data.splitlines()[-1]) == {"error": "slow down"}


AUDIO = {"type": "input_audio", "input_audio": {"data": "AAAA", "format": "mp3"}}
#: what is said of a file that a provider's dialect has no place for; "" where it has one
FILES: list[tuple[str, dict[str, Any], str, str]] = [
    ("chat", AUDIO, "anthropic", "input_audio"),
    ("chat", AUDIO, "ollama", "input_audio"),
    ("chat", AUDIO, "gemini", ""),
    ("anthropic", {"type": "image", "source": {"type": "file", "file_id": "f"}}, "chat", "image"),
    ("anthropic", {"type": "image", "source": {"type": "file", "file_id": "f"}}, "gemini", "image"),
    (
        "gemini",
        {"inlineData": {"mimeType": "audio/mp3", "data": "AAAA"}},
        "anthropic",
        "inlineData",
    ),
    ("gemini", {"inlineData": {"mimeType": "audio/mp3", "data": "AAAA"}}, "chat", "inlineData"),
    ("gemini", {"inlineData": {"mimeType": "audio/mp3", "data": "AAAA"}}, "gemini", ""),
]


@pytest.mark.parametrize(("client", "part", "upstream", "words"), FILES)
def test_a_file_is_never_dropped_in_silence(
    client: str, part: dict[str, Any], upstream: str, words: str
) -> None:
    field, role = ("contents", "parts") if client == "gemini" else ("messages", "content")
    turn = {"role": "user", role: [part]}
    request = CLIENTS[client][0].parse_request(
        dumps({"model": "m", "max_tokens": 9, field: [turn]})
    )
    format, at, model, *_ = PROVIDERS[upstream]
    if words:
        with pytest.raises(UpstreamError, match=words):
            format.render_request(request, at, model)
    else:
        assert "AAAA" in json.dumps(format.render_request(request, at, model))
