"""The simulator's wire: grammars, caches, drills, and that it ends with its parent."""

from __future__ import annotations

import asyncio
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from itertools import product
from typing import Any

import httpx
import msgspec
import pytest

from router.simulator import models
from router.simulator.answer import COMMAND
from router.simulator.app import Simulator
from router.simulator.tokens import count
from tests.router.simulator.simulators import check_grammar, events, simulator, start

SHELL = {"type": "object", "properties": {"command": {"type": "string"}}, "required": ["command"]}
BASH = {"name": "Bash", "input_schema": SHELL}


def _shell(kind: str) -> dict[str, Any]:
    return {**SHELL, "properties": {"command": {"type": kind}}}


HELLO = [{"role": "user", "content": "hello there"}]


@pytest.fixture(scope="module")
def base() -> Iterator[str]:
    with simulator() as address:
        yield address


@pytest.fixture
async def http(base: str) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=base, timeout=20, trust_env=False) as client:
        yield client


async def post(http: httpx.AsyncClient, path: str, **body: Any) -> Any:
    """The answer's JSON; it must say that it is simulated."""
    answer = await http.post(path, json=body)
    assert answer.headers["x-pointsman-simulated"] == "1"
    assert answer.status_code == 200, answer.text
    return answer.json()


def claude(**changes: Any) -> dict[str, Any]:
    return {"model": "claude-x", "max_tokens": 400, "messages": HELLO, **changes}


async def test_every_messages_stream_keeps_the_grammar_and_equals_the_whole(
    http: httpx.AsyncClient,
) -> None:
    thinking = (None, {"type": "enabled", "budget_tokens": 99}, {"type": "adaptive"})
    hidden = {"type": "adaptive", "display": "omitted"}
    limits: tuple[dict[str, Any], ...] = (
        {},
        {"max_tokens": 1},
        {"max_tokens": 20},
        {"stop_sequences": ["ends with"]},
    )
    for think, tools, limit in product((*thinking, hidden), ([], [BASH]), limits):
        body = claude(**limit, **({"thinking": think} if think else {}), tools=tools)
        whole = await post(http, "/v1/messages", **body)
        raw = await http.post("/any/prefix/v1/messages?beta=true", json=body | {"stream": True})
        assert raw.headers["content-type"].startswith("text/event-stream")
        *blocks, end = check_grammar(events(raw.content))
        case = f"{think} {tools} {limit}"
        assert [_content(block) for block in blocks] == [
            _content(block) for block in whole["content"]
        ], case
        assert end["delta"]["stop_reason"] == whole["stop_reason"], case
        assert end["delta"]["stop_sequence"] == whole["stop_sequence"], case
        assert end["usage"]["output_tokens"] == whole["usage"]["output_tokens"], case
        assert whole["usage"]["output_tokens"] <= body["max_tokens"], case


async def test_the_usage_is_what_was_sent(http: httpx.AsyncClient) -> None:
    body = {"model": "gpt-x", "messages": HELLO}
    whole = await post(http, "/v1/chat/completions", **body)
    text = whole["choices"][0]["message"]["content"]
    assert whole["usage"]["completion_tokens"] == count(text)
    more = [{"role": "user", "content": "hello there, " + "word " * 500}]
    longer = await post(http, "/v1/chat/completions", **(body | {"messages": more}))
    grown = longer["usage"]["prompt_tokens"] - whole["usage"]["prompt_tokens"]
    assert 490 <= grown <= 510
    assert longer["choices"][0]["message"]["content"] != text
    again = await post(http, "/v1/chat/completions", **body)
    assert again["choices"] == whole["choices"]


async def test_claude_code_gets_a_tool_call_and_then_an_end(http: httpx.AsyncClient) -> None:
    """The shape of its requests: system messages after the user's words, server tools, deferred
    ones, reminders between the words."""
    said: list[Any] = [
        {
            "role": "user",
            "content": [
                {"type": "text", "text": "<system-reminder>\nnever mind\n</system-reminder>"},
                {"type": "text", "text": "say hello", "cache_control": {"type": "ephemeral"}},
            ],
        },
        {"role": "system", "content": "# Environment\nnothing to see"},
    ]
    tools = [
        {"name": "Later", "input_schema": SHELL, "defer_loading": True},
        {"type": "web_search_20250305", "name": "web_search"},
        {"name": "Read", "input_schema": {"type": "object", "required": ["file_path"]}},
        BASH,
    ]
    body = claude(messages=said, tools=tools, thinking={"type": "adaptive", "display": "omitted"})
    body |= {"stream": True, "output_config": {"effort": "high"}, "unknown": {"field": 1}}
    first = await http.post("/v1/messages?beta=true", json=body)
    thought, text, call, end = check_grammar(events(first.content))
    assert (thought["thinking"], text["type"]) == ("", "text")
    assert (call["name"], call["input"]) == ("Bash", {"command": COMMAND})
    assert end["delta"]["stop_reason"] == "tool_use"
    result = {"type": "tool_result", "tool_use_id": call["id"], "content": "hello from the shell"}
    said += [
        {"role": "assistant", "content": [{"type": "text", "text": "I will"}, call]},
        {"role": "user", "content": [result]},
        {"role": "system", "content": "another reminder"},
    ]
    second = await http.post("/v1/messages?beta=true", json=body)
    *_, text, end = check_grammar(events(second.content))
    assert "“hello from the shell”" in text["text"]
    assert end["delta"]["stop_reason"] == "end_turn"

    schema = {"type": "object", "properties": {"title": {"type": "string"}}, "required": ["title"]}
    form = {"format": {"type": "json_schema", "schema": schema}}
    named = await post(http, "/v1/messages", **claude(output_config=form))
    assert msgspec.json.decode(named["content"][0]["text"]) == {"title": "Simulated: hello there"}
    begun = [*HELLO, {"role": "assistant", "content": "{"}]
    topic = await post(http, "/v1/messages", **claude(messages=begun))
    assert msgspec.json.decode("{" + topic["content"][0]["text"])["isNewTopic"] is True


async def test_a_marked_prefix_is_written_once_and_then_read(http: httpx.AsyncClient) -> None:
    mark = {"type": "ephemeral", "ttl": "1h"}
    system = [{"type": "text", "text": "long ago " * 900, "cache_control": mark}]
    spent = []
    for words in ("one", "one two", "one two three"):
        said = [{"role": "user", "content": words}]
        body = claude(model="claude-cached", system=system, messages=said)
        spent.append((await post(http, "/v1/messages", **body))["usage"])
    written, read, again = spent
    assert written["cache_creation"]["ephemeral_1h_input_tokens"] >= 1800
    assert written["cache_creation_input_tokens"] == read["cache_read_input_tokens"]
    assert (read["cache_creation_input_tokens"], written["cache_read_input_tokens"]) == (0, 0)
    assert again["input_tokens"] == read["input_tokens"] + 1
    counted = await post(http, "/v1/messages/count_tokens", **body)
    assert counted["input_tokens"] == again["input_tokens"] + again["cache_read_input_tokens"]

    # OpenAI's way needs no mark.
    asked = [{"role": "system", "content": "so long " * 900}, *HELLO]
    usages = [
        (await post(http, "/v1/chat/completions", model="gpt-cached", messages=asked))["usage"]
        for _ in range(2)
    ]
    cached = [one["prompt_tokens_details"]["cached_tokens"] for one in usages]
    assert cached[0] == 0
    assert 1024 <= cached[1] <= usages[1]["prompt_tokens"]
    assert usages[0]["prompt_tokens"] == usages[1]["prompt_tokens"]


async def test_ollama(http: httpx.AsyncClient) -> None:
    body = {"model": "qwen2.5-coder", "messages": HELLO, "think": True}
    whole = await post(http, "/api/chat", **body, stream=False)
    raw = await http.post("/api/chat", json=body)
    assert raw.headers["content-type"] == "application/x-ndjson"
    *parts, last = [msgspec.json.decode(line) for line in raw.content.splitlines()]
    for field in ("content", "thinking"):
        joined = "".join(part["message"].get(field, "") for part in parts)
        assert joined == whole["message"][field] != ""
    assert {part["done"] for part in parts} == {False}
    for field in ("done", "done_reason", "eval_count", "prompt_eval_count"):
        assert last[field] == whole[field]
    assert (whole["done"], whole["done_reason"]) == (True, "stop")

    tool = {"type": "function", "function": {"name": "run_command", "parameters": SHELL}}
    called = await post(http, "/api/chat", **body, stream=False, tools=[tool])
    (call,) = called["message"]["tool_calls"]
    assert call["function"] == {"name": "run_command", "arguments": {"command": COMMAND}}
    result = {"role": "tool", "tool_name": "run_command", "content": "forty-two"}
    after = body | {"messages": [*HELLO, called["message"], result], "think": False}
    ended = await post(http, "/api/chat", **after, stream=False, tools=[tool])
    assert "“forty-two”" in ended["message"]["content"]

    short = {"model": "m", "prompt": "Once", "stream": False, "options": {"num_predict": 4}}
    made = await post(http, "/api/generate", **short)
    assert (made["done_reason"], made["eval_count"], count(made["response"])) == ("length", 4, 4)
    as_json = await post(http, "/api/generate", model="m", prompt="x", format="json", stream=False)
    assert msgspec.json.decode(as_json["response"])["simulated"] is True
    vectors = await post(http, "/api/embed", model="nomic-embed-text", input=["a", "b"])
    assert [len(vector) for vector in vectors["embeddings"]] == [768, 768]
    shown = await post(http, "/api/show", model="qwen2.5-coder")
    assert "tools" in shown["capabilities"]
    tags = (await http.get("/api/tags")).json()["models"]
    assert "qwen2.5-coder:latest" in [model["name"] for model in tags]
    loaded = (await http.get("/api/ps")).json()["models"]
    assert loaded[0]["context_length"] > 0
    assert (await http.get("/api/version")).json()["version"]


@pytest.mark.parametrize(
    ("path", "body", "status", "where", "words"),
    [
        ("/v1/messages", {"model": "m", "messages": HELLO}, 400, "error.type", "invalid_request"),
        ("/v1/messages", claude(messages=[]), 400, "error.message", "at least one"),
        ("/v1/messages", claude(max_tokens=0), 400, "error.message", "max_tokens"),
        ("/v1/messages", claude(model="simulate-401"), 401, "error.type", "authentication_error"),
        ("/v1/messages", claude(model="a/simulate-529"), 529, "error.type", "overloaded_error"),
        ("/v1/messages", claude(model="simulate-error"), 529, "error.type", "overloaded_error"),
        ("/v1/chat/completions", {"messages": HELLO}, 400, "error.param", "model"),
        ("/v1/chat/completions", {"model": "m", "messages": "x"}, 400, "error.param", "messages"),
        ("/v1/completions", {"model": "m"}, 400, "error.param", "prompt"),
        ("/v1/embeddings", {"model": "m", "input": [""]}, 400, "error.message", "input"),
        ("/api/chat", {"model": "simulate-503", "messages": HELLO}, 503, "error", "503"),
        ("/api/generate", {"model": "m"}, 400, "error", "prompt"),
        ("/v1/nothing", {}, 404, "error", "/v1/nothing"),
    ],
)
async def test_errors_are_in_the_words_of_their_dialect(
    http: httpx.AsyncClient, path: str, body: Any, status: int, where: str, words: str
) -> None:
    answer = await http.post(path, json=body)
    assert (answer.status_code, answer.headers["x-pointsman-simulated"]) == (status, "1")
    found = answer.json()
    for name in where.split("."):
        found = found[name]
    assert words in found


async def test_bodies_that_are_no_requests(http: httpx.AsyncClient) -> None:
    for raw in (b"", b"{", b"[]", b"\xff", b'{"model": 5, "messages": [7]}', b"null"):
        for path in ("/v1/messages", "/v1/chat/completions", "/api/chat", "/v1/embeddings"):
            answer = await http.post(path, content=raw)
            assert answer.status_code == 400, (path, raw)
    assert (await http.put("/v1/messages")).status_code == 405


async def test_drills_that_break_a_stream(http: httpx.AsyncClient) -> None:
    for path, body in (
        ("/v1/messages", claude(stream=True)),
        ("/v1/chat/completions", {"model": "", "messages": HELLO, "stream": True}),
        ("/api/chat", {"model": "", "messages": HELLO}),
    ):
        broken = await http.post(path, json=body | {"model": "simulate-error"})
        assert broken.status_code == 200
        assert b"Overloaded" in broken.content.splitlines()[-2 if b"\n\n" in broken.content else -1]
        with pytest.raises(httpx.RemoteProtocolError):
            await http.post(path, json=body | {"model": "simulate-cut"})


class Client:
    """One ASGI exchange, by hand: what the app sent so far, and a way to leave."""

    def __init__(self, pace: float, **body: Any) -> None:
        self.sent = 0
        self.wrote = asyncio.Event()
        self._events: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        raw = msgspec.json.encode({"messages": HELLO, "stream": True, **body})
        self._events.put_nowait({"type": "http.request", "body": raw})
        scope = {"type": "http", "method": "POST", "path": "/v1/chat/completions", "headers": []}
        app = Simulator(pace)
        self.task = asyncio.create_task(app(scope, self._events.get, self._send))

    def leave(self) -> None:
        self._events.put_nowait({"type": "http.disconnect"})

    async def _send(self, event: Any) -> None:
        if b"content" in event.get("body", b""):
            self.sent += 1
            self.wrote.set()


@pytest.mark.parametrize("model", ["simulate-stall", "simulate-slow", "gpt-x"])
async def test_an_answer_ends_with_its_client(model: str) -> None:
    client = Client(1.0, model=model)
    await client.wrote.wait()
    assert not client.task.done()
    client.leave()
    async with asyncio.timeout(5):
        await client.task


async def test_a_stream_is_paced_unless_told_otherwise() -> None:
    quick, slow = Client(0.0, model="gpt-x"), Client(1.0, model="gpt-x")
    await quick.task
    assert quick.sent > 20
    assert slow.sent <= 2  # nobody has waited for it
    slow.leave()
    await slow.task
    assert models.pace("llama3.2:latest", "x").rate < models.pace("claude-haiku-5-5", "x").rate


def test_it_ends_with_its_parent() -> None:
    """Also when the parent is killed: then nobody says good-bye."""
    parent = (
        "import socket, time\n"
        "from tests.router.simulator.simulators import start\n"
        "listener = socket.create_server(('127.0.0.1', 0))\n"
        "child = start(listener)\n"
        "print(listener.getsockname()[1], flush=True)\n"
        "time.sleep(600)\n"
    )
    process = subprocess.Popen([sys.executable, "-c", parent], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    with process.stdout as out:
        address = f"http://127.0.0.1:{int(out.readline())}/health"
        assert httpx.get(address, trust_env=False).status_code == 200
        process.kill()
        process.wait()
        # The simulator has its parent's stdout: this ends when the last of them has.
        assert out.read() == ""
    with pytest.raises(httpx.ConnectError):
        httpx.get(address, trust_env=False)


async def test_ctrl_c_is_left_to_the_parent() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        process = start(listener)
        address = f"http://127.0.0.1:{listener.getsockname()[1]}/health"
        async with httpx.AsyncClient(trust_env=False) as http:
            assert (await http.get(address)).status_code == 200
            process.send_signal(2)
            assert (await http.get(address)).status_code == 200
    assert process.stdin is not None
    process.stdin.close()
    assert await asyncio.to_thread(process.wait, 10) == 0


@pytest.mark.parametrize(
    ("tools", "name", "input"),
    [
        ({"now": {}}, "now", {}),
        ({"a": {"type": "object"}, "shell": SHELL}, "shell", {"command": COMMAND}),
        ({"shell": _shell("array")}, "shell", {"command": COMMAND.split()}),
        ({"exec_command": {**SHELL, "required": []}}, "exec_command", {"command": COMMAND}),
        ({"send_mail": {}, "get_weather": {}}, "get_weather", {}),
        ({"bash": _shell("date"), "b": {}}, "b", {}),  # cannot be filled: the next
        ({"bash": _shell("date")}, None, None),
    ],
)
async def test_which_tool_is_called(
    http: httpx.AsyncClient, tools: dict[str, Any], name: str | None, input: Any
) -> None:
    offers = [{"name": name, "input_schema": schema} for name, schema in tools.items()]
    made = await post(http, "/v1/messages", **claude(tools=offers))
    called = [block for block in made["content"] if block["type"] == "tool_use"]
    assert [(one["name"], one["input"]) for one in called] == ([(name, input)] if name else [])
    assert made["stop_reason"] == ("tool_use" if name else "end_turn")


def _content(block: dict[str, Any]) -> Any:
    """What must be the same, streamed or whole: all but ids and signatures."""
    kind = block["type"]
    return (kind, block.get("text"), block.get("thinking"), block.get("name"), block.get("input"))
