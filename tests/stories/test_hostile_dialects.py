"""What each of the five dialects of providers can be lied in: frames that come twice, too early,
in halves or as something else, figures that cannot be, nesting without end. Whatever it is, the
client gets a legal answer of its own dialect, and the ledger one truthful row.

How HTTP itself can be broken is told in test_hostile_upstream.py.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from router.framing import Framer
from storage.home import Home
from tests.fakes.upstream import Behaviour, FakeUpstream, Seen
from tests.router import inside
from tests.router.formats import dialects as d
from tests.router.formats import dialects_of_openai as more
from tests.router.formats.dialects import Answer, Question
from tests.router.formats.grammar import check_anthropic, check_openai
from tests.router.formats.responses_grammar import check_response, check_responses
from tests.stories.test_hostile_upstream import MOST, TOML, row

_LITELLM = """
model_list:
  - model_name: anthropic
    litellm_params: {{model: anthropic/m, api_base: '{root}', api_key: k}}
  - model_name: chat
    litellm_params: {{model: openai/m, api_base: '{root}/v1', api_key: k}}
  - model_name: responses
    litellm_params: {{model: openai/responses/m, api_base: '{root}/v1', api_key: k}}
  - model_name: ollama
    litellm_params: {{model: ollama_chat/m, api_base: '{root}'}}
  - model_name: gemini
    litellm_params: {{model: gemini/m, api_base: '{root}/v1beta', api_key: k}}
router_settings: {{num_retries: 0}}
"""
Say = Callable[[Answer, bool], bytes]
SAYS: dict[str, Say] = {
    "anthropic": d.say_anthropic,
    "chat": d.say_openai,
    "responses": more.say_responses,
    "ollama": d.say_ollama,
    "gemini": d.say_gemini,
}
ASKS: dict[str, tuple[str, Callable[[Question], dict[str, Any]]]] = {
    "anthropic": ("/litellm/v1/messages", d.ask_anthropic),
    "chat": ("/litellm/v1/chat/completions", d.ask_openai),
    "responses": ("/litellm/v1/responses", more.ask_responses),
    "completions": ("/litellm/v1/completions", more.ask_completions),
    "ollama": ("/ollama/api/chat", d.ask_ollama),
    "gemini": ("/gemini/v1beta/models/{}:{}", d.ask_gemini),
}
SAID = Answer("four words are here", "hmm", [("weather", {"city": "Rome"})], "tools")
#: values that are no frame of any dialect
ODD: tuple[Any, ...] = (None, [], 7, "x", {}, True, {"type": None}, {"error": None}, [[]])
#: a frame with a piece of a call's arguments, in one dialect or another
PIECE = re.compile(rb'"partial_json"|function_call_arguments\.delta|"arguments": ?"')
LOST = "without a piece of arguments"
#: arguments that are no JSON are shown as the model wrote them
OF_THE_MODEL = ("every frame twice", LOST, "arguments that are no JSON")
DEEP = b"[" * 100_000


def frames_of(provider: str, said: Answer = SAID) -> list[bytes]:
    framer = Framer("ndjson" if provider == "ollama" else "sse")
    data = SAYS[provider](said, True)
    return [frame.raw for frame in (*framer.feed(data), *framer.close())]


def framed(provider: str, data: bytes) -> bytes:
    return data + b"\n" if provider == "ollama" else b"data: " + data + b"\n\n"


def lies(provider: str) -> Iterator[tuple[str, bytes]]:
    """Streams: each a name and its bytes."""
    frames = frames_of(provider)
    whole = b"".join(frames)
    yield "told twice", whole + whole
    yield "its end five times", whole + frames[-1] * 4
    yield "every frame twice", b"".join(frame * 2 for frame in frames)
    yield "backwards", b"".join(reversed(frames))
    yield "its end first", frames[-1] + whole
    yield "its end alone", frames[-1]
    yield "without its first frame", b"".join(frames[1:])
    for count in range(1, len(frames)):
        yield f"cut after {count} frames", b"".join(frames[:count])
        lost = f"{LOST}, {count}" if PIECE.search(frames[count]) else f"without frame {count}"
        yield lost, b"".join((*frames[:count], *frames[count + 1 :]))
    yield "cut within its last frame", whole[:-7]
    for odd in ODD:
        one = framed(provider, json.dumps(odd).encode())
        yield f"{odd!r} first", one + whole
        yield f"{odd!r} in the middle", b"".join((*frames[:3], one, *frames[3:]))
    for junk in (DEEP, b'{"a":' * 100_000, b"<html>hm</html>", b'{"a":1', b"\xff\xfe", b"NaN"):
        one = framed(provider, junk)
        yield f"{junk[:9]!r} in the middle", b"".join((*frames[:3], one, *frames[3:]))
    for used in ((-5, -4), (10**30, 10**30), (2**63, 2**63), (0, 0), (1.5, 2.5), ("9", "8")):
        odd_use: Any = used if not isinstance(used[0], str | float) else (11, 7)
        data = SAYS[provider](Answer("four words are here", used=odd_use), True)
        if odd_use is not used:
            data = data.replace(b": 11", b": " + json.dumps(used[0]).encode())
            data = data.replace(b": 7", b": " + json.dumps(used[1]).encode())
        yield f"used {used}", data
    yield "half a character", whole.replace(b"four", b"\\ud83d")
    yield "a zero byte", whole.replace(b"four", b"\\u0000")
    yield "a name of nothing", whole.replace(b"weather", b"")
    yield "arguments that are no JSON", whole.replace(b"Rome", b"\\\\")
    for key in ("index", "output_index", "content_index", "done", "finishReason", "finish_reason"):
        for odd in (-1, 10**30, None, "x", [], {}):
            changed = with_value(whole, key, odd)
            if changed != whole:
                yield f"{key} {odd!r}", changed


def with_value(data: bytes, key: str, value: Any) -> bytes:
    """Each value of a key, wherever it stands, put in another's place."""

    def changed(one: Any) -> Any:
        if isinstance(one, dict):
            return {k: value if k == key else changed(v) for k, v in one.items()}
        return [changed(v) for v in one] if isinstance(one, list) else one

    out = []
    for line in data.splitlines(keepends=True):
        start, mark, body = line.partition(b"{")
        if mark and b"[DONE]" not in line:
            line = start + json.dumps(changed(json.loads(mark + body))).encode() + b"\n"
        out.append(line)
    return b"".join(out)


def whole_lies(provider: str) -> Iterator[tuple[str, bytes]]:
    """Answers that are not streamed."""
    body = SAYS[provider](SAID, False)
    yield "nested without end", body[:-1] + b', "x": ' + DEEP + b"]" * 100_000 + b"}"
    yield "half a character", body.replace(b"four", b"\\ud83d")
    yield "bytes that are no text", body.replace(b"four", b"\xff\xfe")
    yield "a name of nothing", body.replace(b"weather", b"")
    yield "keys twice", body[:-1] + b"," + body[1:]
    for odd in ODD:
        yield repr(odd), json.dumps(odd).encode()
    for key in json.loads(body):
        for odd in (None, [], {}, 7, "x", [None], [[]], [7], [{}], {"a": None}):
            yield f"{key} {odd!r}", json.dumps(json.loads(body) | {key: odd}).encode()
    for used in ((-5, -4), (10**30, 10**30), (0, 0)):
        yield f"used {used}", SAYS[provider](Answer("four words", used=used), False)


def legal(client: str, answer: httpx.Response, *, stream: bool) -> bool:
    """Whether it tells an answer, not an error. Asserts that it is one of the two."""
    if answer.status_code != 200:
        assert answer.status_code >= 400
        error = answer.json()["error"]
        assert error if client == "ollama" else error["message"]
        return False
    if not stream:
        body = answer.json()
        match client:
            case "responses":
                check_response(answer.content)
            case "gemini":
                assert body["candidates"][0]["content"]["parts"] is not None
            case "ollama":
                assert body["done"] is True
            case "anthropic":
                assert all(block["type"] for block in body["content"])
                assert body["usage"]["input_tokens"] >= 0
            case _:
                assert body["choices"][0]["finish_reason"]
        return True
    match client:
        case "anthropic":
            return "error" not in check_anthropic(answer.content)
        case "chat":
            return "error" not in check_openai(answer.content)
        case "completions":
            return "error" not in more.check_completions(answer.content)
        case "responses":
            return bool(check_responses(answer.content)["status"] != "failed")
    framer = Framer("ndjson" if client == "ollama" else "sse")
    found = [json.loads(f.data) for f in (*framer.feed(answer.content), *framer.close())]
    last = found[-1]
    if client == "ollama":
        assert [one.get("done", False) for one in found[:-1]] == [False] * (len(found) - 1)
        assert last.get("done") or "error" in last
    return "error" not in last


def address(client: str, provider: str, *, stream: bool) -> str:
    method = "streamGenerateContent?alt=sse" if stream else "generateContent"
    return ASKS[client][0].format(provider, method)


@pytest.mark.parametrize("every", [False, pytest.param(True, marks=pytest.mark.long)])
@pytest.mark.parametrize("stream", [True, False], ids=["stream", "whole"])
@pytest.mark.parametrize("provider", SAYS)
async def test_every_lie_ends_in_a_legal_answer_and_a_truthful_row(
    test_home: Home, upstream: FakeUpstream, provider: str, stream: bool, every: bool
) -> None:
    """A third of the lies, each to the client whose turn it is; `every` one to every client.

    A client of the provider's own dialect gets its very bytes: of them only the row is judged.
    """
    test_home.config.mkdir(parents=True, exist_ok=True)
    (test_home.config / "litellm-config.yaml").write_text(_LITELLM.format(root=upstream.url("")))
    (test_home.config / "pointsman.toml").write_text(TOML)
    lies_told: list[bytes] = []
    kind = "application/json"
    if stream:
        kind = "application/x-ndjson" if provider == "ollama" else "text/event-stream"

    def script(seen: Seen) -> Behaviour | None:
        if seen.method != "POST" or seen.path == "/api/show":
            return None
        return Behaviour(body=lies_told[-1], headers={"content-type": kind})

    upstream.script = script
    wrong: list[str] = []
    async with (
        inside.served(test_home) as (router, front),
        httpx.AsyncClient(base_url=front, timeout=20) as http,
    ):
        for turn, (name, lie) in enumerate((lies if stream else whole_lies)(provider)):
            lies_told.append(lie)
            if not every and turn % 3:
                continue
            for client in ASKS if every else [list(ASKS)[turn // 3 % len(ASKS)]]:
                ask, where = ASKS[client][1], f"{name} ({provider} to {client})"
                body = ask(Question(stream=stream)) | {"model": provider}
                path = address(client, provider, stream=stream)
                answer = await http.post(path, content=json.dumps(body), headers=JSON)
                told = (await row(router)).request if every else router.live.recent[0]
                if client != provider and not name.startswith(OF_THE_MODEL):
                    try:
                        answered = legal(client, answer, stream=stream)
                    except (AssertionError, KeyError, ValueError, TypeError) as error:
                        wrong.append(f"{where}: {error!r} in {answer.content[-300:]!r}")
                        continue
                    if answered is not (told.state == "done"):
                        wrong.append(f"{where}: the row says {told.state}")
                tokens = told.tokens
                if not (0 <= tokens.prompt <= MOST and 0 <= tokens.output <= MOST):
                    wrong.append(f"{where}: the row has {tokens}")
                if "incident" in answer.text:
                    wrong.append(f"{where}: {answer.text[:300]}")
    assert not wrong, "\n".join(wrong)


JSON = {"content-type": "application/json"}
