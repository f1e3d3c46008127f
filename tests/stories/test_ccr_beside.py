"""The real CCR 2.0.0 and ours, asked the same over one upstream: every transformer with options and
for single models, against requests and answers of every shape.

What goes up and what comes down are compared field by field. Each difference must be one that
`BETTER` explains: there CCR is wrong (the numbers are those of reference/ccr.md, 1.6), or says the
same thing in other words.
"""

from __future__ import annotations

import json
import re
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.fakes.upstream import Behaviour, FakeUpstream
from tests.harness import free_ports, running
from tests.router.rules.cases import IMAGE, SEARCH
from tests.stories.beside import JSON, differences, explained, told
from tests.stories.test_ccr_original import cli, original

pytestmark = [pytest.mark.real_client, pytest.mark.timeout(300)]
__all__ = ["cli"]


def _uses(*names: Any, **models: list[Any]) -> JSON:
    return {"use": list(names), **{model: {"use": use} for model, use in models.items()}}


#: provider → its transformer block
SPECS: dict[str, JSON | None] = {
    "bare": None,
    "deepseek": _uses("deepseek"),
    "openrouter": _uses("openrouter"),
    "pinned": _uses(["openrouter", {"provider": {"only": ["x"]}, "temperature": 0.1}]),
    "groq": _uses("groq"),
    "cerebras": _uses("cerebras"),
    "vercel": _uses(["vercel", {"providerOptions": {"gateway": {"order": ["a"]}}}]),
    "tooluse": _uses("tooluse"),
    "single": _uses("deepseek", m1=["tooluse"], m2=[["maxtoken", {"max_tokens": 77}]]),
    "enhance": _uses("enhancetool"),
    "capped": _uses(["maxtoken", {"max_tokens": 50}]),
    "renamed": _uses("maxcompletiontokens"),
    "sampled": _uses(
        ["sampling", {"max_tokens": 60, "temperature": 0.5, "top_p": 0.4, "top_k": 7}]
    ),
    "reason": _uses("reasoning"),
    "mute": _uses(["reasoning", {"enable": False}]),
    "forced": _uses("forcereasoning"),
    "clean": _uses("cleancache"),
    "counted": _uses("streamoptions"),
    "own": _uses(["customparams", {"temperature": 0.9, "extra": {"a": [1, {"b": 2}]}}]),
    "many": _uses(["maxtoken", {"max_tokens": 500}], "enhancetool", "streamoptions", "cleancache"),
}
MARK: JSON = {"cache_control": {"type": "ephemeral"}}
READ: JSON = {
    "name": "Read",
    "description": "reads",
    "input_schema": {"type": "object", "properties": {"p": {"type": "string"}}, "$schema": "x"},
}
CALL: JSON = {"type": "tool_use", "id": "toolu_1", "name": "Read", "input": {"p": "a"}}


def _result(content: Any, **more: Any) -> JSON:
    return {"type": "tool_result", "tool_use_id": "toolu_1", "content": content, **more}


def _text(text: str, **more: Any) -> JSON:
    return {"type": "text", "text": text, **more}


def _turns(*contents: Any, **more: Any) -> JSON:
    roles = ("user", "assistant")
    turns = [{"role": roles[i % 2], "content": each} for i, each in enumerate(contents)]
    return {"messages": turns, "max_tokens": 100, **more}


def _thinks(budget: int) -> JSON:
    thinking = {"type": "enabled", "budget_tokens": budget}
    return _turns("hi", thinking=thinking, max_tokens=budget + 9000)


REQUESTS: dict[str, JSON] = {
    "plain": _turns("hi"),
    "system": _turns("hi", system="be"),
    "blocks": _turns([_text("hi", **MARK)], system=[_text("one"), _text("two", **MARK)]),
    "params": _turns("hi", temperature=0.7, top_p=0.9, stop_sequences=["X"]),
    "turns": _turns("a", "b", [_text("c"), _text("d")], [_text("e"), _text("f")], "g"),
    "tools": _turns("hi", tools=[READ]),
    "auto": _turns("hi", tools=[READ], tool_choice={"type": "auto"}),
    "any": _turns("hi", tools=[READ], tool_choice={"type": "any"}),
    "one": _turns("hi", tools=[READ], tool_choice={"type": "tool", "name": "Read"}),
    "none": _turns("hi", tools=[READ], tool_choice={"type": "none"}),
    "result": _turns("hi", [_text("ok"), CALL], [_result("done")], tools=[READ]),
    "parts": _turns("hi", [CALL], [_result([_text("x"), _text("y")])], tools=[READ]),
    "failed": _turns("hi", [CALL], [_result("no", is_error=True), _text("so")], tools=[READ]),
    "image": _turns([_text("what"), IMAGE]),
    "seen": _turns("hi", [CALL], [_result([_text("see"), IMAGE])], tools=[READ]),
    "think low": _thinks(500),
    "think": _thinks(5000),
    "think high": _thinks(20_000),
    "think off": _turns("hi", thinking={"type": "disabled"}),
    "search": _turns("hi", tools=[SEARCH, READ]),
    "long answer": _turns("hi", max_tokens=64_000),
}
EXIT = {"name": "ExitTool", "input": {"response": "all done"}}
ANSWERS: dict[str, Behaviour] = {
    "text": Behaviour(),
    "thinking": Behaviour(thinking="let me"),
    "call": Behaviour(tool={"name": "Read", "input": {"p": "b"}}),
    "exit": Behaviour(words=(), tool=EXIT),
    "cut short": Behaviour(stop="max_tokens"),
    "filtered": Behaviour(stop="content_filter"),
    "tags": Behaviour(words=("<reasoning_content>", "deep", "</reasoning_content>", "an", "swer")),
}
STREAMED = ("plain", "tools", "think")

#: where (a case and a path) → why ours is another on purpose
BETTER: dict[str, str] = {
    r" up \.(stop|top_p|top_k)$": "1.6.3: CCR drops them",
    r" up \.stream_options": "ours always asks what a stream cost",
    r" up .*\.(cache_control|media_type)$": "a mark or a note that only Claude's servers know",
    r" up \.tool_choice$": "1.6.4: any is required; a choice of the client's is kept",
    r"/(parts|seen|failed) ": "1.6.1: results keep their parts, images and errors",
    r" up \.(reasoning|reasoning_effort|thinking|enable_thinking)": "each server's own field",
    r"/search ": "a search of Anthropic's servers is no function of another model",
    r"/image .*image_url": "CCR writes the data's prefix twice",
    r"^(groq|cerebras)/.* up \.(max_tokens|max_completion_tokens|disable_reasoning)$": "its name",
    r"^(tooluse|single|forced)/.* up \.messages": "our own words, in the system prompt",
    r"^(tooluse|single)/.* up \.tools.*description$": "our own words",
    r"/answer tags": "thinking in tags is thinking, whoever asked for it",
    r"^own/.* up \.temperature$": "CCR holds an absent temperature for one that is said",
    r"^(deepseek|single)/.*reasoning_content": "DeepSeek wants its own thoughts",
    r"/answer thinking": "1.6.6: thinking is told, and with no made-up seal",
    r" down \.stop_reason$": "1.6.7 and 1.6.10: a stop is told as what it was",
    r"^forced/.* stream down ": "CCR's own drops a stream without its tags",
    r"^groq/.* down .*\.id$": "CCR makes up ids",
    r"^tooluse/.* exit down \.stop_reason": "an answer in words ends the turn",
}


def _content(content: Any) -> Any:
    """A text is the same as its parts."""
    if isinstance(content, list) and all(part.get("type") == "text" for part in content):
        return re.sub(r"\n+", "\n", "\n".join(part["text"] for part in content))
    return re.sub(r"\n+", "\n", content) if isinstance(content, str) else content or ""


def _plain(body: JSON) -> JSON:
    """Without what says the same in other words."""
    plain = {name: value for name, value in body.items() if name != "stream" or value}
    plain["messages"] = [
        {**message, "content": _content(message.get("content"))} for message in body["messages"]
    ]
    text = json.dumps(plain).replace('"$schema": "x"', '"type": "object"')
    return json.loads(text)  # type: ignore[no-any-return]


Exchange = tuple[list[JSON], JSON]


def said(answer: httpx.Response) -> JSON:
    """What Claude Code acts on: an answer less its model and figures."""
    body = told(answer)
    return {name: body.get(name) for name in ("content", "stop_reason", "error")}


async def _asked(base: str, upstream: FakeUpstream) -> dict[str, Exchange]:
    made: dict[str, Exchange] = {}
    async with httpx.AsyncClient(base_url=base, timeout=30, headers={"x-api-key": "k"}) as http:

        async def ask(name: str, model: str, body: JSON, answer: Behaviour) -> None:
            upstream.default = answer
            before = len(upstream.requests)
            got = await http.post("/v1/messages", json={"model": model, **body})
            sent = [
                {"path": seen.path, "key": seen.headers["authorization"], **_plain(seen.json)}
                for seen in upstream.requests[before:]
            ]
            made[name] = sent, said(got)

        for spec in SPECS:
            for name, body in REQUESTS.items():
                for streams in (False, True)[: 2 if name in STREAMED else 1]:
                    case = f"{spec}/{name}" + (" stream" if streams else "")
                    await ask(case, f"{spec},m1", {**body, "stream": streams}, Behaviour())
            await ask(f"{spec}/m2", f"{spec},m2", REQUESTS["long answer"], Behaviour())
            for name, answer in ANSWERS.items():
                for streams in (False, True):
                    body = {**REQUESTS["tools"], "stream": streams}
                    case = f"{spec}/answer {name}" + (" stream" if streams else "")
                    await ask(case, f"{spec},m1", body, answer)
    return made


def _written(home: Path, providers: list[JSON], port: int) -> None:
    config = {"APIKEY": "k", "PORT": port, "LOG": False, "Providers": providers}
    first = providers[0]
    config["Router"] = {"default": f"{first['name']},{first['models'][0]}"}
    folder = home / ".claude-code-router"
    folder.mkdir(parents=True)
    (folder / "config.json").write_text(json.dumps(config))


Asks = Callable[[str, FakeUpstream], Awaitable[dict[str, Exchange]]]


async def between(
    cli: Path, folder: Path, upstream: FakeUpstream, providers: list[JSON], asks: Asks
) -> list[str]:
    """CCR and ours with these providers, asked the same: `case up .path: …` of what went to the
    provider, `case down .path: …` of the answer."""
    (port,) = free_ports(1)
    _written(folder / "theirs", providers, port)
    with original(cli, folder / "theirs", port) as base:
        theirs = await asks(base, upstream)
    _written(folder / "ours", providers, 0)
    (folder / "ours" / "pointsman.toml").write_text("[retry]\nretries = 0\ncooldown = 0\n")
    with running(folder / "ours") as router:
        ours = await asks(router.ccr, upstream)
    found: list[str] = []
    for name, (sent, got) in ours.items():
        found += [f"{name} up {one}" for one in differences(sent, theirs[name][0])]
        found += [f"{name} down {one}" for one in differences(got, theirs[name][1])]
    return [re.sub(r" (up|down) \[0\]", r" \1 ", one) for one in found]


async def test_every_transformer_does_what_ccrs_does(
    cli: Path,
    tmp_path: Path,
    upstream: FakeUpstream,
) -> None:
    providers = [
        {
            "name": name,
            "api_base_url": upstream.url(f"/{name}/v1/chat/completions"),
            "api_key": f"sk-{name}",
            "models": ["m1", "m2"],
            **({"transformer": spec} if spec else {}),
        }
        for name, spec in SPECS.items()
    ]
    explained(await between(cli, tmp_path, upstream, providers, _asked), BETTER)
