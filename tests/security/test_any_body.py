"""Whatever a client sends, it gets its door's own JSON: never a 5xx, a trace or a local path, and
the router lives on."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.harness import Running

IMAGE = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "aGk="}}
MESSAGES: dict[str, Any] = {
    "model": "deepseek,deepseek-chat",
    "max_tokens": 50,
    "system": [{"type": "text", "text": "Be short.", "cache_control": {"type": "ephemeral"}}],
    "messages": [
        {"role": "user", "content": [{"type": "text", "text": "/model deepseek,x hi"}, IMAGE]},
        {
            "role": "assistant",
            "content": [
                {"type": "thinking", "thinking": "hm", "signature": "c2ln"},
                {"type": "tool_use", "id": "toolu_1", "name": "look", "input": {"a": 1}},
            ],
        },
        {
            "role": "user",
            "content": [{"type": "tool_result", "tool_use_id": "toolu_1", "content": "found"}],
        },
    ],
    "tools": [{"name": "look", "description": "", "input_schema": {"type": "object"}}],
    "tool_choice": {"type": "auto", "disable_parallel_tool_use": True},
    "thinking": {"type": "enabled", "budget_tokens": 1024},
    "output_config": {"effort": "high", "format": {"type": "json_schema", "schema": {}}},
    "metadata": {"user_id": '{"session_id": "s"}'},
    "stop_sequences": ["x"],
    "temperature": 1,
    "context": "coder",
    "stream": False,
}
CHAT: dict[str, Any] = {
    "model": "gpt-4o",
    "max_completion_tokens": 50,
    "messages": [
        {"role": "system", "content": "Be short."},
        {
            "role": "user",
            "content": [
                {"type": "text", "text": "hi"},
                {"type": "image_url", "image_url": {"url": "data:image/png;base64,aGk="}},
            ],
        },
        {
            "role": "assistant",
            "content": None,
            "tool_calls": [
                {"id": "c", "type": "function", "function": {"name": "look", "arguments": "{}"}}
            ],
        },
        {"role": "tool", "tool_call_id": "c", "content": "found"},
    ],
    "tools": [{"type": "function", "function": {"name": "look", "parameters": {}}}],
    "tool_choice": "auto",
    "response_format": {"type": "json_schema", "json_schema": {"name": "a", "schema": {}}},
    "reasoning_effort": "high",
    "stream_options": {"include_usage": True},
    "stop": ["x"],
    "stream": False,
}
EMBEDDINGS: dict[str, Any] = {
    "model": "text-embedding-3-small",
    "input": ["a", "b"],
    "encoding_format": "float",
    "dimensions": 8,
}
RESPONSES: dict[str, Any] = {
    "model": "gpt-4o",
    "instructions": "Be short.",
    "input": [
        {
            "role": "user",
            "content": [
                {"type": "input_text", "text": "hi"},
                {"type": "input_image", "image_url": "data:image/png;base64,aGk="},
                {"type": "input_file", "filename": "a", "file_data": "data:text/plain;base64,aGk="},
            ],
        },
        {"type": "reasoning", "summary": [{"type": "summary_text", "text": "hm"}]},
        {"type": "function_call", "call_id": "c", "name": "look", "arguments": "{}"},
        {"type": "function_call_output", "call_id": "c", "output": "found"},
    ],
    "tools": [
        {"type": "function", "name": "look", "parameters": {}},
        {"type": "custom", "name": "patch", "format": {"type": "text"}},
        {"type": "namespace", "name": "n", "tools": [{"type": "function", "name": "go"}]},
    ],
    "tool_choice": "auto",
    "text": {"format": {"type": "json_schema", "name": "a", "schema": {}}},
    "reasoning": {"effort": "high"},
    "metadata": {"a": "b"},
    "max_output_tokens": 50,
    "stream": False,
}
COMPLETIONS: dict[str, Any] = {
    "model": "gpt-4o",
    "prompt": ["hi"],
    "echo": True,
    "n": 1,
    "stop": ["x"],
    "max_tokens": 50,
    "stream_options": {"include_usage": True},
    "stream": False,
}
#: path and a body that it takes
ENDPOINTS: dict[str, dict[str, Any]] = {
    "/ccr/v1/messages": MESSAGES,
    "/claude-code/v1/messages": MESSAGES,
    "/ccr/v1/messages/count_tokens": MESSAGES,
    "/ccr/v1/chat/completions": CHAT,
    "/litellm/v1/messages": MESSAGES,
    "/litellm/v1/chat/completions": CHAT,
    "/litellm/v1/embeddings": EMBEDDINGS,
    "/litellm/v1/responses": RESPONSES,
    "/litellm/v1/completions": COMPLETIONS,
}


def nested(opening: str, depth: int) -> Any:
    """JSON text `depth` deep; kept as text, since Python's own encoder would not get there."""
    closing = {"[": "]", '{"a":': "}"}[opening]
    return Raw(opening * depth + "1" + closing * depth)


class Raw(str):
    """Stands in a body for JSON that json.dumps cannot write."""


ODD: tuple[Any, ...] = (
    *(None, True, -1, 0, 1.5, 10**19, 10**30, Raw("1e999"), Raw("NaN"), Raw("-0")),
    *({"type": "object", "required": 1}, {"anyOf": 1}, {"type": "array", "minItems": 10**9}),
    *("", "x", "\x00", "\x1b]52;c;aGk=\x07", "\r\nx-evil: 1", "‮", "😀", Raw('"\\ud83c"')),
    *("y" * 70_000, "{" * 5_000, '{"a":' * 100_000, "<CCR-SUBAGENT-MODEL>", "/model a,b"),
    *([], {}, [[]], [{}], [None], [1], {"type": []}, {"type": "text"}, {"": None}, [[{}], "x"]),
    *(nested("[", 300), nested("[", 990), nested('{"a":', 990), nested("[", 100_000)),
)
_paths = st.lists(st.integers(0, 30), min_size=1, max_size=6)


def changed(body: dict[str, Any], steps: list[int], value: Any) -> dict[str, Any]:
    """`body` with one member, found by walking `steps`, replaced."""
    body = copy.deepcopy(body)
    holder: Any = body
    for place, step in enumerate(steps):
        keys = list(holder) if isinstance(holder, dict) else list(range(len(holder)))
        key = keys[step % len(keys)]
        inner = holder[key]
        if place == len(steps) - 1 or not isinstance(inner, dict | list) or not inner:
            holder[key] = value
            break
        holder = inner
    return body


def written(body: Any) -> bytes:
    """As JSON, with every Raw as it is."""
    raws: list[str] = []

    def mark(value: Any) -> Any:
        if isinstance(value, Raw):
            raws.append(value)
            return f"\ue000{len(raws) - 1}\ue001"
        if isinstance(value, dict):
            return {key: mark(inner) for key, inner in value.items()}
        return [mark(inner) for inner in value] if isinstance(value, list) else value

    text = json.dumps(mark(body), ensure_ascii=False)
    for index, raw in enumerate(raws):
        text = text.replace(f'"\ue000{index}\ue001"', raw)
    return text.encode("utf-8", "surrogatepass")


def judge(router: Running, path: str, answer: httpx.Response) -> None:
    assert answer.status_code < 500, answer.text[:500]
    text = answer.text
    for leak in ("Traceback", "site-packages", ".py", str(router.home), "incident"):
        assert leak not in text
    if answer.headers["content-type"].startswith("text/event-stream"):
        assert answer.status_code == 200
        return
    assert answer.headers["content-type"] == "application/json"
    if answer.status_code >= 400:
        error = answer.json()["error"]
        assert isinstance(error["message"], str)
        assert error["message"]
        assert len(error["message"]) < 3_000
        if path.endswith(("/messages", "/count_tokens")):
            assert answer.json()["type"] == "error"
        else:
            assert {"message", "type", "param", "code"} <= error.keys()
            assert isinstance(error["code"], str)


@pytest.fixture(scope="module")
def ask(router: Running) -> Iterator[Callable[[str, bytes], None]]:
    client = httpx.Client(timeout=30, headers={"content-type": "application/json"})

    def send(path: str, body: bytes) -> None:
        judge(router, path, client.post(router.front + path, content=body))

    with client:
        yield send


FUZZ = settings(
    max_examples=60,
    deadline=None,
    derandomize=True,
    suppress_health_check=list(HealthCheck),
)


@pytest.mark.parametrize("path", ENDPOINTS)
@FUZZ
@given(steps=_paths, value=st.sampled_from(ODD), stream=st.booleans())
def test_one_member_of_a_good_body_is_odd(
    ask: Callable[[str, bytes], None], path: str, steps: list[int], value: Any, stream: bool
) -> None:
    good = ENDPOINTS[path] | (
        {"stream": True} if stream and path != "/litellm/v1/embeddings" else {}
    )
    ask(path, written(changed(good, steps, value)))


HI = {"messages": [{"role": "user", "content": "hi"}]}
OBJECT = {"type": "object"}


@pytest.mark.parametrize("path", ["/ccr/v1/messages", "/ccr/v1/messages/count_tokens"])
@pytest.mark.parametrize(
    "odd",
    [
        {"metadata": {"user_id": '{"a":' * 100_000}},
        {"thinking": {"type": []}},
        {"messages": [{"role": "user", "content": [{"type": "image", "source": {"type": []}}]}]},
        {"tools": [{"name": "a", "input_schema": OBJECT | {"required": 1}}]},
        {"tools": [{"name": "a", "input_schema": {"anyOf": 1}}]},
        {"tools": [{"name": "a", "input_schema": {"x": nested("[", 980)}}]},
        {"model": "deepseek,\x1b]52;c;aGk=\x07\r\nx-evil: 1"},
    ],
    ids=lambda odd: repr(odd)[:40],
)
def test_what_has_been_a_500(
    ask: Callable[[str, bytes], None], path: str, odd: dict[str, Any]
) -> None:
    ask(path, written(HI | odd))


@pytest.mark.parametrize("path", ENDPOINTS)
@pytest.mark.parametrize(
    "body",
    [
        *(
            b"",
            b" ",
            b"{",
            b"[]",
            b"null",
            b'"x"',
            b"1",
            b"\xff\xfe{}",
            b"\xef\xbb\xbf{}",
            b"{}\x00",
        ),
        *(b'{"model":"\xff"}', b'{"messages":[]}', b'{"a":1}{"a":2}', b"[" * 100_000),
        *(b'{"input":' * 100_000, b'{"model":"' + b"m" * 1_000_000 + b'","messages":[{}]}'),
        b'{"model":"a","model":["b"],"messages":[{"role":"user","content":"x"}],"input":"x"}',
    ],
    ids=lambda body: repr(body[:20]),
)
def test_bodies_that_are_no_request(
    ask: Callable[[str, bytes], None], path: str, body: bytes
) -> None:
    ask(path, body)


def test_it_lives_on(router: Running) -> None:
    """After all of the above: the same process, and it serves."""
    assert router.process.poll() is None
    answer = router.post("/ccr/v1/messages", {"messages": [{"role": "user", "content": "hi"}]})
    assert answer.status_code == 200
