"""Gemini's native wire, G01-G13 and K04 of the checklist: its bytes, both ways."""

from __future__ import annotations

import json
from typing import Any

import pytest

from router.config.endpoints import from_full
from router.errors import CallerError, UpstreamError
from router.formats.gemini import Gemini
from router.formats.gemini.render import UNSIGNED
from router.formats.gemini.schema import cleaned, lowered
from router.framing import Framer
from router.messages import Event, Failure, Finish, Request, Text, ToolResult, UsageSeen
from router.outgoing import address, credentials
from router.policy import ANSWERS
from router.providers.nested import nested
from router.settings import Provider
from tests.router.formats.grammar import check_anthropic, check_events, check_openai
from tests.router.formats.wire import (
    PNG,
    A,
    O,
    ask_a,
    ask_o,
    bot,
    dumps,
    provider,
    result,
    text,
    use,
    user,
)
from tests.router.formats.wire import call as called

G = Gemini()
AT: Provider = provider("gemini", format="gemini")
NEW, OLD = "gemini-3.1-pro", "gemini-2.5-flash"
TOOL = {"name": "weather", "description": "d", "input_schema": {"properties": {"city": {}}}}


def chunk(*parts: dict[str, Any], finish: str | None = None, **more: Any) -> bytes:
    candidate: dict[str, Any] = {"content": {"role": "model", "parts": list(parts)}, "index": 0}
    if finish:
        candidate["finishReason"] = finish
    body = {"candidates": [candidate], "modelVersion": "gemini-x", "responseId": "r"} | more
    return b"data: " + dumps(body) + b"\r\n\r\n"


def called_part(name: str = "weather", sign: str = "", **args: Any) -> dict[str, Any]:
    part: dict[str, Any] = {"functionCall": {"name": name, "args": args}}
    return part | ({"thoughtSignature": sign} if sign else {})


COUNTS = {
    "promptTokenCount": 100,
    "cachedContentTokenCount": 40,
    "candidatesTokenCount": 5,
    "thoughtsTokenCount": 7,
    "toolUsePromptTokenCount": 3,
    "totalTokenCount": 115,
}


def read(*chunks: bytes) -> list[Event]:
    framer, reader = Framer(), G.reader(AT)
    frames = framer.feed(b"".join(chunks)) + framer.close()
    events = [event for frame in frames for event in reader.feed(frame)] + reader.close()
    check_events(events)
    return events


def through_a(events: list[Event]) -> dict[str, Any]:
    writer = A.writer(ask_a(), now=0, id="r1")
    return check_anthropic(b"".join(map(writer.feed, events)) + writer.close())


def rendered(request: Request, model: str = NEW) -> dict[str, Any]:
    return G.render_request(request, AT, model)


def asked(*contents: dict[str, Any], **body: Any) -> Request:
    contents = contents or ({"role": "user", "parts": [{"text": "hi"}]},)
    return Gemini("gemini-x").parse_request(dumps({"contents": contents, **body}))


def test_G01_turns_alternate_and_the_system_has_its_place() -> None:
    turns = [
        user("a"),
        {"role": "system", "content": "mid"},
        user([text(""), text("b")]),
        bot("c"),
        bot(""),
        user("d"),
    ]
    body = rendered(
        ask_a(system=[text("x-anthropic-billing-header: 1"), text("s")], messages=turns)
    )
    assert body["systemInstruction"] == {"parts": [{"text": "s"}]}
    assert [(c["role"], [p["text"] for p in c["parts"]]) for c in body["contents"]] == [
        ("user", ["a", "mid", "b"]),
        ("model", ["c"]),
        ("user", ["d"]),
    ]
    assert rendered(ask_a(messages=[bot("x"), user("y")]))["contents"][0]["role"] == "user"


def test_G02_generation_config() -> None:
    schema = {"type": "object", "properties": {"x": {"type": "string"}}}
    form = {"type": "json_schema", "json_schema": {"name": "n", "schema": schema}}
    stop = list("abcdef")
    request = ask_o(
        max_tokens=9, temperature=0.5, top_p=0.4, top_k=3, stop=stop, seed=1, response_format=form
    )
    assert rendered(request)["generationConfig"] == {
        "maxOutputTokens": 9,
        "temperature": 0.5,
        "topP": 0.4,
        "topK": 3,
        "stopSequences": stop[:5],
        "seed": 1,
        "responseMimeType": "application/json",
        "responseSchema": schema,
    }
    params = nested({"generationConfig": {"topP": 1}, "top_p": 2, "max_tokens": 3}, "gemini")
    assert params == {"generationConfig": {"topP": 1, "maxOutputTokens": 3}}


@pytest.mark.parametrize(
    ("thinking", "effort", "model", "sent"),
    [
        ({"type": "enabled", "budget_tokens": 5000}, None, OLD, {"thinkingBudget": 5000}),
        ({"type": "enabled", "budget_tokens": 5000}, None, NEW, {"thinkingLevel": "high"}),
        ({"type": "disabled"}, None, OLD, {"thinkingBudget": 0}),
        ({"type": "disabled"}, None, "gemini-2.5-pro", {"thinkingBudget": 128}),
        ({"type": "disabled"}, None, NEW, {"thinkingLevel": "low"}),
        ({"type": "adaptive"}, "low", NEW, {"thinkingLevel": "low"}),
        ({"type": "adaptive"}, None, NEW, {}),
        ({"type": "adaptive"}, "medium", "gemini-3.8-flash", {"thinkingLevel": "medium"}),
    ],
)
def test_G02_thinking(
    thinking: dict[str, Any], effort: str | None, model: str, sent: dict[str, Any]
) -> None:
    more = {"output_config": {"effort": effort}} if effort else {}
    config = rendered(ask_a(thinking=thinking, **more), model)["generationConfig"]["thinkingConfig"]
    shown = {} if thinking["type"] == "disabled" else {"includeThoughts": True}
    assert config == sent | shown
    assert "thinkingConfig" not in rendered(ask_a(thinking=thinking), "gemma-3")["generationConfig"]


@pytest.mark.parametrize(
    ("schema", "clean"),
    [
        (
            {"$schema": "x", "type": "object", "additionalProperties": False, "default": 1},
            {"type": "object"},
        ),
        ({"type": ["string", "null"], "format": "uri"}, {"type": "string", "nullable": True}),
        ({"const": "a"}, {"type": "string", "enum": ["a"]}),
        ({"type": "integer", "enum": [1, 2]}, {"type": "integer", "description": "one of 1, 2"}),
        ({"type": "string", "format": "date-time"}, {"type": "string", "format": "date-time"}),
        (
            {"type": "integer", "exclusiveMinimum": 0, "exclusiveMaximum": 9, "minimum": 1},
            {"type": "integer", "minimum": 1},
        ),
        (
            {"anyOf": [{"type": "string"}, {"type": "null"}], "description": "d"},
            {"type": "string", "description": "d", "nullable": True},
        ),
        (
            {"type": ["string", "integer"]},
            {"anyOf": [{"type": "string"}, {"type": "integer"}]},
        ),
        ({"oneOf": [{"type": "string"}, {"const": "b"}]}, None),
        (
            {"properties": {"a": {"$ref": "#/$defs/A"}}, "$defs": {"A": {"type": "number"}}},
            {"type": "object", "properties": {"a": {"type": "number"}}},
        ),
        (
            {"allOf": [{"properties": {"a": {"type": "number"}}}], "properties": {"b": True}},
            {"type": "object", "properties": {"a": {"type": "number"}, "b": {}}},
        ),
        (
            {"type": "object", "properties": {"a": {}}, "required": ["a", "gone"]},
            {"type": "object", "properties": {"a": {}}, "required": ["a"]},
        ),
        ({"type": "array"}, {"type": "array", "items": {"type": "string"}}),
        (
            {"type": "object", "propertyNames": {}, "patternProperties": {}, "multipleOf": 5},
            {"type": "object"},
        ),
        ({"type": "object", "properties": {"default": {"type": "string"}}}, None),
    ],
)
def test_G03_schemas(schema: dict[str, Any], clean: dict[str, Any] | None) -> None:
    found = cleaned(schema)
    if clean is not None:
        assert found == clean
    elif "oneOf" in schema:
        assert found["anyOf"] == [{"type": "string"}, {"type": "string", "enum": ["b"]}]
    else:
        assert found == schema, "a person's name for a property is no word of JSON Schema"


def test_G03_a_schema_that_holds_itself_ends() -> None:
    node = {"type": "object", "properties": {"next": {"$ref": "#/$defs/node"}}}
    assert json.dumps(cleaned({"$ref": "#/$defs/node", "$defs": {"node": node}})).count("next") < 12
    capitals = {"type": "OBJECT", "properties": {"type": {"type": "STRING"}}}
    assert lowered(capitals)["properties"] == {"type": {"type": "string"}}
    tools = [{"name": "a", "input_schema": {"type": "object", "properties": {}}}]
    assert "parameters" not in rendered(ask_a(tools=tools))["tools"][0]["functionDeclarations"][0]


def test_G04_G05_responses_have_the_calls_names_and_order() -> None:
    turns = [
        user("go"),
        bot([use("t1", "a", x=1), use("t2", "b"), use("t3", "c")]),
        user([result("t2", [text("B"), PNG]), result("gone"), result("t1", "A", is_error=True)]),
    ]
    for request in (
        ask_a(messages=turns),
        ask_o(
            messages=[
                user("go"),
                bot(None, tool_calls=[called("t1", "a"), called("t2", "b"), called("t3", "c")]),
                {"role": "tool", "tool_call_id": "t2", "content": "B"},
                {"role": "tool", "tool_call_id": "t1", "content": "A"},
                user("next"),
            ]
        ),
    ):
        contents = rendered(request)["contents"]
        assert [c["role"] for c in contents] == ["user", "model", "user"]
        responses = [p["functionResponse"] for p in contents[2]["parts"] if "functionResponse" in p]
        assert [r["name"] for r in responses] == ["a", "b", "c"]
        assert responses[0]["response"] in ({"error": "A"}, {"output": "A"})
        assert responses[2]["response"] == {"output": "(no result)"}
        assert len(contents[2]["parts"]) == 4, "and what is no response, behind them"
    # a Gemini client's calls have no ids: matched by name and order
    request = asked(
        {"role": "user", "parts": [{"text": "go"}]},
        {"role": "model", "parts": [called_part("a", x=1), called_part("a", x=2)]},
        {
            "role": "user",
            "parts": [
                {"functionResponse": {"name": "a", "response": {"output": "one"}}},
                {"functionResponse": {"name": "a", "response": {"n": 2}}},
            ],
        },
    )
    messages = O.render_request(request, provider("openai"), "gpt")["messages"]
    assert [m.get("content") for m in messages[2:]] == ["one", '{"n":2}']
    assert [c["id"] for c in messages[1]["tool_calls"]] == [m["tool_call_id"] for m in messages[2:]]
    last = request.messages[2].parts[0]
    assert isinstance(last, ToolResult)
    assert last.parts == [Text("one")]


def test_G06_G07_a_call_comes_whole_and_ends_the_turn() -> None:
    events = read(chunk(called_part(city="Rome"), finish="STOP", usageMetadata=COUNTS))
    assert events[-1] == Finish("tool_use")
    message = through_a(events)
    assert message["content"][0]["input"] == {"city": "Rome"}
    apart = read(chunk({"text": "x"}), chunk(finish="STOP"))
    assert apart[-1] == Finish("end_turn")
    for reason, known in (
        ("MAX_TOKENS", "max_tokens"),
        *((word, "refusal") for word in ("SAFETY", "RECITATION", "BLOCKLIST", "SPII")),
        ("PROHIBITED_CONTENT", "refusal"),
        ("OTHER", "end_turn"),
    ):
        assert read(chunk({"text": "x"}, finish=reason))[-1] == Finish(known)  # type: ignore[arg-type]
    blocked = b'data: {"promptFeedback":{"blockReason":"SAFETY"}}\n\n'
    assert read(blocked)[-1] == Finish("refusal")
    for reason in ("SAFETY", "MODEL_ARMOR", "IMAGE_SAFETY", "SPII"):
        assert read(chunk(finish=reason))[-1] == Finish("refusal")
    unsigned = read(chunk(finish="MISSING_THOUGHT_SIGNATURE"))[-1]
    assert isinstance(unsigned, Failure)  # no answer, and none that was finished
    broken = read(chunk(finish="MALFORMED_FUNCTION_CALL"))[-1]
    assert isinstance(broken, Failure)
    assert ANSWERS[broken.kind] == "again"
    assert isinstance(read(chunk({"text": "x"}))[-1], Failure), "cut off"


def test_G08_thoughts_and_where_signatures_sit() -> None:
    thought = {"text": "hm", "thought": True}
    for first in (
        (thought, {"text": "x", "thoughtSignature": "S"}),
        (thought | {"thoughtSignature": "S"}, {"text": "x"}),
    ):
        message = through_a(read(chunk(first[0]), chunk(first[1], finish="STOP")))
        assert message["content"] == [
            {"type": "thinking", "thinking": "hm", "signature": "gemini:S"},
            {"type": "text", "text": "x"},
        ]
    late = read(chunk({"text": "x"}), chunk({"text": "", "thoughtSignature": "S"}, finish="STOP"))
    assert [b["type"] for b in through_a(late)["content"]] == ["text"]
    before = chunk({"text": "", "thoughtSignature": "S"}) + chunk(called_part(), finish="STOP")
    assert through_a(read(before))["content"][0]["signature"] == "gemini:S"


def test_K04_a_signature_comes_back_with_its_call_from_every_dialect() -> None:
    parts = (called_part("a", sign="S", x=1), called_part("b"))
    events = read(chunk(*parts, finish="STOP"))
    # Anthropic: as a thought without words
    history = through_a(events)["content"]
    blocks = [user("go"), {"role": "assistant", "content": history}]
    contents = rendered(ask_a(messages=blocks))["contents"][1]["parts"]
    assert [p.get("thoughtSignature") for p in contents] == ["S", None]
    # real Anthropic is not shown it (K01)
    model = A.render_request(ask_a(messages=blocks), provider("anthropic"), "claude")
    assert [b["type"] for b in model["messages"][1]["content"]] == ["tool_use", "tool_use"]
    # OpenAI: as Google's own compatible face says it
    whole = json.loads(O.render_response(events, ask_o(), now=0, id="r"))
    message = whole["choices"][0]["message"]
    assert message["tool_calls"][0]["extra_content"]["google"]["thought_signature"] == "S"
    again = rendered(ask_o(messages=[user("go"), message]))["contents"][1]["parts"]
    assert [p.get("thoughtSignature") for p in again] == ["S", None]
    bare = [{k: v for k, v in c.items() if k != "extra_content"} for c in message["tool_calls"]]
    lost = rendered(ask_o(messages=[user("go"), bot(None, tool_calls=bare)]))["contents"][1][
        "parts"
    ]
    assert [p.get("thoughtSignature") for p in lost] == [UNSIGNED, None]
    old = ask_o(messages=[user("go"), bot(None, tool_calls=bare)])
    assert "thoughtSignature" not in rendered(old, OLD)["contents"][1]["parts"][0]
    # Gemini: in its own place, and then its own bytes may go up
    own = json.loads(G.render_response(events, asked(), now=0, id="r"))
    content = own["candidates"][0]["content"]
    assert content["parts"][0]["thoughtSignature"] == "S"
    assert G.complete(asked({"role": "user", "parts": [{"text": "go"}]}, content))
    assert not G.complete(asked({"role": "model", "parts": [called_part()]}))


def test_G09_usage() -> None:
    first = chunk({"text": "x"}, usageMetadata={"promptTokenCount": 100, "candidatesTokenCount": 1})
    events = read(first, chunk(finish="STOP", usageMetadata=COUNTS))
    usage = [e for e in events if isinstance(e, UsageSeen)][-1].usage
    assert (usage.input, usage.cache_read, usage.output, usage.reasoning) == (63, 40, 12, 7)
    early = chunk({"text": "x"}, finish="STOP", usageMetadata={"promptTokenCount": 100})
    late = [e for e in read(early, chunk(usageMetadata=COUNTS)) if isinstance(e, UsageSeen)]
    assert late[-1].usage.output == 12, "G07: counts may come behind the reason"
    total = through_a(events)["usage"]
    assert (total["input_tokens"], total["output_tokens"]) == (63, 12)
    bare = chunk(finish="STOP", usageMetadata={"promptTokenCount": 100})
    kept = read(chunk({"text": "x"}, usageMetadata=COUNTS), bare)
    figures = [e.usage for e in kept if isinstance(e, UsageSeen)]
    assert figures == [usage, usage], "what is not told again is as it was"


def test_G07_a_reason_with_each_piece_ends_with_the_stream() -> None:
    pieces = [chunk({"text": t}, finish="STOP", usageMetadata=COUNTS) for t in ("one ", "two")]
    assert through_a(read(*pieces))["content"][0]["text"] == "one two"
    last = chunk({"text": "y"}, finish="STOP", usageMetadata=COUNTS)
    late = read(chunk({"text": "x"}), last, chunk({"text": "nobody's"}))
    assert through_a(late)["content"][0]["text"] == "xy"


@pytest.mark.parametrize(
    ("model", "grounding", "searches"),
    [
        ("gemini-3.5-flash", {"webSearchQueries": ["a", "b", "a", ""]}, 2),
        ("gemini-2.5-flash", {"webSearchQueries": ["a", "b"]}, 1),
        ("gemini-3.5-flash", {"groundingChunks": [{"web": {"uri": "x"}}]}, 1),
        ("gemini-3.5-flash", {"groundingChunks": [{"retrievedContext": {}}]}, 0),
        ("gemini-3.5-flash", {"webSearchQueries": "odd"}, 0),
    ],
)
def test_G09_a_search_of_google_is_billed(
    model: str, grounding: dict[str, Any], searches: int
) -> None:
    """Later models for each query, earlier ones for each prompt that was grounded."""
    candidate = {
        "content": {"role": "model", "parts": [{"text": "x"}]},
        "finishReason": "STOP",
        "groundingMetadata": grounding,
    }
    whole = chunk(candidates=[candidate], usageMetadata=COUNTS, modelVersion=model)
    usage = [e for e in read(whole) if isinstance(e, UsageSeen)][-1].usage
    assert (usage.apart.searches if usage.apart else 0) == searches
    assert usage.output == 12


def test_G10_the_address_and_the_key() -> None:
    made = from_full("https://h.test/v1beta/models")
    at = provider("gemini", url=made.url, stream_url=made.stream_url, auth="x-goog-api-key")
    assert address(at, "g 1", stream=False) == "https://h.test/v1beta/models/g%201:generateContent"
    assert address(at, "g", stream=True).endswith("/g:streamGenerateContent?alt=sse")
    assert credentials(at) == (("x-goog-api-key", "sk-secret-1234567"),)
    assert credentials(at, compatible=True) == (("authorization", "Bearer sk-secret-1234567"),)


def test_G11_files() -> None:
    pdf = {
        "type": "document",
        "source": {"type": "base64", "media_type": "application/pdf", "data": "UERG"},
    }
    parts = rendered(ask_a(messages=[user([PNG, pdf])]))["contents"][0]["parts"]
    assert [p["inlineData"]["mimeType"] for p in parts] == ["image/png", "application/pdf"]
    far = {"type": "image", "source": {"type": "url", "url": "https://h.test/x.png"}}
    with pytest.raises(UpstreamError, match="send it as base64"):
        rendered(ask_a(messages=[user([far])]))
    kept = {"type": "image", "source": {"type": "url", "url": "gs://bucket/x.png"}}
    (part,) = rendered(ask_a(messages=[user([kept])]))["contents"][0]["parts"]
    assert part["fileData"]["fileUri"] == "gs://bucket/x.png"
    audio = {"type": "input_audio", "input_audio": {"data": "AAAA", "format": "mp3"}}
    (part,) = rendered(ask_o(messages=[user([audio])]))["contents"][0]["parts"]
    assert part["inlineData"] == {"mimeType": "audio/mp3", "data": "AAAA"}
    ours = asked(
        {"role": "user", "parts": [{"inlineData": {"mimeType": "image/png", "data": "A"}}]}
    )
    assert A.render_request(ours, provider("anthropic"), "c")["messages"][0]["content"] == [
        {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "A"}}
    ]


@pytest.mark.parametrize(
    ("choice", "calling"),
    [
        ({"type": "auto"}, {"mode": "AUTO"}),
        ({"type": "any"}, {"mode": "ANY"}),
        ({"type": "none"}, {"mode": "NONE"}),
        (
            {"type": "tool", "name": "weather"},
            {"mode": "ANY", "allowedFunctionNames": ["weather"]},
        ),
    ],
)
def test_G12_tool_choice_there_and_back(choice: dict[str, Any], calling: dict[str, Any]) -> None:
    body = rendered(ask_a(tools=[TOOL], tool_choice=choice))
    assert body["toolConfig"] == {"functionCallingConfig": calling}
    back = asked(tools=body["tools"], toolConfig=body["toolConfig"])
    sent = A.render_request(back, provider("anthropic"), "c")
    assert sent.get("tool_choice", {"type": "none"}) == choice
    search = {"type": "web_search_20250305", "name": "web_search"}
    assert rendered(ask_a(tools=[search]))["tools"] == [{"googleSearch": {}}]
    both = rendered(ask_a(tools=[search, TOOL]))["tools"]
    assert [list(tool) for tool in both] == [["functionDeclarations"]]


def test_G13_errors_both_ways() -> None:
    retry = {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "7s"}
    told = {"code": 429, "message": "slow", "status": "RESOURCE_EXHAUSTED", "details": [retry]}
    for body in ({"error": told}, [{"error": told}]):
        error = G.read_error(429, {}, dumps(body), AT)
        assert (error.kind, error.retry_after) == ("quota", 7)
    ours = json.loads(G.render_error(error))["error"]
    assert (ours["code"], ours["status"], ours["details"]) == (429, "RESOURCE_EXHAUSTED", [retry])
    long = {"error": {"code": 400, "message": "The input token count (9) exceeds the maximum"}}
    assert G.read_error(400, {}, dumps(long), AT).kind == "too_long"
    busy = UpstreamError("busy", kind="overload", status=529)
    assert G.client_status(busy) == 503
    refused = UpstreamError("no", kind="credential", status=401)
    assert json.loads(G.render_error(refused))["error"]["status"] == "UNAVAILABLE"
    inside = read(chunk({"text": "x"}), b"data: " + dumps([{"error": told}]) + b"\n\n")[-1]
    assert isinstance(inside, Failure)
    assert inside.kind == "quota"


@pytest.mark.parametrize("array", [False, True])
def test_a_stream_as_events_or_as_one_array(array: bool) -> None:
    format = Gemini("g", stream=True, array=array)
    request = format.parse_request(
        dumps(
            {
                "contents": [{"parts": [{"text": "hi"}]}],
                "generation_config": {"thinking_config": {"include_thoughts": True}},
            }
        )
    )
    events = read(
        chunk({"text": "hm", "thought": True}),
        chunk({"text": "x"}),
        chunk(called_part(city="Rome"), finish="STOP", usageMetadata=COUNTS),
    )

    def chunks(data: bytes) -> list[dict[str, Any]]:
        if array:
            return json.loads(data)  # type: ignore[no-any-return]
        return [json.loads(f.data) for f in Framer().feed(data)]

    writer = format.writer(request, now=0, id="r")
    told = chunks(b"".join(writer.feed(e) + writer.ping() for e in events) + writer.close())
    candidates = [c["candidates"][0] for c in told if "candidates" in c]
    parts = [part for c in candidates for part in c["content"]["parts"]]
    assert parts[:2] == [{"text": "hm", "thought": True}, {"text": "x"}]
    assert parts[2]["functionCall"]["args"] == {"city": "Rome"}
    assert [c.get("finishReason") for c in candidates] == [None, None, None, "STOP"]
    assert told[-1]["usageMetadata"]["thoughtsTokenCount"] == 7
    broken = format.writer(request, now=0, id="r")
    data = broken.feed(events[0]) + broken.feed(events[1])
    failed = chunks(data + broken.fail(UpstreamError("cut", kind="upstream", status=502)))
    assert failed[-1]["error"]["message"] == "cut"
    silent = asked()
    assert b"hm" not in Gemini().render_response(events, silent, now=0, id="r")


def test_a_whole_answer_and_a_list_of_chunks_are_read_as_a_stream_is() -> None:
    streamed = chunk({"text": "x"}), chunk(called_part(a=1), finish="STOP", usageMetadata=COUNTS)
    bodies = [c[len(b"data: ") :] for c in streamed]
    listed = b"[" + b",".join(bodies) + b"]"
    assert G.read_response(listed, AT) == read(*streamed)
    assert G.read_response(b"".join(streamed), AT) == read(*streamed)
    with pytest.raises(UpstreamError):
        G.read_response(b"<html>", AT)
    writer = O.writer(ask_o(), now=0, id="r")
    openai = check_openai(b"".join(map(writer.feed, read(*streamed))) + writer.close())
    assert openai["reason"] == "tool_calls"


@pytest.mark.parametrize(
    ("body", "named"),
    [
        (b"x", "JSON"),
        (dumps({}), "contents"),
        (dumps({"contents": [3]}), "contents.0"),
        (dumps({"contents": [{"role": "x"}]}), "contents.0.role"),
        (dumps({"contents": [{"parts": [3]}]}), "contents.0.parts.0"),
        (dumps({"contents": [{"parts": [{"functionCall": {}}]}]}), "functionCall.name"),
        (dumps({"contents": [{}], "tools": [{"functionDeclarations": [{}]}]}), "tools.0"),
        (
            dumps({"contents": [{}], "generationConfig": {"maxOutputTokens": "x"}}),
            "maxOutputTokens",
        ),
    ],
)
def test_a_wrong_request_names_its_field(body: bytes, named: str) -> None:
    with pytest.raises(CallerError, match=named):
        G.parse_request(body)


def test_the_model_is_renamed_only_where_the_version_stands() -> None:
    data = chunk({"text": '"modelVersion":"a"'})
    renamed = G.rename(data, "gemini-x", "mine")
    (frame,) = Framer().feed(renamed)
    body = json.loads(frame.data)
    assert body["modelVersion"] == "mine"
    assert body["candidates"][0]["content"]["parts"] == [{"text": '"modelVersion":"a"'}]
