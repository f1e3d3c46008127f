"""The real CCR 2.0.0 and ours before providers of other formats: Anthropic's own, Gemini's and
OpenAI's Responses, as `test_ccr_beside` does it for chat.

What goes up and what comes down are compared field by field; `BETTER` has the reason of each
difference.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.fakes.upstream import Behaviour, FakeUpstream, Seen
from tests.stories.beside import JSON, explained
from tests.stories.test_ccr_beside import ANSWERS, REQUESTS, STREAMED, Exchange, between, said
from tests.stories.test_ccr_original import cli

pytestmark = [pytest.mark.real_client, pytest.mark.timeout(300)]
__all__ = ["cli"]

#: provider → where it is below the fake, its transformer, its model: one that thinks
SPECS: dict[str, tuple[str, list[Any], str]] = {
    "anthropic": ("v1/messages", ["Anthropic"], "claude-opus-4-5"),
    "gemini": ("v1beta/models/", ["gemini"], "gemini-2.5-flash"),
    "responses": ("v1/responses", ["openai-responses"], "gpt-5"),
}
KEYS = ("authorization", "x-api-key", "x-goog-api-key")
#: an answer's end in `ANSWERS` → Gemini's word for it
GEMINI_STOPS = {"max_tokens": "MAX_TOKENS", "content_filter": "SAFETY"}

#: where (a case and a path) → why ours is another on purpose
BETTER: dict[str, str] = {
    # Gemini
    r"^gemini/.* up .*\.(maxOutputTokens|stopSequences|temperature|topP)$": "1.6.3: CCR drops them",
    r"^gemini/(system|blocks) up \.body\.(contents|systemInstruction)$": "CCR: a user's turn",
    r"^gemini/turns up .*contents\[3\]\.parts$": "texts that were apart stay apart",
    r"^gemini/.* up .*\.parameters(JsonSchema)?$": "the field that every Gemini knows",
    r"^gemini/.* up .*\.functionCallingConfig\.mode$": "an enum of Google's is in capitals; 1.6.4",
    r"^gemini/.* up .*\.thinkingConfig": "CCR asks for thoughts also where thinking is off",
    r"^gemini/.* up .*\.inlineData\.mime": "Google's own spelling",
    r"^gemini/result up .*\.(id|thoughtSignature|output|result)$": "Gemini 3 wants a signature",
    r"^gemini/(parts|failed|seen) up \.body\.contents": "1.6.1: results keep parts, images, errors",
    r"^gemini/answer (call|exit)( stream)? down \.content": "a signature goes before its own call",
    r"^gemini/answer .* down \.stop_reason$": "1.6.7 and 1.6.10: a stop is told as what it was",
    r"^gemini/answer thinking": "1.6.6: thinking is told, and with no made-up seal",
    # Responses
    r"^responses/.* up .*\.(max_output_tokens|temperature|top_p)$": "1.6.3: CCR drops them",
    r"^responses/.* up \.body\.(parallel_tool_calls|store|include)$": "thoughts come sealed",
    r"^responses/.* up \.body\.stream$": "false goes without saying",
    r"^responses/.* up .*\.content(\[1\]\.detail)?$": "the same in other words",
    r"^responses/.* up .*\.instructions$": "the system prompt's own place",
    r"^responses/blocks up \.body\.input$": "and that of all its blocks",
    r"^responses/.* up .*\.(\$schema|strict)$": "a schema that OpenAI takes as it is",
    r"^responses/(any|one) up \.body\.tool_choice": "1.6.4: any is required; one by its name",
    r"^responses/(parts|seen|failed|result) up \.body\.input": "1.6.1: results keep what they have",
    r"^responses/.* up \.body\.reasoning": "effort by the budget; CCR thinks also where it is off",
    r"^responses/[^/]*(?<! stream) down ": "CCR finds a web search in every whole answer",
    r"^responses/answer thinking stream down .*\.signature$": "the seal itself, not an item's id",
    r"^responses/answer cut short stream down \.stop_reason$": "1.6.10: a stop is told as it was",
    # both
    r"/search up \.body\.tools": "a search of Anthropic's servers is no function of another model",
}


def _gemini(seen: Seen, wanted: Behaviour) -> Behaviour:
    """The answer in Gemini's format: the fake has none of its own."""
    parts: list[JSON] = []
    if wanted.thinking:
        parts.append({"text": wanted.thinking, "thought": True})
    parts += [{"text": "".join(wanted.words)}] if wanted.words else []
    if wanted.tool:
        call = {"name": wanted.tool["name"], "args": wanted.tool["input"]}
        parts.append({"functionCall": call, "thoughtSignature": "c2lnbmVk"})
    candidate = {
        "content": {"role": "model", "parts": parts},
        "finishReason": GEMINI_STOPS.get(wanted.stop, "STOP"),
        "index": 0,
    }
    counted = {"promptTokenCount": 5, "candidatesTokenCount": 2, "totalTokenCount": 7}
    body = json.dumps({"candidates": [candidate], "usageMetadata": counted, "modelVersion": "m"})
    streams = "stream" in seen.path
    return Behaviour(
        body=f"data: {body}\n\n".encode() if streams else body.encode(),
        headers={"content-type": "text/event-stream" if streams else "application/json"},
    )


async def _asked(base: str, upstream: FakeUpstream) -> dict[str, Exchange]:
    made: dict[str, Exchange] = {}
    wanted = Behaviour()

    def script(seen: Seen) -> Behaviour:
        return _gemini(seen, wanted) if seen.path.startswith("/gemini/") else wanted

    upstream.script = script
    async with httpx.AsyncClient(base_url=base, timeout=30, headers={"x-api-key": "k"}) as http:
        for spec, (_, _, model) in SPECS.items():
            cases = {
                name + (" stream" if streams else ""): (body | {"stream": streams}, Behaviour())
                for name, body in REQUESTS.items()
                for streams in (False, True)[: 2 if name in STREAMED else 1]
            }
            for name, answer in ANSWERS.items():
                for streams in (False, True):
                    case = f"answer {name}" + (" stream" if streams else "")
                    cases[case] = REQUESTS["tools"] | {"stream": streams}, answer
            for name, (body, answer) in cases.items():
                wanted = answer
                before = len(upstream.requests)
                got = await http.post("/v1/messages", json={"model": f"{spec},{model}", **body})
                sent = [
                    {"path": seen.path, "body": seen.json}
                    | {key: seen.headers.get(key) for key in KEYS}
                    for seen in upstream.requests[before:]
                ]
                made[f"{spec}/{name}"] = sent, said(got)
    return made


async def test_every_format_does_what_ccrs_does(
    cli: Path, tmp_path: Path, upstream: FakeUpstream
) -> None:
    providers: list[JSON] = [
        {
            "name": name,
            "api_base_url": upstream.url(f"/{name}/{path}"),
            "api_key": f"sk-{name}",
            "models": [model],
            "transformer": {"use": use},
        }
        for name, (path, use, model) in SPECS.items()
    ]
    explained(await between(cli, tmp_path, upstream, providers, _asked), BETTER)
