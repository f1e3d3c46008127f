"""Usage, names and models in OpenAI-compatible answers (R10-R13, S09, S10, Q07)."""

from __future__ import annotations

import json
from typing import Any

import pytest

from router.contract import Apart
from router.messages import (
    Usage,
    UsageSeen,
)
from tests.router.formats.grammar import check_anthropic
from tests.router.formats.seen_by_clients import events_of, shown
from tests.router.formats.wire import (
    DONE,
    A,
    O,
    ask_a,
    ask_o,
    chunk,
    dumps,
    piece,
    provider,
    usage_chunk,
)

USAGES: dict[str, tuple[str, dict[str, Any], Usage]] = {
    "R10-cached-inside": (
        "openai",
        {
            "prompt_tokens": 10,
            "completion_tokens": 5,
            "total_tokens": 15,
            "prompt_tokens_details": {"cached_tokens": 4},
            "completion_tokens_details": {"reasoning_tokens": 2},
        },
        Usage(input=6, cache_read=4, output=5, reasoning=2),
    ),
    "R10-deepseek": (
        "deepseek",
        {"prompt_tokens": 10, "completion_tokens": 5, "prompt_cache_hit_tokens": 4},
        Usage(input=6, cache_read=4, output=5),
    ),
    "R10-written-inside": (
        "openrouter",
        {
            "prompt_tokens": 10,
            "completion_tokens": 5,
            "prompt_tokens_details": {"cached_tokens": 4, "cache_write_tokens": 3},
        },
        Usage(input=3, cache_read=4, cache_write=3, output=5),
    ),
    "R10-written-beside": (
        "openrouter",
        {
            "prompt_tokens": 10,
            "completion_tokens": 5,
            "prompt_tokens_details": {"cached_tokens": 4, "cache_write_tokens": 30},
        },
        Usage(input=6, cache_read=4, cache_write=30, output=5),
    ),
    "R10-never-negative": (
        "openai",
        {
            "prompt_tokens": 3,
            "completion_tokens": -5,
            "prompt_tokens_details": {"cached_tokens": 9},
        },
        Usage(input=0, cache_read=3),
    ),
    "R10-outside-reasoning": (
        "xai",
        {
            "prompt_tokens": 10,
            "completion_tokens": 5,
            "total_tokens": 22,
            "completion_tokens_details": {"reasoning_tokens": 7},
        },
        Usage(input=10, output=12, reasoning=7),
    ),
    "R10-gemini-total": (
        "gemini",
        {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 22},
        Usage(input=10, output=12, reasoning=7),
    ),
    "M02-sound": (
        "openai",
        {
            "prompt_tokens": 10,
            "completion_tokens": 5,
            "prompt_tokens_details": {"cached_tokens": 7, "audio_tokens": 9},
            "completion_tokens_details": {"audio_tokens": 8},
        },
        # never more than the part of the tokens that it is told of
        Usage(input=3, cache_read=7, output=5, apart=Apart(audio_in=3, audio_out=5)),
    ),
    "M02-nonsense": ("openai", {"prompt_tokens": "7", "prompt_tokens_details": 3}, Usage()),
}


@pytest.mark.parametrize(("kind", "body", "expected"), USAGES.values(), ids=USAGES.keys())
def test_usage(kind: str, body: dict[str, Any], expected: Usage) -> None:
    stream = chunk("stop", content="t") + usage_chunk(**body) + DONE
    seen = [event.usage for event in events_of(stream, kind) if isinstance(event, UsageSeen)]
    assert seen == [expected]
    told = shown(stream, kind)["usage"]
    assert told["input_tokens"] == expected.input
    assert told["cache_read_input_tokens"] == expected.cache_read
    assert told["cache_creation_input_tokens"] == expected.cache_write
    assert told["output_tokens"] == expected.output


def test_R12_repeated_usage_is_the_last_not_the_sum() -> None:
    stream = b"".join(
        chunk(
            "stop" if n == 3 else None,
            usage={"prompt_tokens": 5, "completion_tokens": n},
            content="t",
        )
        for n in (1, 2, 3)
    )
    assert shown(stream)["usage"]["output_tokens"] == 3


def test_S09_the_usage_after_the_reason_is_waited_for() -> None:
    reader, writer = O.reader(provider()), A.writer(ask_a(), now=1, id="r1")
    from router.framing import Framer

    framer = Framer()
    out = [
        b"".join(writer.feed(e) for f in framer.feed(c) for e in reader.feed(f))
        for c in (
            chunk("stop", content="t"),
            usage_chunk(prompt_tokens=7, completion_tokens=5),
        )
    ]
    assert b"message_delta" not in out[0]
    assert b'"input_tokens":7' in out[1]
    assert out[1].endswith(b'data: {"type":"message_stop"}\n\n')


def test_R11_S02_missing_usage_is_estimated() -> None:
    message = shown(chunk("stop", content="word " * 20))
    assert message["usage"]["input_tokens"] > 0
    assert message["usage"]["output_tokens"] == 25


def test_C03_an_image_is_not_counted_as_text() -> None:
    from router.formats.guess import prompt_tokens
    from tests.router.formats.wire import user

    picture = {"type": "base64", "media_type": "image/png", "data": "A" * 400_000}
    request = ask_a(messages=[user([{"type": "image", "source": picture}])])
    assert prompt_tokens(request) < 2000


def test_R13_the_client_sees_the_model_it_asked_for() -> None:
    stream = chunk("stop", content="t")
    assert shown(stream)["model"] == "claude-x"
    nameless = A.parse_request(dumps({"messages": [{"role": "user", "content": "hi"}]}))
    assert json.loads(A.render_response(events_of(stream), nameless, now=1, id="r"))["model"] == "m"


def test_Q07_the_client_sees_its_own_tool_names() -> None:
    from router.formats.names import plain

    name = "mcp__a.b__" + "n" * 80
    request = ask_a(tools=[{"name": name, "input_schema": {}}])
    stream = chunk("stop", tool_calls=[piece("{}", index=0, id="a", name=plain(name))])
    whole = json.loads(A.render_response(events_of(stream), request, now=1, id="r"))
    assert whole["content"][0]["name"] == name
    writer = A.writer(request, now=1, id="r")
    streamed = check_anthropic(b"".join(writer.feed(event) for event in events_of(stream)))
    assert streamed["content"][0]["name"] == name


def test_S10_a_signature_comes_last_and_says_whose_it_is() -> None:
    details = [{"type": "reasoning.text", "text": "", "signature": "sig"}]
    stream = chunk(reasoning="hm") + chunk(reasoning_details=details) + chunk("stop", content="t")
    thinking = shown(stream, "openrouter")["content"][0]
    assert thinking == {"type": "thinking", "thinking": "hm", "signature": "openrouter:sig"}


def test_R06_arguments_that_are_not_json_are_shown_not_hidden() -> None:
    stream = chunk("length", tool_calls=[piece('{"x": tru', index=0, id="a", name="f")])
    events = events_of(stream)
    whole = json.loads(A.render_response(events, ask_a(), now=1, id="r"))
    assert whole["content"][0]["input"] == {"_invalid_json": '{"x": tru'}
    other = json.loads(O.render_response(events, ask_o(), now=1, id="r"))
    assert other["choices"][0]["message"]["tool_calls"][0]["function"]["arguments"] == '{"x": tru'
