"""Where an answer's words come from reaches a client of every dialect that has a place for it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from anthropic.types import Message
from google.genai.types import GenerateContentResponse
from openai.types.chat import ChatCompletion

from router.formats import Format
from router.formats.gemini import Gemini
from router.messages import Cited, Request
from router.settings import Provider
from tests.router.formats.grammar import check_anthropic, check_events, check_openai, frames
from tests.router.formats.responses_grammar import check_response, check_responses
from tests.router.formats.test_anthropic_answers import said
from tests.router.formats.wire import (
    DONE,
    FORMATS,
    A,
    O,
    ask_a,
    ask_o,
    begun,
    block,
    bot,
    chunk,
    dumps,
    ended,
    piece,
    provider,
    read,
    text,
    user,
    written,
)

R, G = FORMATS["openai_responses"], Gemini("m", stream=True)
URL, TITLE = "https://a.test/", "A page"
#: the source stands behind the second of two pieces; Gemini counts its bytes
BEFORE, WORDS = "Eß ", "is 漢"
SPAN = (len(BEFORE), len(BEFORE + WORDS))
OWN = {"type": "web_search_result_location", "url": URL, "title": TITLE, "cited_text": "q"}
OWN |= {"encrypted_index": "sealed"}
PAGE = {"start_index": SPAN[0], "end_index": SPAN[1], "url": URL, "title": TITLE}
FLAT = {"type": "url_citation", **PAGE}
INNER = {"type": "url_citation", "url_citation": PAGE}
GROUNDED = {
    "groundingChunks": [{"web": {"uri": URL, "title": TITLE}}],
    "groundingSupports": [
        {
            "segment": {"startIndex": 4, "endIndex": 10, "text": WORDS},
            "groundingChunkIndices": [0],
        }
    ],
}


def sse(*bodies: dict[str, Any]) -> bytes:
    return b"".join(b"data: %b\n\n" % dumps(body) for body in bodies)


def responses() -> tuple[bytes, bytes]:
    part = {"type": "output_text", "text": BEFORE + WORDS, "annotations": [FLAT]}
    item = {"type": "message", "id": "m", "role": "assistant", "content": [part]}
    whole = {"id": "r", "status": "completed", "output": [item]}
    at = {"output_index": 0, "content_index": 0}
    stream = sse(
        {"type": "response.created", "response": {"id": "r"}},
        {"type": "response.content_part.added", **at, "part": {**part, "text": ""}},
        {"type": "response.output_text.delta", **at, "delta": BEFORE + WORDS},
        {"type": "response.output_text.annotation.added", **at, "annotation": FLAT},
        {"type": "response.content_part.done", **at, "part": part},
        {"type": "response.completed", "response": whole},
    )
    return dumps(whole), stream


def gemini(*texts: str) -> dict[str, Any]:
    parts = [{"text": one} for one in texts]
    candidate = {"content": {"parts": parts}, "finishReason": "STOP", "groundingMetadata": GROUNDED}
    return {"candidates": [candidate]}


CITED = [text(BEFORE), text(WORDS, citations=[OWN])]
MESSAGE = {"role": "assistant", "content": BEFORE + WORDS, "annotations": [INNER]}
#: format, provider, whole answer, streamed answer
SIDES: dict[str, tuple[Format, Provider, bytes, bytes]] = {
    "anthropic": (
        A,
        provider("anthropic"),
        dumps({"id": "msg_1", "content": CITED, "stop_reason": "end_turn"}),
        begun()
        + block(0, text(""), said(BEFORE))
        # before its words, as Anthropic tells it
        + block(1, text(""), {"type": "citations_delta", "citation": OWN}, said(WORDS))
        + ended(),
    ),
    "chat": (
        O,
        provider("compatible"),
        dumps({"choices": [{"message": MESSAGE, "finish_reason": "stop"}]}),
        chunk(content=BEFORE)
        + chunk(content=WORDS)
        + chunk(content="", annotations=[INNER])
        + chunk("stop")
        + DONE,
    ),
    "responses": (R, provider("openai", format=R.name), *responses()),
    "gemini": (
        G,
        provider("gemini", format=G.name),
        dumps(gemini(BEFORE, WORDS)),
        sse({"candidates": [{"content": {"parts": [{"text": BEFORE}]}}]}, gemini(WORDS)),
    ),
}


def seen_by_anthropic(body: bytes, *, stream: bool) -> tuple[str, list[Any]]:
    parsed = Message.model_validate(check_anthropic(body) if stream else json.loads(body))
    words, cited = "", []
    for each in parsed.content:
        assert each.type == "text"
        words += each.text
        for one in each.citations or ():
            assert one.type == "web_search_result_location"
            cited.append((one.url, one.title))
    return words, cited


def seen_by_chat(body: bytes, *, stream: bool) -> tuple[str, list[Any]]:
    if stream:
        message = {"role": "assistant", "content": check_openai(body)["content"]}
        for _, data in frames(body)[:-1]:
            for choice in json.loads(data)["choices"]:
                assert not choice["delta"].keys() & message.keys() & {"annotations"}
                told = choice["delta"].get("annotations")
                message |= {"annotations": told} if told else {}
        choice = {"index": 0, "message": message, "finish_reason": "stop"}
        head = {"id": "x", "created": 1, "model": "m", "object": "chat.completion"}
        body = dumps(head | {"choices": [choice]})
    answer = ChatCompletion.model_validate_json(body).choices[0].message
    cited = [one.url_citation for one in answer.annotations or ()]
    spans = [(one.url, one.title, one.start_index, one.end_index) for one in cited]
    return answer.content or "", spans


def seen_by_responses(body: bytes, *, stream: bool) -> tuple[str, list[Any]]:
    whole = check_responses(body) if stream else check_response(body)
    words, cited = "", []
    for item in whole["output"]:
        (part,) = item["content"]
        for one in part["annotations"]:
            start, end = one["start_index"] + len(words), one["end_index"] + len(words)
            cited.append((one["url"], one["title"], start, end))
        words += part["text"]
    if stream:
        told = [json.loads(data) for name, data in frames(body) if "annotation" in name]
        assert [one["annotation"]["url"] for one in told] == [one[0] for one in cited]
    return words, cited


def seen_by_gemini(body: bytes, *, stream: bool) -> tuple[str, list[Any]]:
    chunks = [data for _, data in frames(body)] if stream else [body]
    answers = [GenerateContentResponse.model_validate_json(one) for one in chunks]
    words = "".join(answer.text or "" for answer in answers)
    assert answers[-1].candidates
    told = answers[-1].candidates[0].grounding_metadata
    assert told is not None
    cited, raw = [], words.encode()
    for support in told.grounding_supports or ():
        segment = support.segment
        assert segment is not None
        start, end = segment.start_index or 0, segment.end_index or 0
        assert raw[start:end].decode() == segment.text
        span = (len(raw[:start].decode()), len(raw[:end].decode()))
        for number in support.grounding_chunk_indices or ():
            page = (told.grounding_chunks or [])[number].web
            assert page is not None
            cited.append((page.uri, page.title, *span))
    return words, cited


CLIENTS: dict[str, tuple[Format, Request, Any]] = {
    "anthropic": (A, ask_a(), seen_by_anthropic),
    "chat": (O, ask_o(), seen_by_chat),
    "responses": (R, R.parse_request(b'{"input":"hi"}'), seen_by_responses),
    "gemini": (G, G.parse_request(dumps({"contents": [{}]})), seen_by_gemini),
}


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
@pytest.mark.parametrize("client", CLIENTS)
@pytest.mark.parametrize("side", SIDES)
def test_a_source_reaches_the_client(side: str, client: str, stream: bool) -> None:
    format, upstream, whole, streamed = SIDES[side]
    if stream:
        events = read(format.reader(upstream), streamed)
    else:
        events = format.read_response(whole, upstream)
    check_events(events)
    theirs, request, seen_by = CLIENTS[client]
    out = written(theirs, request, events, stream=stream)
    words, sources = seen_by(out, stream=stream)
    assert words == BEFORE + WORDS
    # Anthropic's stand behind their block
    assert sources == [(URL, TITLE, *(() if client == "anthropic" else SPAN))]
    assert (b'"encrypted_index":"sealed"' in out) is (side == client == "anthropic")


@pytest.mark.parametrize(
    ("stream", "cited"),
    [
        ([{"tool_calls": [piece("{}", id="c", name="f")]}, {"annotations": [INNER]}], [URL]),
        ([{"content": "x"}, {"annotations": [INNER, {"type": "file_citation"}, 3]}], [URL, ""]),
        ([{"content": "x"}, {"annotations": "odd"}], []),
        ([{"content": "x", "annotations": [INNER]}, {"reasoning": "h"}, {"content": "y"}], [URL]),
    ],
)
def test_a_source_that_comes_out_of_order(stream: list[Any], cited: list[str]) -> None:
    sent = b"".join(chunk(**delta) for delta in stream) + chunk("stop") + DONE
    events = read(O.reader(provider("compatible")), sent)
    check_events(events)
    assert [event.citation.url for event in events if isinstance(event, Cited)] == cited
    for format, request, _ in CLIENTS.values():
        out = written(format, request, events, stream=True)
        assert (URL.encode() in out) is (URL in cited)


def test_pages_beside_the_answer_are_sources_of_all_of_it() -> None:
    """A list of addresses, told again with each chunk."""
    lists = ([URL], [URL, "https://b.test/", URL, 3])
    texts = [json.loads(chunk(content="x")[6:]) | {"citations": one} for one in lists]
    events = read(O.reader(provider("compatible")), sse(*texts) + chunk("stop") + DONE)
    check_events(events)
    message = {"role": "assistant", "content": "xx"}
    choices = [{"message": message, "finish_reason": "stop", "index": 0}]
    whole: dict[str, Any] = {"object": "chat.completion", "choices": choices, "citations": lists[1]}
    whole["usage"] = {"prompt_tokens": 1, "completion_tokens": 1}
    for found in (events, O.read_response(dumps(whole), provider("compatible"))):
        out = O.render_response(found, ask_o(), now=1, id="x")
        pages = [(URL, "", 0, 2), ("https://b.test/", "", 0, 2)]
        assert seen_by_chat(out, stream=False) == ("xx", pages)


def test_a_source_of_another_provider_does_not_go_to_anthropic() -> None:
    """It takes back only an index that it encrypted: such a history is written anew."""
    other = OWN | {"encrypted_index": ""}
    for told, kept in (([OWN], [OWN]), ([other], []), ([other, OWN], [OWN])):
        turns = [user("a"), bot([text("b", citations=told)]), user("c")]
        request = ask_a(messages=turns)
        assert A.complete(request) is (told == kept)
        body = A.render_request(request, provider("anthropic"), "claude-x")
        assert body["messages"][1]["content"][0].get("citations", []) == kept
