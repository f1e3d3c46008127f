"""What providers' errors mean, and what clients are told (E01-E07, V11)."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from router.errors import CallerError, Kind, OursError, RequestError, UpstreamError
from router.formats.failures import in_stream, kind_of, raised
from router.messages import Failure
from router.settings import Secret
from tests.router.formats.wire import A, O, dumps, provider, read


def oai(message: str, type: Any = None, code: Any = None) -> bytes:
    return dumps({"error": {"message": message, "type": type, "param": None, "code": code}})


def ant(message: str, type: str) -> bytes:
    return dumps({"type": "error", "error": {"type": type, "message": message}})


KINDS: dict[str, tuple[int, bytes, Kind]] = {
    "E02-401": (401, ant("invalid x-api-key", "authentication_error"), "credential"),
    "E02-403": (403, ant("no", "permission_error"), "credential"),
    "E02-gemini-400": (400, oai("API key not valid. Please pass a valid API key."), "credential"),
    "E02-400": (400, oai("bad field", "invalid_request_error"), "caller"),
    "E02-404": (404, oai("The model `x` does not exist", code="model_not_found"), "missing"),
    "E02-openrouter-400": (400, oai("x/y is not a valid model ID", code=400), "missing"),
    "E02-402": (402, oai("Insufficient Balance"), "quota"),
    "E02-408": (408, b"", "timeout"),
    "E02-413": (413, ant("Request exceeds the maximum size", "request_too_large"), "caller"),
    "E02-422": (422, b'{"detail":[{"loc":["body"],"msg":"extra"}]}', "caller"),
    "E02-429": (429, oai("slow down", "rate_limit_exceeded"), "quota"),
    "E02-quota": (429, oai("You exceeded your quota", "insufficient_quota"), "quota"),
    "E02-500": (500, ant("Internal", "api_error"), "upstream"),
    "E02-502": (502, b"<html><h1>Bad Gateway</h1></html>", "upstream"),
    "E02-503": (503, oai("busy"), "overload"),
    "E02-504": (504, b"", "timeout"),
    "E06-529": (529, ant("Overloaded", "overloaded_error"), "overload"),
    "E06-overloaded-500": (500, ant("Overloaded", "overloaded_error"), "overload"),
    "E06-400-stays": (
        400,
        oai("server is overloaded with words", "invalid_request_error"),
        "caller",
    ),
    "E07-empty": (500, b"", "upstream"),
    "E07-text": (500, b"upstream connect error", "upstream"),
    "E07-array": (429, dumps([{"error": {"code": 429, "status": "RESOURCE_EXHAUSTED"}}]), "quota"),
    "E07-number": (500, b"7", "upstream"),
    "E07-not-utf8": (500, b"\xff\xfe", "upstream"),
    "E04-anthropic": (
        400,
        ant("prompt is too long: 210000 tokens > 200000 maximum", "invalid_request_error"),
        "too_long",
    ),
    "E04-code": (400, oai("too much", code="context_length_exceeded"), "too_long"),
}


@pytest.mark.parametrize(("status", "body", "kind"), KINDS.values(), ids=KINDS.keys())
def test_kinds(status: int, body: bytes, kind: Kind) -> None:
    for format in (A, O):
        error = format.read_error(status, {}, body, provider())
        assert error.kind == kind
        assert error.provider == "my-openai"
        assert error.message
        assert "<" not in error.message
        assert format.client_status(error) not in (401, 403), "E02: the client's key is fine"
        assert json.loads(format.render_error(error))["error"]["message"]


#: what a status says where nothing else does, and a name where the status says nothing of its own
STATUSES: dict[Kind, tuple[int, ...]] = {
    "caller": (400, 405, 413, 418, 422),
    "credential": (401, 403, 407),
    "quota": (402, 429),
    "missing": (404,),
    "timeout": (408, 504),
    "upstream": (409, 500, 501, 502, 599),
    "overload": (503, 529),
}
NAMES: dict[Kind, str] = {
    "overload": "overloaded_error overloaded engine_overloaded_error service_unavailable"
    " UNAVAILABLE insufficient_system_resource",
    "quota": "rate_limit_error rate_limit_exceeded insufficient_quota billing_error"
    " RESOURCE_EXHAUSTED throttling_error",
    "credential": "authentication_error invalid_api_key auth_error permission_error"
    " PERMISSION_DENIED UNAUTHENTICATED",
    "missing": "not_found_error model_not_found NOT_FOUND",
    "too_long": "context_length_exceeded exceed_context_size_error",
    "refused": "content_policy_violation content_filter ResponsibleAIPolicyViolation",
    "timeout": "timeout_error DEADLINE_EXCEEDED",
    "upstream": "api_error server_error internal_server_error INTERNAL",
}
#: a 400's message, where it names nothing
WORDS: dict[Kind, tuple[str, ...]] = {
    "too_long": (
        "Context length exceeded: shorten it",
        "Too many input tokens",
        "Prompt contains 40000 tokens, too large for model x",
        "Please reduce the length of the messages or completion.",
    ),
    "credential": ("Invalid API key provided",),
    "missing": ("model 'x' not found, try pulling it first", "Unknown model: x"),
    "refused": (
        "The prompt triggered Azure OpenAI's content management policy.",
        "This request violates our content policy.",
        "Your request was rejected as a result of our safety system.",
        "Output blocked by content filtering policy",
    ),
}
#: of a failure in a stream, which has no status of its own
OWN: dict[Kind, int] = {
    **{"caller": 400, "too_long": 400, "refused": 400, "missing": 404, "quota": 429},
    **{"credential": 502, "upstream": 502, "connect": 502, "timeout": 504, "overload": 529},
    **{"cancelled": 499, "ours": 500},
}


def test_E02_E06_a_status_a_name_or_words_alone_say_what_it_is() -> None:
    for kind, statuses in STATUSES.items():
        for status in statuses:
            assert (status, O.read_error(status, {}, b"", provider()).kind) == (status, kind)
    for kind, names in NAMES.items():
        for name in names.split():
            assert (name, kind_of(418, name, None, "")) == (name, kind)
            assert (name, kind_of(0, None, name, "")) == (name, kind)
    for kind, messages in WORDS.items():
        for message in messages:
            assert (message, kind_of(400, None, None, message)) == (message, kind)
    for name in ("request_too_large", "invalid_request_error", "INVALID_ARGUMENT"):
        assert (name, in_stream({"error": {"type": name}}).kind) == (name, "caller")
    assert {kind: raised(Failure(kind, "m")).status for kind in OWN} == OWN


OVERFLOWS = {
    "E04-openai": (
        "This model's maximum context length is 128000 tokens. However, you requested 140010 tokens"
        " (130010 in the messages, 10000 in the completion).",
        (140010, 128000),
    ),
    "E04-openai-responses": ("Your input exceeds the context window of this model.", None),
    "E04-gemini": (
        "The input token count (1048600) exceeds the maximum number of tokens allowed (1048576).",
        (1048600, 1048576),
    ),
    "E04-deepseek": (
        "This model's maximum context length is 65,536 tokens. However, you requested 70,000.",
        (70000, 65536),
    ),
    "E04-xai": (
        "This model's maximum prompt length is 131072 but the request contains 140000 tokens.",
        (140000, 131072),
    ),
    "E04-mistral": (
        "Prompt contains 40000 tokens, too large for model with 32768 maximum context length",
        (40000, 32768),
    ),
    "E04-llama.cpp": (
        "the request exceeds the available context size (4096 tokens), try increasing it",
        None,
    ),
    "E04-bedrock": ("Input is too long for requested model.", None),
}


@pytest.mark.parametrize(("message", "numbers"), OVERFLOWS.values(), ids=OVERFLOWS.keys())
def test_overflow_is_told_in_anthropics_words(
    message: str, numbers: tuple[int, int] | None
) -> None:
    error = O.read_error(400, {}, oai(message), provider())
    assert error.kind == "too_long"
    told = json.loads(A.render_error(error))["error"]
    assert A.client_status(error) == 400
    assert told["type"] == "invalid_request_error"
    assert told["message"].startswith("prompt is too long: ")
    if numbers:
        asked, most = numbers
        assert told["message"] == f"prompt is too long: {asked} tokens > {most} maximum"
    other = json.loads(O.render_error(error))["error"]
    assert other["message"] == message
    assert other["code"] == "context_length_exceeded"


SUM = "input length and `max_tokens` exceed context limit: %d + %d > %d, decrease input length or "
SUM += "`max_tokens` and try again"
#: the prompt fits, its longest answer does not: Claude Code asks for a shorter one, by these words
TOGETHER: dict[str, tuple[str, tuple[int, int, int]]] = {
    "E04-anthropic-sum": (SUM % (190000, 20000, 200000), (190000, 20000, 200000)),
    "E04-openai-sum": (
        "This model's maximum context length is 128000 tokens. However, you requested 130010 tokens"
        " (119000 in the messages, 1010 in the functions, and 10000 in the completion).",
        (120010, 10000, 128000),
    ),
    "E04-openrouter-sum": (
        "This endpoint's maximum context length is 65536 tokens. However, you requested about 70000"
        " tokens (30000 of text input, 8000 of tool input, 32000 in the output). Please reduce",
        (38000, 32000, 65536),
    ),
    "E04-vllm-sum": (
        "'max_tokens' or 'max_completion_tokens' is too large: 32000. This model's maximum context"
        " length is 32768 tokens and your request has 14000 input tokens (32000 > 32768 - 14000).",
        (14000, 32000, 32768),
    ),
}


@pytest.mark.parametrize(("message", "numbers"), TOGETHER.values(), ids=TOGETHER.keys())
def test_a_prompt_that_fits_without_its_answer_is_told_as_that(
    message: str, numbers: tuple[int, int, int]
) -> None:
    error = O.read_error(400, {}, oai(message), provider())
    assert (error.kind, A.client_status(error)) == ("too_long", 400)
    assert json.loads(A.render_error(error))["error"]["message"] == SUM % numbers


def test_E04_anthropics_own_words_stay_as_they_are() -> None:
    words = "prompt is too long: 210000 tokens > 200000 maximum"
    error = A.read_error(400, {}, ant(words, "invalid_request_error"), provider("anthropic"))
    assert json.loads(A.render_error(error))["error"]["message"] == words


@pytest.mark.parametrize("status", [401, 403])
def test_E02_a_refused_key_is_told_as_the_providers(status: int) -> None:
    body = oai(
        "Incorrect API key provided: sk-secret-1234567. See account.", code="invalid_api_key"
    )
    error = O.read_error(status, {}, body, provider())
    for format in (A, O):
        assert format.client_status(error) == 502
        told = json.loads(format.render_error(error))["error"]
        assert told["type"] in ("api_error", "internal_server_error")
        assert "upstream provider my-openai refused its key" in told["message"]
        assert "sk-secret" not in told["message"]
    assert ("x-should-retry", "false") in error.headers
    unset = O.read_error(status, {}, body, replace(provider(), key=Secret("${MY_KEY}")))
    assert "$MY_KEY is not set in the router's environment" in unset.message


LEAKS = {
    "E01-key": ("key sk-ant-api03-abcdefgh is bad", "sk-ant"),
    "E01-own-key": ("you sent sk-secret-1234567!", "sk-secret"),
    "E01-bearer": ("header Bearer abc.def was refused", "abc.def"),
    "E01-google": ("key AIzaSyA1234567890 is bad", "AIza"),
    "E01-js-stack": ("boom\n    at qn (/usr/lib/x.js:1:2)\n    at y", "/usr/lib"),
    "E01-py-stack": ('boom\nTraceback (most recent call last):\n  File "/srv/a.py"', "/srv"),
}


@pytest.mark.parametrize(("message", "secret"), LEAKS.values(), ids=LEAKS.keys())
def test_nothing_private_reaches_a_client(message: str, secret: str) -> None:
    for body in (oai(message), ant(message, "api_error"), dumps({"error": message})):
        error = A.read_error(500, {}, body, provider())
        assert secret not in error.message
        assert error.message


def test_E01_a_message_is_not_endless() -> None:
    assert len(O.read_error(400, {}, oai("x" * 100_000), provider()).message) < 3000


WAITS: dict[str, tuple[dict[str, str], bytes, float | None]] = {
    "E03-seconds": ({"retry-after": "7"}, b"", 7.0),
    "E03-milliseconds": ({"retry-after-ms": "1500", "retry-after": "2"}, b"", 1.5),
    "E03-date": ({"retry-after": "Wed, 21 Oct 2026 07:28:00 GMT"}, b"", None),
    "E03-nonsense": ({"retry-after": "-1e999"}, b"", None),
    "E03-words": ({}, oai("Rate limit reached. Please try again in 1.5s."), 1.5),
    "E03-words-ms": ({}, oai("Please try again in 20ms."), 0.02),
    "E03-gemini": ({}, dumps({"error": {"details": [{"retryDelay": "37s"}]}}), 37.0),
    "E03-none": ({}, oai("slow"), None),
}


@pytest.mark.parametrize(("headers", "body", "seconds"), WAITS.values(), ids=WAITS.keys())
def test_how_long_to_wait(headers: dict[str, str], body: bytes, seconds: float | None) -> None:
    assert O.read_error(429, headers, body, provider()).retry_after == seconds


def upstream(kind: Kind, status: int) -> UpstreamError:
    return UpstreamError("m", kind=kind, status=status)


SHAPES: dict[str, tuple[RequestError, int, str, int, str, str]] = {
    "E01-400": (
        CallerError("m", param="messages"),
        400,
        "invalid_request_error",
        400,
        "invalid_request_error",
        "400",
    ),
    "E01-401": (
        CallerError("m", status=401, kind="credential"),
        401,
        "authentication_error",
        401,
        "auth_error",
        "401",
    ),
    "E01-404": (
        CallerError("m", status=404, code="provider_not_found"),
        404,
        "not_found_error",
        404,
        "invalid_request_error",
        "provider_not_found",
    ),
    "E01-413": (
        CallerError("m", status=413),
        413,
        "request_too_large",
        413,
        "invalid_request_error",
        "413",
    ),
    "E01-405": (
        CallerError("m", status=405),
        405,
        "invalid_request_error",
        405,
        "invalid_request_error",
        "405",
    ),
    "E04-in-a-stream": (
        UpstreamError("prompt is too long: 9 tokens > 8 maximum", kind="too_long", status=502),
        400,
        "invalid_request_error",
        400,
        "invalid_request_error",
        "400",
    ),
    "E08-429": (upstream("quota", 429), 429, "rate_limit_error", 429, "throttling_error", "429"),
    "E01-ours": (OursError("i7"), 500, "api_error", 500, "internal_server_error", "500"),
    "E05-504": (upstream("timeout", 504), 504, "api_error", 504, "timeout_error", "504"),
    "E05-502": (upstream("connect", 502), 502, "api_error", 502, "internal_server_error", "502"),
    "V11-529": (
        upstream("overload", 529),
        529,
        "overloaded_error",
        503,
        "internal_server_error",
        "503",
    ),
}


@pytest.mark.parametrize(
    ("error", "a_status", "a_type", "o_status", "o_type", "code"),
    SHAPES.values(),
    ids=SHAPES.keys(),
)
def test_shapes(
    error: RequestError, a_status: int, a_type: str, o_status: int, o_type: str, code: str
) -> None:
    assert A.client_status(error) == a_status
    assert json.loads(A.render_error(error)) == {
        "type": "error",
        "error": {"type": a_type, "message": error.message},
    }
    assert O.client_status(error) == o_status
    assert json.loads(O.render_error(error)) == {
        "error": {"message": error.message, "type": o_type, "param": error.param, "code": code}
    }


BAD: dict[str, tuple[Any, str]] = {
    "not-json": (b"{nope", "JSON"),
    "not-utf8": (b'{"a":"\xff"}', "JSON"),
    "not-an-object": ([], "object"),
    "no-messages": ({}, "messages"),
    "empty-messages": ({"messages": []}, "messages"),
    "messages-wrong": ({"messages": "x"}, "messages"),
    "message-wrong": ({"messages": ["x"]}, "messages.0"),
    "role-wrong": ({"messages": [{"role": "king", "content": "x"}]}, "messages.0.role"),
    "role-not-text": ({"messages": [{"role": [], "content": "x"}]}, "messages.0.role"),
    "content-wrong": ({"messages": [{"role": "user", "content": 7}]}, "messages.0.content"),
    "part-wrong": ({"messages": [{"role": "user", "content": ["x"]}]}, "messages.0.content.0"),
    "part-without-type": ({"messages": [{"role": "user", "content": [{}]}]}, "content.0.type"),
    "text-wrong": (
        {"messages": [{"role": "user", "content": [{"type": "text", "text": 7}]}]},
        "messages.0.content.0.text",
    ),
    "model-wrong": ({"messages": [{"role": "user", "content": "x"}], "model": 7}, "model"),
    "max_tokens-wrong": (
        {"messages": [{"role": "user", "content": "x"}], "max_tokens": True},
        "max_tokens",
    ),
    "temperature-wrong": (
        {"messages": [{"role": "user", "content": "x"}], "temperature": "hot"},
        "temperature",
    ),
    "tools-wrong": ({"messages": [{"role": "user", "content": "x"}], "tools": [7]}, "tools.0"),
    "choice-wrong": (
        {"messages": [{"role": "user", "content": "x"}], "tool_choice": {"type": 7}},
        "tool_choice",
    ),
}


@pytest.mark.parametrize(("body", "where"), BAD.values(), ids=BAD.keys())
def test_a_wrong_request_is_told_where(body: Any, where: str) -> None:
    raw = body if isinstance(body, bytes) else dumps(body)
    for format in (A, O):
        with pytest.raises(CallerError, match=where.replace(".", r"\.")) as raised:
            format.parse_request(raw)
        assert raised.value.status == 400


NESTED = {
    "schema": (
        '{"messages":[{"role":"user","content":"x"}],"tools":[{"name":"f","input_schema":%s}]}',
        '{"type":"object","properties":{"a":',
        "}}",
    ),
    "results": (
        '{"messages":[{"role":"user","content":[%s]}]}',
        '{"type":"tool_result","tool_use_id":"a","content":[',
        "]}",
    ),
}


@pytest.mark.parametrize("depth", [400, 490, 5000])
@pytest.mark.parametrize(("frame", "opening", "closing"), NESTED.values(), ids=NESTED.keys())
def test_nesting_without_end_is_the_callers_mistake(
    frame: str, opening: str, closing: str, depth: int
) -> None:
    inner = "{}" if "schema" in frame else ""
    raw = (frame % (opening * depth + inner + closing * depth)).encode()
    with pytest.raises(CallerError, match=r"nested|JSON"):
        O.render_request(A.parse_request(raw), provider("gemini"), "m")
    block = opening * depth + inner + closing * depth
    start = f'data: {{"type":"content_block_start","content_block":{block}}}\n\n'
    stream = start.encode()
    assert isinstance(read(A.reader(provider("anthropic")), stream)[-1], Failure)
