"""What of a request is told to have been left out (V10), and what is not lost at all."""

from __future__ import annotations

from typing import Any

import pytest

from router.formats import Format
from router.formats.gemini import Gemini
from router.formats.left_out import left_out
from router.formats.ollama_chat import OllamaChat
from router.messages import JSON, Request
from tests.router.formats.wire import FORMATS, A, O, bot, dumps, provider, result, text, use, user

G, L, R = Gemini("m"), OllamaChat(), FORMATS["openai_responses"]
CHAT = {"model": "m", "messages": [user("hi")]}
CLAUDE = CHAT | {"max_tokens": 9}
ITEMS = {"model": "m", "input": "hi"}
TURN = {"contents": [{"role": "user", "parts": [{"text": "hi"}]}]}
F = {"type": "function", "function": {"name": "f"}}
DECLARED = {"functionDeclarations": [{"name": "f"}, {"name": "g"}, {"name": "h"}]}
SCHEMA = {"type": "object", "properties": {"a": {"type": "string"}}}
SAMPLING = {"temperature": 0.2, "top_p": 0.5, "top_k": 3}


def sent(spoken: Format, body: JSON, format: Format, model: str) -> tuple[Request, JSON]:
    kind = {"anthropic_messages": "anthropic", "gemini": "gemini", "ollama_chat": "ollama"}
    request = spoken.parse_request(dumps(body))
    to = provider(kind.get(format.name, "openai"), format=format.name)
    return request, format.render_request(request, to, model)


@pytest.mark.parametrize(
    ("spoken", "body", "format", "model", "names"),
    [
        (O, CHAT | {"stop": ["\n", "x"]}, A, "claude-opus-4-6", ("stop",)),
        (O, CHAT | SAMPLING, A, "claude-opus-5-5", ("temperature", "top_p", "top_k")),
        (O, CHAT | SAMPLING, A, "claude-sonnet-4-5", ("top_p",)),
        (O, CHAT | {"temperature": 1, "top_p": 1}, A, "claude-opus-5-5", ()),
        (A, CLAUDE | SAMPLING, O, "gpt-5", ("temperature", "top_p", "top_k")),
        (A, CLAUDE | {"stop_sequences": list("abcde")}, O, "gpt-4o", ("stop",)),
        (A, CLAUDE | {"stop_sequences": list("abcde")}, G, "gemini-2.5-flash", ()),
        (A, CLAUDE | SAMPLING, G, "gemini-2.5-flash", ()),
        (O, CHAT | {"tools": [F], "tool_choice": "required"}, L, "qwen", ("tool_choice",)),
        (O, CHAT | {"seed": 1, "n": None, "logprobs": True}, L, "qwen", ("logprobs",)),
        (O, CHAT | {"service_tier": "flex", "verbosity": "low", "seed": 1}, R, "gpt-5", ("seed",)),
        (R, ITEMS | {"text": {"verbosity": "low"}}, O, "gpt-5", ("text.verbosity",)),
        (
            G,
            TURN | {"generationConfig": {"responseMimeType": "application/json", "topP": 1}},
            A,
            "claude-x",
            (),
        ),
        (
            G,
            TURN | {"generationConfig": {"candidateCount": 2}, "tools": [{"fileSearch": {}}]},
            A,
            "claude-x",
            ("generationConfig.candidateCount", "tools.fileSearch"),
        ),
        (
            L,
            CHAT | {"options": {"num_ctx": 9, "seed": 1}},
            O,
            "gpt-4o",
            ("options.num_ctx", "options.seed"),
        ),
    ],
)
def test_V10_told(
    spoken: Format, body: JSON, format: Format, model: str, names: tuple[str, ...]
) -> None:
    request, rendered = sent(spoken, body, format, model)
    assert left_out(request, rendered, format.name) == names


LOOP = [user("a"), bot([use("1")])]
SUMMARY = {"type": "compaction", "content": "said: 42"}
CUT = {
    "type": "document",
    "title": "T",
    "source": {"type": "content", "content": [text("said: 42")]},
}
FOUND = {"type": "search_result", "source": "s", "title": "t", "content": [text("said: 42")]}
RAN = {"type": "server_tool_use", "id": "srvtoolu_1", "name": "web_search", "input": {}}


@pytest.mark.parametrize(
    ("format", "model"), [(O, "gpt-5"), (R, "gpt-5"), (G, "gemini-3-pro"), (L, "qwen")]
)
def test_V10_blocks_of_anthropic_that_say_something_are_said(format: Format, model: str) -> None:
    for messages in (
        [user("a"), bot([SUMMARY]), user("b")],
        [user("a"), bot([RAN, text("said: 42")]), user("b")],
        [user([CUT])],
        [user([FOUND])],
        [*LOOP, user([result("1", [FOUND])])],
    ):
        tools = [{"name": "f", "input_schema": SCHEMA}]
        _, rendered = sent(A, CLAUDE | {"messages": messages, "tools": tools}, format, model)
        assert b"said: 42" in dumps(rendered)


def test_what_only_one_provider_can_read_binds_to_it() -> None:
    assert G.parse_request(dumps(TURN | {"cachedContent": "cachedContents/1"})).bound
    sealed: list[Any] = [{"type": "compaction", "encrypted_content": "x"}, user("go")]
    assert R.parse_request(dumps(ITEMS | {"input": sealed})).bound


def test_G12_of_several_functions_only_the_allowed_ones_go_up() -> None:
    calling = {"mode": "ANY", "allowedFunctionNames": ["f", "g"]}
    config = {"functionCallingConfig": calling, "retrievalConfig": {"languageCode": "en"}}
    body = TURN | {"tools": [DECLARED], "toolConfig": config}
    _, rendered = sent(G, body, A, "claude-x")
    assert [tool["name"] for tool in rendered["tools"]] == ["f", "g"]
    _, own = sent(G, body, G, "gemini-3-pro")
    assert own["toolConfig"]["retrievalConfig"] == {"languageCode": "en"}


def test_a_wish_for_json_is_said_in_words_where_openai_demands_it() -> None:
    """ "'messages' must contain the word 'json' in some form"; no other dialect has that rule."""
    body = TURN | {"generationConfig": {"responseMimeType": "application/json"}}
    _, chat = sent(G, body, O, "gpt-4o")
    assert (chat["messages"][0]["role"], "JSON" in chat["messages"][0]["content"]) == (
        "system",
        True,
    )
    told = CHAT | {"messages": [{"role": "system", "content": "in JSON"}, user("hi")]}
    _, items = sent(O, told | {"response_format": {"type": "json_object"}}, R, "gpt-5")
    assert "JSON" in items["input"][0]["content"][0]["text"]


def test_a_request_of_a_system_text_alone_has_an_input() -> None:
    _, items = sent(O, CHAT | {"messages": [{"role": "system", "content": "a"}]}, R, "gpt-5")
    assert (items["input"], "instructions" in items) == (
        [{"role": "developer", "content": "a"}],
        False,
    )


def test_what_only_its_own_format_knows_stays_where_a_body_is_written_anew() -> None:
    free = {"id": "c1", "type": "custom", "custom": {"name": "free", "input": "x"}}
    turns = [user("a"), bot(None, tool_calls=[free])]
    turns.append({"role": "tool", "tool_call_id": "c1", "content": "done"})
    _, chat = sent(O, CHAT | {"messages": turns}, O, "gpt-5")
    assert chat["messages"] == turns
    kept: JSON = {"type": "item_reference", "id": "rs_1"}
    _, items = sent(R, ITEMS | {"input": [kept, user("go")]}, R, "gpt-5")
    assert items["input"][0] == kept
