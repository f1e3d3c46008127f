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
from tests.router.formats import dialects_of_openai as more
from tests.router.formats.dialects import Answer, Question, Seen
from tests.router.formats.grammar import check_anthropic, check_events, check_openai, frames
from tests.router.formats.responses_grammar import check_responses
from tests.router.formats.wire import FORMATS, A, O, dumps, provider

Ask = Callable[[Question], dict[str, Any]]
Hear = Callable[[bytes, bool], Answer]
See = Callable[[dict[str, Any]], Seen]
Say = Callable[[Answer, bool], bytes]

L, G = OllamaChat(), Gemini("m")
R, C = FORMATS["openai_responses"], FORMATS["openai_completions"]
CLIENTS: dict[str, tuple[Format, Ask, Hear]] = {
    "anthropic": (A, d.ask_anthropic, d.heard_by_anthropic),
    "chat": (O, d.ask_openai, d.heard_by_openai),
    "responses": (R, more.ask_responses, more.heard_by_responses),
    "ollama": (L, d.ask_ollama, d.heard_by_ollama),
    "gemini": (G, d.ask_gemini, d.heard_by_gemini),
    "completions": (C, more.ask_completions, more.heard_by_completions),
}
PROVIDERS: dict[str, tuple[Format, Provider, str, See, Say]] = {
    "anthropic": (A, provider("anthropic"), "claude-x", d.seen_by_anthropic, d.say_anthropic),
    "chat": (O, provider("openai"), "gpt-5", d.seen_by_openai, d.say_openai),
    "responses": (
        R,
        provider("openai", format="openai_responses"),
        "gpt-5",
        more.seen_by_responses,
        more.say_responses,
    ),
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
    "empty": Answer(),
    "usage": Answer("hello", cached=5),
    "tools": Answer("let me see", calls=[CALLS[0]], stop="tools"),
    "parallel tools": Answer(calls=list(CALLS), stop="tools"),
    "thinking": Answer("well", thinking="hmm, so"),
    "refusal": Answer("I can", stop="refusal"),
    "length": Answer("so lo", stop="length"),
    "empty call": Answer(calls=[("time", {})], stop="tools"),
}
#: cells that no dialect has words for, and what is said instead
MISSING_QUESTIONS = {("documents", "ollama"): "documents that are not text"}
#: what a client's dialect has no words to ask for
UNSAID: dict[str, tuple[str, ...]] = {
    "ollama": ("documents",),
    "completions": ("tools", "parallel tools", "thinking", "images", "documents"),
}
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
    [(f, c) for f in QUESTIONS for c in CLIENTS if f not in UNSAID.get(c, ())],
)
def test_what_a_provider_sees(feature: str, client: str, upstream: str, stream: bool) -> None:
    question = replace(QUESTIONS[feature], stream=stream)
    if client == "completions":
        question.system = ""
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


def as_told(said: Answer, client: str, upstream: str) -> Answer:
    """What of an answer can be said in both dialects."""
    if said.stop == "refusal" and "ollama" in (client, upstream):
        said = replace(said, stop="end")  # a word that Ollama does not have
    if "ollama" in (client, upstream):
        said = replace(said, cached=0)  # nor one for a cache
    if client == "completions":  # who asked for words alone
        stop = "end" if said.stop == "tools" else said.stop
        said = replace(said, thinking="", calls=[], stop=stop)
    return said


@streams
@upstreams
@clients
@pytest.mark.parametrize("feature", ANSWERS)
def test_what_a_client_hears(feature: str, client: str, upstream: str, stream: bool) -> None:
    said = ANSWERS[feature]
    events = read(upstream, PROVIDERS[upstream][4](said, stream), stream)
    request = asked(client, Question(tools=("weather", "time"), think=True, stream=stream))
    said = as_told(said, client, upstream)
    heard = CLIENTS[client][2](told(client, events, request, stream), stream)
    assert heard == said


ERRORS: dict[str, dict[str, Any]] = {
    "anthropic": {"type": "error", "error": {"type": "rate_limit_error", "message": "slow down"}},
    "chat": {"error": {"message": "slow down", "type": "x", "code": "rate_limit_exceeded"}},
    "responses": {"error": {"message": "slow down", "code": "rate_limit_exceeded"}},
    "ollama": {"error": "slow down"},
    "gemini": {"error": {"code": 429, "message": "slow down", "status": "RESOURCE_EXHAUSTED"}},
}


def _message(client: str, body: dict[str, Any]) -> str:
    error = body["error"]
    return str(error if client == "ollama" else error["message"])


def ended_in_an_error(client: str, data: bytes) -> Any:
    """What a stream that broke tells its client; asserts that it is a legal end."""
    match client:
        case "anthropic":
            return check_anthropic(data)["error"]["message"]
        case "chat":
            return check_openai(data)["error"]["message"]
        case "completions":
            return more.check_completions(data)["error"]["message"]
        case "responses":
            told = check_responses(data)
            assert told["status"] == "failed"
            return told["error"]["message"]
        case "ollama":
            *lines, last = [json.loads(line) for line in data.splitlines()]
            assert not any(line["done"] for line in lines)
            assert list(last) == ["error"]
            return last["error"]
    framer = Framer()
    *chunks, last = [json.loads(f.data) for f in (*framer.feed(data), *framer.close())]
    assert not any("finishReason" in chunk["candidates"][0] for chunk in chunks)
    return last["error"]["message"]


@upstreams
@clients
def test_an_error_before_an_answer(client: str, upstream: str) -> None:
    format, at, *_ = PROVIDERS[upstream]
    theirs = CLIENTS[client][0]
    for status, seen in ((400, 400), (401, 502), (404, 404), (429, 429), (500, 500), (529, 529)):
        body = dumps(ERRORS[upstream] if status == 429 else {"error": {"message": "slow down"}})
        error: RequestError = format.read_error(status, {}, body, at)
        known = 503 if seen == 529 and client != "anthropic" else seen
        assert theirs.client_status(error) == known
        assert "slow down" in _message(client, json.loads(theirs.render_error(error)))


@upstreams
@clients
@pytest.mark.parametrize("told", [True, False], ids=["told", "cut"])
def test_S12_a_stream_that_breaks_anywhere(client: str, upstream: str, told: bool) -> None:
    """After each of its frames: an error where the end should be, or nothing at all."""
    format = PROVIDERS[upstream][0]
    theirs, request = CLIENTS[client][0], asked(client, Question(stream=True))
    said = Answer("hello there", "hmm", [CALLS[0]], "tools")
    frames = Framer(format.framing).feed(PROVIDERS[upstream][4](said, True))
    named = b"event: error\ndata: %b\n\n"
    error = {"anthropic": named, "ollama": b"%b\n"}.get(upstream, b"data: %b\n\n")
    for count in range(1, len(frames) - (2 if upstream == "anthropic" else 3)):
        data = b"".join(frame.raw for frame in frames[:count])
        data += error % dumps(ERRORS[upstream]) if told else b""
        *events, last = read(upstream, data, True)
        assert isinstance(last, Failure), count
        check_events([*events, last])
        failed = raised(last)
        assert failed.kind == ("quota" if told and upstream != "ollama" else "upstream")
        writer = theirs.writer(request, now=1, id="r")
        data = b"".join(map(writer.feed, events)) + writer.fail(failed) + writer.close()
        assert ("slow down" if told else "ended before") in ended_in_an_error(client, data)
        with pytest.raises(UpstreamError):
            theirs.render_response([*events, last], request, now=1, id="r")


@upstreams
@pytest.mark.parametrize("feature", ANSWERS)
def test_T06_a_stream_where_a_whole_answer_was_asked_for(feature: str, upstream: str) -> None:
    format, at, _, _, say = PROVIDERS[upstream]
    said = ANSWERS[feature]
    events = format.read_response(say(said, True), at)
    request = asked("chat", Question(tools=("weather", "time"), think=True))
    heard = d.heard_by_openai(told("chat", events, request, False), False)
    assert heard == as_told(said, "chat", upstream)


@clients
def test_R11_an_estimate_is_the_same_streamed_and_whole(client: str) -> None:
    said = replace(ANSWERS["thinking"], calls=list(CALLS), stop="tools")
    frames_of = Framer().feed(PROVIDERS["chat"][4](said, True))
    data = b"".join(frame.raw for frame in frames_of if b'"usage"' not in frame.raw)
    events = read("chat", data, True)
    request = asked(client, Question(tools=("weather",), think=True, stream=True))
    heard = [CLIENTS[client][2](told(client, events, request, s), s) for s in (True, False)]
    assert heard[0] == heard[1]
    written = len("well") if client == "completions" else 4 + len("hmm, so") + 2 * 16
    assert heard[0].used[1] == -(-written // 4)


@upstreams
def test_S02_a_stream_begins_with_what_its_clients_count_on(upstream: str) -> None:
    """No provider but Anthropic tells the prompt's tokens so early: they are estimated."""
    request = asked("anthropic", Question("hello there", stream=True))
    data = PROVIDERS[upstream][4](ANSWERS["text"], True)
    writer = A.writer(request, now=1, id="r")
    out = b"".join(writer.feed(event) for event in read(upstream, data, True))
    name, first = frames(out)[0]
    message = json.loads(first)["message"]
    usage = message.pop("usage")
    assert name == "message_start"
    assert message == {
        "id": "msg_1" if upstream == "anthropic" else "msg_r",
        "type": "message",
        "role": "assistant",
        "content": [],
        "model": "m",
        "stop_reason": None,
        "stop_sequence": None,
    }
    assert usage["input_tokens"] > 0
    told = ("output_tokens", "cache_creation_input_tokens", "cache_read_input_tokens")
    assert all(type(usage[field]) is int for field in told)


AUDIO = {"type": "input_audio", "input_audio": {"data": "AAAA", "format": "mp3"}}
#: what is said of a file that a provider's dialect has no place for; "" where it has one
FILES: list[tuple[str, dict[str, Any], str, str]] = [
    ("chat", AUDIO, "anthropic", "input_audio"),
    ("chat", AUDIO, "ollama", "input_audio"),
    ("chat", AUDIO, "responses", "input_audio"),
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


def test_a_document_by_its_address_goes_on_as_one_where_that_is_possible() -> None:
    part = {"type": "document", "source": {"type": "url", "url": "http://x.example/y.pdf"}}
    request = asked_for([{"role": "user", "content": [part]}])
    format, at, model, *_ = PROVIDERS["responses"]
    (turn,) = format.render_request(request, at, model)["input"]
    assert turn["content"] == [{"type": "input_file", "file_url": "http://x.example/y.pdf"}]


def asked_for(messages: list[dict[str, Any]]) -> Request:
    return A.parse_request(dumps({"model": "m", "max_tokens": 9, "messages": messages}))
