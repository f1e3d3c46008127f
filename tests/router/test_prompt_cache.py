"""Prompt caches survive us: what a provider was sent in one turn is the beginning of the next.

K01-K07 are the checklist's lines on thinking and signatures when the model is switched (6.7).
"""

from __future__ import annotations

import copy
import itertools
from typing import Any

import msgspec
import pytest

from router import formats
from router.call import Call
from router.formats import Format
from router.formats.anthropic_messages.parse import parse_request
from router.messages import Request
from router.outgoing import Outgoing, outgoing
from router.providers import KINDS
from router.rules.plan import Candidate
from router.settings import Adjustment, Provider
from tests.router.rules.cases import IMAGE

JSON = dict[str, Any]
FORMATS: dict[str, Format] = formats.load()
SIGNED = {"type": "thinking", "thinking": "signed by Anthropic", "signature": "EqQBCg=="}
UNSIGNED = {"type": "thinking", "thinking": "from elsewhere", "signature": ""}
NULL = {"type": "thinking", "thinking": "from elsewhere", "signature": None}
REDACTED = {"type": "redacted_thinking", "data": "EmwKAhgB"}
MARK = {"cache_control": {"type": "ephemeral"}}
BILLING = "x-anthropic-billing-header: cc_version=2.1.330; cc_entrypoint=cli; cch={};"


def use(id: str, name: str = "Read", **input: Any) -> JSON:
    return {"type": "tool_use", "id": id, "name": name, "input": input or {"file_path": "/a"}}


def result(id: str, content: Any = "text of the file", **more: Any) -> JSON:
    return {"type": "tool_result", "tool_use_id": id, "content": content, **more}


def text(words: str, **more: Any) -> JSON:
    return {"type": "text", "text": words, **more}


#: each entry is what one more request adds: a whole Claude Code session, tool loops and all
SESSION: list[list[JSON]] = [
    [
        {"role": "user", "content": [text("<system-reminder>r</system-reminder>"), text("fix it")]},
        {"role": "system", "content": "# Environment\ncwd: /w"},
    ],
    [
        {"role": "assistant", "content": [SIGNED, text("I look"), use("t1"), use("t2", "Bash")]},
        {"role": "user", "content": [result("t1"), result("t2", "no such file", is_error=True)]},
    ],
    [
        {"role": "assistant", "content": [use("t3")]},
        {"role": "user", "content": [result("t3", [text("a picture"), IMAGE])]},
        {"role": "system", "content": "the list of skills has changed"},
    ],
    [
        {"role": "assistant", "content": [REDACTED, text("done: é \u2028 \U0001f600")]},
        {"role": "user", "content": [text("/model deepseek,x and now the tests"), IMAGE]},
    ],
    [
        {
            "role": "assistant",
            "content": [{**UNSIGNED}, text("ok"), use("t4", "Bash", command="ls")],
        },
        {"role": "user", "content": [result("t4", "")]},
    ],
    [
        {"role": "assistant", "content": "all is well"},
        {"role": "user", "content": "thanks"},
    ],
]
TOOLS = [
    {"name": name, "description": "d", "input_schema": {"type": "object", "properties": {}}}
    for name in ("Read", "Bash")
]


def turn(number: int) -> Request:
    """The request of that turn; the newest block bears the cache mark, as Claude Code moves it."""
    messages = copy.deepcopy([message for added in SESSION[: number + 1] for message in added])
    last = next(m for m in reversed(messages) if m["role"] == "user")
    if isinstance(last["content"], str):
        last["content"] = [text(last["content"])]
    last["content"][-1].update(MARK)
    return parse_request(
        msgspec.json.encode(
            {
                "model": "claude-opus-5-5",
                "max_tokens": 32_000,
                "system": [
                    text(BILLING.format(number)),
                    text("You are", **MARK),
                    text("prompt", **MARK),
                ],
                "messages": messages,
                "tools": TOOLS,
                "thinking": {"type": "adaptive"},
                "metadata": {"user_id": "u"},
                "stream": True,
            }
        )
    )


class _Nobody:
    async def send(self, message: Any) -> None: ...

    async def receive(self) -> Any: ...


def made(request: Request, provider: Provider, model: str) -> Outgoing:
    nobody = _Nobody()
    scope: Any = {"method": "POST", "headers": [], "query_string": b""}
    call = Call(scope, nobody.receive, nobody.send, "/v1/messages")
    return outgoing(FORMATS, request, request, Candidate(provider, model, ""), call)


def sent(request: Request, provider: Provider, model: str) -> JSON:
    body: JSON = msgspec.json.decode(made(request, provider, model).body)
    return body


def provider(kind: str, format: str, *adjustments: str) -> Provider:
    url = f"https://{kind}.test/v1"
    return Provider(
        "p", format, url, url, kind=kind, adjustments=tuple(map(Adjustment, adjustments))
    )


UPSTREAMS = [
    *((kind, "openai_chat", "m") for kind in sorted(KINDS) if KINDS[kind].format == "openai_chat"),
    ("openrouter", "openai_chat", "anthropic/claude-opus-5"),
    ("openai", "openai_responses", "gpt-6"),
    ("gemini", "gemini", "gemini-3-pro"),
    ("ollama", "ollama_chat", "qwen3"),
    ("anthropic", "anthropic_messages", "claude-opus-5-5"),
    ("anthropic", "anthropic_messages", "glm-5"),
]


def unmarked(value: Any) -> Any:
    """Without cache marks, which move and are no part of the prompt; a content of one text, which
    bears a mark in a list, as that text."""
    if isinstance(value, list):
        items = [unmarked(item) for item in value]
        one = items[0] if len(items) == 1 else None
        plain = isinstance(one, dict) and one.keys() == {"type", "text"}
        return one["text"] if plain and isinstance(one, dict) else items
    if isinstance(value, dict):
        return {k: unmarked(v) for k, v in value.items() if k != "cache_control"}
    return value


@pytest.mark.parametrize(("kind", "format", "model"), UPSTREAMS)
@pytest.mark.parametrize("adjustments", [(), ("tooluse", "forcereasoning")], ids=["plain", "told"])
def test_each_turn_is_the_beginning_of_the_next(
    kind: str, format: str, model: str, adjustments: tuple[str, ...]
) -> None:
    """Byte for byte: the same JSON in the same order, but for cache marks."""
    upstream = provider(kind, format, *adjustments)
    bodies = [sent(turn(number), upstream, model) for number in range(len(SESSION))]
    key = next(k for k in ("messages", "contents", "input") if k in bodies[0])
    for before, after in itertools.pairwise(bodies):
        head, tail = unmarked(before.pop(key)), unmarked(after[key])
        assert len(tail) > len(head)
        assert msgspec.json.encode(tail[: len(head)]) == msgspec.json.encode(head)
        rest = {name: unmarked(value) for name, value in after.items() if name != key}
        before = unmarked(before)
        for body in (rest, before):
            body.get("options", {}).pop("num_ctx", None)  # grows with the prompt
            if (kind, model) == ("anthropic", "claude-opus-5-5"):
                del body["system"][0]  # Anthropic leaves its own block out itself
        assert rest == before
        for name in ("tools", "system"):
            assert msgspec.json.encode(rest.get(name)) == msgspec.json.encode(before.get(name))


@pytest.mark.parametrize(("kind", "format", "model"), UPSTREAMS)
def test_the_billing_block_goes_to_anthropic_alone(kind: str, format: str, model: str) -> None:
    request = turn(2)
    body = msgspec.json.encode(sent(request, provider(kind, format), model))
    own = (kind, model) == ("anthropic", "claude-opus-5-5")
    assert (b"x-anthropic-billing-header" in body) is own
    assert b"You are" in body
    assert b"x-anthropic-billing-header" in request.raw, "the request itself is not changed"


def test_taking_the_billing_block_out_changes_no_other_byte() -> None:
    raw = (
        b'{ "model":"claude-x",\n "system" : '
        b'[{"type":"text","text":"x-anthropic-billing-header: a"},{"type":"text","text":"s"}],'
        b' "max_tokens":5,\t"messages":[{"role":"user","content":"\\u00e9"}] }'
    )
    upstream = provider("anthropic", "anthropic_messages")
    out = made(parse_request(raw), upstream, "glm-5")
    assert out.through
    cut = b'{"type":"text","text":"x-anthropic-billing-header: a"},'
    assert out.body == raw.replace(cut, b"").replace(b"claude-x", b"glm-5")


# ── signatures (6.7) ──────────────────────────────────────────────────────────────────────────────


def asked(*messages: JSON, **more: Any) -> Request:
    body = {"model": "claude-opus-5-5", "max_tokens": 9000, "messages": list(messages), **more}
    return parse_request(msgspec.json.encode(body))


HELLO = {"role": "user", "content": "hello"}
MORE = {"role": "user", "content": "go on"}
THINK = {"thinking": {"type": "enabled", "budget_tokens": 2000}}


def blocks(body: JSON, role: str = "assistant") -> list[JSON]:
    return [
        block
        for message in body["messages"]
        if message["role"] == role
        for block in message["content"]
    ]


@pytest.mark.parametrize(("kind", "format", "model"), UPSTREAMS)
def test_K01_a_signature_never_reaches_another_provider(kind: str, format: str, model: str) -> None:
    request = asked(HELLO, {"role": "assistant", "content": [SIGNED, text("a")]}, MORE)
    body = msgspec.json.encode(sent(request, provider(kind, format), model))
    assert (SIGNED["signature"].encode() in body) is (format == "anthropic_messages")


def test_K01_nor_do_others_thoughts_reach_anthropic() -> None:
    for thought in (
        UNSIGNED,
        {"type": "thinking", "thinking": "t", "signature": "gemini:abc"},
        {"type": "thinking", "thinking": "t", "signature": "openrouter:xyz"},
    ):
        request = asked(HELLO, {"role": "assistant", "content": [thought, text("a")]}, MORE)
        body = sent(request, provider("anthropic", "anthropic_messages"), "claude-opus-5-5")
        assert [block["type"] for block in blocks(body)] == ["text"]


def test_K02_the_thought_of_a_tool_loop_is_kept_to_the_byte() -> None:
    thought = b'{"type":"thinking","thinking":"\\u00e9 <&>\\n", "signature":"Eq\\/QB+=="}'
    call = b'{"type":"tool_use","id":"t1","name":"Read","input":{"b":1.0,"a":[]}}'
    raw = (
        b'{"model":"claude-opus-5-5","max_tokens":9000,'
        b'"thinking":{"type":"enabled","budget_tokens":2000},'
        b'"messages":[{"role":"user","content":"x"},{"role":"assistant","content":[%b,%b]},'
        b'{"role":"user","content":[{"type":"tool_result","tool_use_id":"t1","content":"r"}]}]}'
    ) % (thought, call)
    upstream = provider("anthropic", "anthropic_messages")
    out = made(parse_request(raw), upstream, "claude-sonnet-5")
    assert thought in out.body
    assert call in out.body


def test_K02_also_where_the_body_must_be_rendered_anew() -> None:
    request = asked(
        HELLO,
        {"role": "assistant", "content": [SIGNED, REDACTED, use("t1")]},
        {"role": "user", "content": [result("t1")]},
        **THINK,
    )
    request.raw = b""
    body = FORMATS["anthropic_messages"].render_request(
        request, provider("anthropic", "anthropic_messages"), "claude-opus-5-5"
    )
    assert blocks(body) == [SIGNED, REDACTED, use("t1")]
    assert body["thinking"] == THINK["thinking"]


def test_K03_a_loop_that_another_model_began_goes_on_without_thinking() -> None:
    """With a budget Anthropic wants the loop's last turn to begin with a thought of its own."""
    loop: list[JSON] = [
        HELLO,
        {"role": "assistant", "content": [UNSIGNED, use("t1")]},
        {"role": "user", "content": [result("t1")]},
    ]
    anthropic = provider("anthropic", "anthropic_messages")
    body = sent(asked(*loop, **THINK), anthropic, "claude-sonnet-4-5")
    assert "thinking" not in body
    assert [block["type"] for block in blocks(body)] == ["tool_use"]
    after = [*loop, {"role": "assistant", "content": "done"}, MORE]
    body = sent(asked(*after, **THINK), anthropic, "claude-sonnet-4-5")
    assert body["thinking"] == THINK["thinking"]


def test_K04_geminis_signature_rides_with_its_call() -> None:
    """A call that Gemini did not sign bears Google's documented stand-in; only a turn's first."""
    request = asked(
        HELLO,
        {"role": "assistant", "content": [use("t1"), use("t2")]},
        {"role": "user", "content": [result("t1"), result("t2")]},
        {"role": "assistant", "content": [use("t3")]},
        {"role": "user", "content": [result("t3")]},
    )
    body = sent(request, provider("gemini", "gemini"), "gemini-3-pro")
    calls = [
        [part.get("thoughtSignature") for part in content["parts"] if "functionCall" in part]
        for content in body["contents"]
        if content["role"] == "model"
    ]
    assert calls == [
        ["skip_thought_signature_validator", None],
        ["skip_thought_signature_validator"],
    ]


@pytest.mark.parametrize("thought", [UNSIGNED, NULL], ids=["empty", "null"])
def test_K05_an_empty_signature_is_none(thought: JSON) -> None:
    request = asked(HELLO, {"role": "assistant", "content": [thought, text("a")]}, MORE)
    body = sent(request, provider("anthropic", "anthropic_messages"), "claude-opus-5-5")
    assert [block["type"] for block in blocks(body)] == ["text"]


@pytest.mark.parametrize(("kind", "format", "model"), UPSTREAMS)
def test_K06_redacted_thinking_is_anthropics_alone(kind: str, format: str, model: str) -> None:
    request = asked(HELLO, {"role": "assistant", "content": [REDACTED, text("a")]}, MORE)
    body = msgspec.json.encode(sent(request, provider(kind, format), model))
    assert (REDACTED["data"].encode() in body) is (format == "anthropic_messages")
    assert b'"a"' in body


def test_K07_encrypted_reasoning_goes_back_to_its_own_model_alone() -> None:
    """It rides in a thinking block's signature, tagged with who can read it."""
    assert "openai_responses" in FORMATS
    for signature in ("openai_responses:gpt-6:enc", "openai:rs_1:enc"):
        thought = {"type": "thinking", "thinking": "t", "signature": signature}
        request = asked(HELLO, {"role": "assistant", "content": [thought, text("a")]}, MORE)
        for kind, format, model in UPSTREAMS:
            if format == "openai_responses":
                continue
            body = msgspec.json.encode(sent(request, provider(kind, format), model))
            assert signature.encode() not in body, (kind, format)
