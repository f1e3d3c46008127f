"""The real LiteLLM and ours, asked the same over one upstream: who is asked with what, and what the
client is told, body and headers.

LiteLLM is found by LITELLM_PATH. Each difference must be one that `REASONS` explains; the cases are
others than those of test_litellm_original.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.fakes.upstream import Behaviour, FakeUpstream
from tests.harness import running
from tests.stories.beside import JSON, differences, explained, told
from tests.stories.test_litellm_original import PROGRAM, SETTINGS, litellm
from tests.stories.test_litellm_plane import FILTERED, TOML, TOO_LONG, chat, fails

pytestmark = [pytest.mark.real_client, pytest.mark.timeout(500)]

STATUSES = (
    *(400, 401, 402, 403, 404, 405, 408, 409, 413, 415, 422, 429),
    *(500, 501, 502, 503, 504, 529),
)
BEHAVIOURS: dict[str, Behaviour] = {
    **{f"e{status}": fails(status) for status in STATUSES},
    "ectx": fails(400, TOO_LONG, "context_length_exceeded"),
    "epol": fails(400, FILTERED, "content_policy_violation"),
    "html": Behaviour(status=502, body=b"<html>no</html>", headers={"content-type": "text/html"}),
    "empty": Behaviour(status=500, body=b""),
    "filtered": Behaviour(stop="content_filter"),
    "short": Behaviour(stop="max_tokens"),
    "tool": Behaviour(tool={"name": "get", "input": {"a": 1}}),
    "think": Behaviour(thinking="hmm"),
    "unbilled": Behaviour(usage=False),
    "cached": Behaviour(cached=7),
}
PLAIN = ("ok", "ok2", "ok3", *BEHAVIOURS)
#: groups beside those that are called as their model is: (name, litellm_params)
GROUPS: list[tuple[str, str]] = [
    ("claude", "model: anthropic/claude-x, api_base: '%(root)s', api_key: k2"),
    ("'a/*'", "model: 'openai/*', <<: *up"),
    ("'a/b/*'", "model: 'openai/deep-*', <<: *up"),
    ("'pre-*'", "model: 'openai/*', <<: *up"),
    ("loop1", "model: openai/e500, <<: *up"),
    ("loop2", "model: openai/e503, <<: *up"),
    ("c1", "model: openai/e500, <<: *up"),
    ("c2", "model: openai/ectx, <<: *up"),
    ("c3", "model: openai/ok3, <<: *up"),
    ("params", "model: openai/ok, <<: *up, temperature: 0.2, max_tokens: 33, seed: 4, stop: [X]"),
    ("extra", "model: openai/ok, <<: *up, extra_body: {top_k: 5}, extra_headers: {x-mine: abc}"),
    ("org", "model: openai/ok, <<: *up, organization: org-1"),
    ("patient", "model: openai/e429, <<: *up"),
    ("'with space'", "model: openai/ok, <<: *up"),
    ("UPPER", "model: openai/ok, <<: *up"),
    ("7b", "model: openai/ok2, <<: *up"),
    ("stubborn", "model: openai/e500, <<: *up, num_retries: 3"),
    ("local", "model: hosted_vllm/ok, api_base: '%(base)s', api_key: vk"),
    ("named", "model: own-name, custom_llm_provider: openai, <<: *up"),
]
ROUTER = """
router_settings:
  num_retries: 1
  disable_cooldowns: true
  model_group_retry_policy: {patient: {RateLimitErrorRetries: 3}}
  model_group_alias: {al: c3, "gpt-4": "a/ok2"}
  fallbacks: [{loop1: [loop2]}, {loop2: [loop1]}, {c1: [c2]}, {e402: [missing, ok]}, {e409: [a/zz]}]
  context_window_fallbacks: [{c2: [c3]}]
"""


def config(base: str) -> str:
    entry = "  - {model_name: %s, litellm_params: {%s}}\n"
    entries = [entry % (name, f"model: openai/{name}, <<: *up") for name in PLAIN]
    entries += [entry % pair for pair in GROUPS]
    known = {"base": base, "root": base.removesuffix("/v1")}
    anchor = f"up: &up {{api_base: '{base}', api_key: a-provider-key}}\nmodel_list:\n"
    return anchor + "".join(entries) % known + ROUTER


TOOL: JSON = {"name": "get", "parameters": {"type": "object", "properties": {"a": {}}}}
TOOLS: JSON = {"tools": [{"type": "function", "function": TOOL}]}
CHAT, MESSAGES, RESPONSES = "/v1/chat/completions", "/v1/messages", "/v1/responses"
TURN: list[JSON] = [
    {"role": "developer", "content": "d"},
    {"role": "user", "name": "bob", "content": [{"type": "text", "text": "x"}]},
    {
        "role": "assistant",
        "content": None,
        "tool_calls": [
            {"id": "c1", "type": "function", "function": {"name": "get", "arguments": "{}"}}
        ],
    },
    {"role": "tool", "tool_call_id": "c1", "content": "42"},
]
SYSTEMS = [{"role": role, "content": role} for role in ("system", "user", "system", "user")]


def message(model: str, **more: Any) -> JSON:
    return chat(model, max_tokens=50, **more)


#: case → path, body, headers
CASES: dict[str, tuple[str, JSON, dict[str, str]]] = {
    **{f"status {s}": (CHAT, chat(f"e{s}"), {}) for s in STATUSES},
    **{
        f"{name}{' stream' if streams else ''}": (CHAT, chat(name, stream=streams), {})
        for name in ("filtered", "short", "tool", "think", "unbilled", "cached")
        for streams in (False, True)
    },
    **{
        f"group {name}": (CHAT, chat(name), {})
        for name in (
            *("html", "empty", "ectx", "epol", "a/xyz", "a/b/c", "pre-ok", "a/e503", "loop1"),
            *("loop2", "c1", "al", "gpt-4", "params", "extra", "org", "patient", "with space"),
            *("upper", "7b", "stubborn", "local", "named", "openai/cached", "nobody/x", "zzz"),
        )
    },
    "beaten": (CHAT, chat("params", temperature=0, max_tokens=1, stop="Y"), {}),
    "stream usage": (CHAT, chat("ok", stream=True, stream_options={"include_usage": True}), {}),
    "two": (CHAT, chat("ok", n=2), {}),
    "own field": (CHAT, chat("ok", my_field={"a": 1}), {}),
    "schema": (CHAT, chat("ok", response_format={"type": "json_object"}, seed=3), {}),
    "logprobs": (CHAT, chat("ok", logprobs=True, top_logprobs=2, logit_bias={"1": -100}), {}),
    "tools": (CHAT, chat("tool", **TOOLS, tool_choice="required", parallel_tool_calls=False), {}),
    "turn": (CHAT, {"model": "ok", "messages": TURN}, {}),
    "claude": (CHAT, chat("claude", max_tokens=20, stop=["a"], temperature=0.5), {}),
    "claude stream": (CHAT, chat("claude", max_tokens=20, stream=True), {}),
    "claude tools": (CHAT, chat("claude", **TOOLS, tool_choice="required", max_tokens=20), {}),
    "claude unbounded": (CHAT, chat("claude"), {}),
    "claude systems": (CHAT, {"model": "claude", "messages": SYSTEMS, "max_tokens": 9}, {}),
    "fallbacks none": (CHAT, chat("e500", fallbacks=[]), {}),
    "fallbacks dict": (CHAT, chat("e500", fallbacks=[{"e500": ["ok3"]}]), {}),
    "retries none": (CHAT, chat("stubborn", num_retries=0), {}),
    "retries by header": (CHAT, chat("e500"), {"x-litellm-num-retries": "2"}),
    "messages": (MESSAGES, message("claude", system="s", metadata={"user_id": "u"}), {}),
    "messages stream": (MESSAGES, message("claude", stream=True), {}),
    "messages zzz": (MESSAGES, message("zzz"), {}),
    **{f"messages {s}": (MESSAGES, message(f"e{s}"), {}) for s in (400, 429, 500, 503)},
    **{
        f"responses {s}": (RESPONSES, {"model": f"e{s}", "input": "x"}, {})
        for s in (400, 404, 429, 500)
    },
    "engines": ("/engines/ok2/chat/completions", chat("ok"), {}),
    "azure": ("/openai/deployments/ok3/chat/completions?api-version=1", chat("ok"), {}),
    "embeddings": ("/v1/embeddings", {"model": "ok", "input": ["x", "y"], "dimensions": 3}, {}),
    "embeddings zzz": ("/v1/embeddings", {"model": "zzz", "input": "x"}, {}),
    "no model": (CHAT, {"messages": [{"role": "user", "content": "x"}]}, {}),
    "no messages": (CHAT, {"model": "ok"}, {}),
    "no key": (CHAT, chat("ok"), {"authorization": ""}),
    "wrong key": (CHAT, chat("ok"), {"authorization": "Bearer sk-zz"}),
    "key elsewhere": (CHAT, chat("ok"), {"authorization": "", "x-api-key": "sk-master"}),
}
#: headers of LiteLLM's that are compared; figures of its own time are another each time
HEADERS = (
    *("model-group", "model-name", "model-api-base", "attempted-retries", "attempted-fallbacks"),
    *("response-cost",),
)
PRESENT = ("call-id", "version", "model-id", "response-duration-ms", "overhead-duration-ms")
#: where LiteLLM's words of 1.80 and of today end with how it routed, each in its own way
ROUTED = re.compile(
    r"\. Received Model Group=|\n\nLiteLLM: |\n\nDeployment Info| LiteLLM Retried: "
)
#: where (a case and a path) → why ours is another on purpose
REASONS: dict[str, str] = {
    # what goes up
    r" up \.body\.stream$": "false goes without saying, or as it was said",
    r"^(messages|responses) \d+ up ": "asked by chat; by Responses where the file says so",
    r"^status 403 up ": "a refused key is not asked with again",
    r"^turn up \.body\.messages\[0\]\.role$": "a developer's words stay a developer's",
    r"^claude tools up .*\.type$": "custom goes without saying",
    r"^claude unbounded up \.body\.max_tokens$": "a bound is made up there as well",
    r"^claude systems up ": "a later system message is one too, not a user's words",
    r"^embeddings (up|down) ": "its map says that no model takes `dimensions` under this name",
    # an answer
    r"\.provider_specific_fields$": "empty: an answer goes on as it came",
    r"^(status (402|409)|group c1|fallbacks dict) down \.body\.model$": "the name asked for",
    r"^(engines|azure) down \.body\.model$": "the path's name is the one that is asked",
    r"^claude.* down \.body\.usage\..*(cache_|text_tokens)": "zeros and sums that say nothing",
    r"^(claude systems|group local) down \.body\.usage\.": "the provider's figures",
    r"^messages down \.body\.usage\.input_tokens$": "the same",
    r"^unbilled down \.body\.usage$": "what is not known is no zero",
    r"^stream usage down \.body\.usage\.completion_tokens_details$": "not said by its provider",
    r"^group (al|gpt-4) down \.head\.model-group$": "the group, not its alias",
    r"^group c1 down \.head\.attempted-fallbacks$": "each of the two counts",
    r"^messages down \.head\.model-api-base$": "known as for any other",
    r"^group local down \.head\.response-cost$": "a server of one's own costs nothing",
    # a failure
    r"^status (401|403) down ": "E02: a provider's key is not the client's",
    r"^status 529 down ": "OpenAI's API has no 529",
    r"^(status (400|422)|group epol) down \.body\.error\.type$": "a type that clients know",
    r"^status (408|504) down \.body\.error\.type$": "a deadline is called one",
    r"^group ectx down \.body\.error\.code$": "clients compact on this code",
    r"^group epol down \.body\.error\.message$": "a refusal by its words, too",
    r"^no messages down \.body\.error\.message$": "without a path before it",
    r"^group (html|empty) down \.body\.error\.message$": "what happened, not a page",
    r"^(messages|responses) \d+ down \.body\.error\.message$": "the provider's words, not its JSON",
    r"(upper|nobody/x|zzz|no model) down \.body\.error\.(param|message)$": "in the words of 1.80",
    r"^no key down \.body\.error\.param$": "no text that says None",
    r"^wrong key down ": "as LiteLLM with its database",
}

Exchange = tuple[list[JSON], JSON]


async def asked(base: str, upstream: FakeUpstream) -> dict[str, Exchange]:
    """Case → what went up; status, body and headers of the answer."""
    made: dict[str, Exchange] = {}
    upstream.script = lambda seen: BEHAVIOURS.get(seen.model)
    async with httpx.AsyncClient(base_url=base, timeout=60) as http:
        for name, (path, body, more) in CASES.items():
            before = len(upstream.requests)
            said = {"authorization": "Bearer sk-master"} | more
            answer = await http.post(
                path, json=body, headers={key: value for key, value in said.items() if value}
            )
            sent = [
                {"path": seen.path, "body": seen.json}
                | {key: seen.headers.get(key) for key in ("authorization", "x-api-key", "x-mine")}
                for seen in upstream.requests[before:]
                if seen.method == "POST"
            ]
            heads = {one: answer.headers.get(f"x-litellm-{one}") for one in HEADERS}
            heads |= {one: f"x-litellm-{one}" in answer.headers for one in PRESENT}
            got = {"status": answer.status_code, "body": told(answer), "head": heads}
            made[name] = sent, got
    return made


def between(ours: dict[str, Exchange], theirs: dict[str, Exchange]) -> Iterator[str]:
    """`case up .path: …` of what went to the provider, `case down .path: …` of the answer."""
    for name, (sent, got) in ours.items():
        for found in differences(sent, theirs[name][0]):
            yield f"{name} up {re.sub(r'^.[0-9]+.', '', found)}"
        for found in differences(_comparable(got), _comparable(theirs[name][1])):
            yield f"{name} down {found}"


def _comparable(got: JSON) -> JSON:
    """LiteLLM tells little of a route that failed, and the way in words of each version."""
    body = got["body"]
    if got["status"] == 200 and "error" not in body:
        return got
    message = ROUTED.split(body["error"]["message"])[0]
    return {"status": got["status"], "body": {"error": body["error"] | {"message": message}}}


@pytest.mark.skipif(not PROGRAM, reason="LITELLM_PATH names no litellm")
async def test_what_goes_up_and_comes_down_is_litellms(
    tmp_path: Path, upstream: FakeUpstream
) -> None:
    (tmp_path / "theirs").mkdir()
    text = config(upstream.base) + SETTINGS
    with litellm(tmp_path / "theirs", text) as base:
        theirs = await asked(base, upstream)
    home = tmp_path / "ours"
    home.mkdir()
    (home / "litellm-config.yaml").write_text(text)
    (home / "pointsman.toml").write_text(TOML)
    with running(home) as router:
        ours = await asked(router.litellm, upstream)
    explained(between(ours, theirs), REASONS)
