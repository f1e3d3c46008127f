"""The LiteLLM plane end to end: who is asked, how often and in which order.

The expectations are what LiteLLM 1.106.2 did with the same file and the same requests, but where a
case says what we do better.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any, Literal

import httpx
import msgspec
import pytest

from router.catalogue import listed_models
from router.doors.litellm.errors import formats
from router.errors import CallerError
from router.providers import KINDS
from router.service import Router
from router.settings import LiteLLMVersion
from storage.home import Home
from tests.fakes.upstream import Behaviour, FakeUpstream
from tests.router import inside
from tests.router.formats.grammar import check_openai

CHAT = "/litellm/v1/chat/completions"
JSON = {"content-type": "application/json"}


def fails(status: int, message: str = "", code: str | None = None, **headers: str) -> Behaviour:
    error = {"message": message or f"scripted {status}", "type": "x", "param": None, "code": code}
    body = msgspec.json.encode({"error": error})
    return Behaviour(status=status, body=body, headers={**JSON, **headers})


TOO_LONG = "This model's maximum context length is 4096 tokens. However, you have 5000 tokens."
FILTERED = "The response was filtered due to Azure OpenAI's content management policy."
BEHAVIOURS = {
    **{f"e{status}": fails(status) for status in (400, 401, 403, 404, 408, 422, 429, 500, 503)},
    "ectx": fails(400, TOO_LONG, "context_length_exceeded"),
    "epol": fails(400, FILTERED, "content_policy_violation"),
}
CONFIG = """
model_list:
%s
  - {model_name: ord, litellm_params: {model: openai/e500, <<: *up, order: 1}}
  - {model_name: ord, litellm_params: {model: openai/ok, <<: *up, order: 2}}
  - {model_name: pair, litellm_params: {model: openai/e429, <<: *up}}
  - {model_name: pair, litellm_params: {model: openai/ok, <<: *up}}
  - {model_name: tagged, litellm_params: {model: openai/ok, <<: *up, tags: [free]}}
  - {model_name: tagged, litellm_params: {model: openai/ok2, <<: *up, tags: [paid]}}
  - {model_name: tagged, litellm_params: {model: openai/ok3, <<: *up, tags: [default]}}
  - {model_name: strict, litellm_params: {model: openai/ok, <<: *up, tags: [free]}}
  - {model_name: w, litellm_params: {model: openai/ok, <<: *up, weight: 9}}
  - {model_name: w, litellm_params: {model: openai/ok2, <<: *up}}
  - model_name: once
    litellm_params: {model: openai/e500, <<: *up, num_retries: 0}
    model_info: {id: the-id-of-once}
  - {model_name: drop, litellm_params: {model: openai/ok, <<: *up, additional_drop_params: [seed]}}
  - {model_name: "wild/*", litellm_params: {model: "openai/*", <<: *up}}
  - {model_name: "fixed/*", litellm_params: {model: openai/ok, <<: *up}}
  - {model_name: defaults, litellm_params: {model: openai/ok, <<: *up, temperature: 0.3}}
  - {model_name: mock, litellm_params: {model: openai/ok, <<: *up, mock_response: a mock}}
  - {model_name: mockerr, litellm_params: {model: openai/ok, mock_response: litellm.RateLimitError}}
router_settings:
  num_retries: 1
  disable_cooldowns: true
  enable_tag_filtering: true
  retry_policy: {TimeoutErrorRetries: 2, NotFoundErrorRetries: 1}
  model_group_alias: {alias: ok, hid: {model: ok, hidden: true}, gone: nowhere}
  fallbacks:
    [{fb500: [ok]}, {fb400: [ok]}, {chain: [chain2]}, {chain2: [ok]}, {bad: [bad2]},
     {wild/e500: [ok]}]
  context_window_fallbacks: [{ctx: [okbig]}]
  content_policy_fallbacks: [{pol: [ok2]}]
"""
GROUPS = {
    **{name: name for name in ("ok", "ok2", "ok3", "okbig", *BEHAVIOURS)},
    **{"fb500": "e500", "fb400": "e400", "chain": "e500", "chain2": "e503"},
    **{"ctx": "ectx", "pol": "epol", "bad": "e500", "bad2": "e429"},
}
TOML = '[litellm]\nmode = "embedded"\n[ccr]\nmode = "embedded"\n[retry]\nbackoff = 0.001\n'


def chat(model: str, **more: Any) -> dict[str, Any]:
    return {"model": model, "messages": [{"role": "user", "content": "hi"}], **more}


@pytest.fixture
async def plane(
    test_home: Home, upstream: FakeUpstream
) -> AsyncIterator[tuple[Router, httpx.AsyncClient]]:
    entries = "".join(
        f"  - {{model_name: {name}, litellm_params: {{model: openai/{model}, <<: *up}}}}\n"
        for name, model in GROUPS.items()
    )
    anchor = f"up: &up {{api_base: '{upstream.base}', api_key: a-provider-key}}\n"
    test_home.config.mkdir(parents=True, exist_ok=True)
    test_home.litellm_yaml.write_text(anchor + CONFIG % entries)
    test_home.toml.write_text(TOML)
    upstream.script = lambda seen: BEHAVIOURS.get(seen.model)
    async with inside.served(test_home) as (router, front):
        router.chance = lambda: 0.0
        async with httpx.AsyncClient(base_url=front, timeout=10) as http:
            yield router, http


#: body, headers, status, who was asked in this order
CASES: list[tuple[dict[str, Any], dict[str, str], int, list[str]]] = [
    # retries by the class of the error, and the answer's status
    (chat("ok"), {}, 200, ["ok"]),
    (chat("e400"), {}, 400, ["e400"]),
    (chat("e422"), {}, 422, ["e422"]),
    (chat("e401"), {}, 502, ["e401"]),  # a provider's key is not the client's: E02
    (chat("e404"), {}, 404, ["e404"] * 2),  # by retry_policy
    (chat("e408"), {}, 408, ["e408"] * 2),  # …but no third deadline is waited for
    (chat("e429"), {}, 429, ["e429"] * 2),
    (chat("e500"), {}, 500, ["e500"] * 2),
    (chat("e503"), {}, 503, ["e503"] * 2),
    (chat("ectx"), {}, 400, ["ectx"]),
    (chat("once"), {}, 500, ["e500"]),
    (chat("e500", num_retries=2), {}, 500, ["e500"] * 3),
    (chat("e500", num_retries=0), {}, 500, ["e500"]),
    (chat("e500"), {"x-litellm-num-retries": "3"}, 500, ["e500"] * 4),
    # another of the group, then other groups; LiteLLM may draw the failed one again
    (chat("pair"), {}, 200, ["e429", "ok"]),
    (chat("ord"), {}, 200, ["e500", "e500", "ok"]),
    (chat("fb500"), {}, 200, ["e500", "e500", "ok"]),
    (chat("fb400"), {}, 200, ["e400", "ok"]),
    (chat("chain"), {}, 200, ["e500", "e500", "e503", "e503", "ok"]),
    (chat("bad"), {}, 500, ["e500", "e500", "e429", "e429"]),
    (chat("ctx"), {}, 200, ["ectx", "okbig"]),
    (chat("pol"), {}, 200, ["epol", "ok2"]),
    (chat("wild/e500"), {}, 200, ["e500", "e500", "ok"]),
    (chat("wild/new"), {}, 200, ["new"]),
    (chat("fb500", disable_fallbacks=True), {}, 500, ["e500"] * 2),
    (chat("e500", fallbacks=["ok2"]), {}, 200, ["e500", "e500", "ok2"]),
    (chat("e500", fallbacks=[{"e500": ["ok2"]}]), {}, 200, ["e500", "e500", "ok2"]),
    (chat("ectx", context_window_fallbacks=[{"ectx": ["ok3"]}]), {}, 200, ["ectx", "ok3"]),
    (chat("fb500", mock_testing_fallbacks=True), {}, 200, ["ok"]),
    (chat("ctx", mock_testing_context_fallbacks=True), {}, 200, ["okbig"]),
    (chat("pol", mock_testing_content_policy_fallbacks=True), {}, 200, ["ok2"]),
    (chat("ok", mock_testing_fallbacks=True), {}, 500, []),
    # names, weights, tags
    (chat("alias"), {}, 200, ["ok"]),
    (chat("hid"), {}, 200, ["ok"]),
    (chat("zzz"), {}, 400, []),
    # a single deployment, by its id or by its own name
    (chat("the-id-of-once"), {}, 500, ["e500"]),
    (chat("openai/ok2"), {}, 200, ["ok2"]),
    (chat("openai/e503"), {}, 503, ["e503"] * 2),
    (chat("openai/zzz"), {}, 400, []),
    (chat("w"), {}, 200, ["ok"]),
    (chat("tagged"), {}, 200, ["ok3"]),
    (chat("tagged", tags=["free"]), {}, 200, ["ok"]),
    (chat("tagged", metadata={"tags": ["paid"]}), {}, 200, ["ok2"]),
    (chat("tagged"), {"x-litellm-tags": "free,b"}, 200, ["ok"]),
    (chat("tagged", tags=["none"]), {}, 200, ["ok3"]),
    (chat("strict", tags=["none"]), {}, 401, []),
    (chat("strict"), {}, 200, ["ok"]),
    # canned answers
    (chat("mock"), {}, 200, []),
    (chat("mockerr"), {}, 429, []),
    (chat("ok", mock_response="canned"), {}, 200, []),
    (chat("fb500", mock_response="litellm.InternalServerError"), {}, 500, []),
    # what a client must not say, or says wrongly
    (chat("ok", api_base="http://127.0.0.1:1"), {}, 400, []),
    (chat("ok", timeout="abc"), {}, 400, []),
    (chat("ok", num_retries=-1), {}, 400, []),
    (chat("ok", fallbacks=[7]), {}, 400, []),
    (chat("ok", tags="free"), {}, 400, []),
]


@pytest.mark.parametrize("stream", [False, True])
async def test_who_is_asked(
    plane: tuple[Router, httpx.AsyncClient], upstream: FakeUpstream, stream: bool
) -> None:
    _, http = plane
    wrong = []
    for body, headers, status, asked in CASES:
        before = len(upstream.requests)
        answer = await http.post(CHAT, json={**body, "stream": stream}, headers=headers)
        seen = [one.model for one in upstream.requests[before:]]
        if (answer.status_code, seen) != (status, asked):
            wrong.append(f"{body} {headers}: {answer.status_code} {seen} {answer.text[:200]}")
        extra = {key for one in upstream.requests[before:] for key in one.json}
        if extra - {"model", "messages", "stream", "stream_options"}:
            wrong.append(f"{body}: {extra} were sent")
    assert not wrong, "\n".join(wrong)


#: path below the door, body, status, who was asked
PATHS: list[tuple[str, dict[str, Any], int, list[str]]] = [
    ("/engines/ok2/chat/completions", chat(""), 200, ["ok2"]),
    ("/engines/ok2/chat/completions", chat("ok"), 200, ["ok2"]),  # the path goes before the body
    ("/openai/deployments/ok3/chat/completions?api-version=1", chat("ok"), 200, ["ok3"]),
    ("/openai/deployments/wild/new/chat/completions", chat("ok"), 200, ["new"]),
    ("/openai/deployments/ok3/embeddings", {"input": "x"}, 200, ["ok3"]),
    ("/openai/deployments/ok3/responses", {"input": "x"}, 200, ["ok3"]),
    ("/engines/ok2/completions", {"prompt": "x"}, 200, ["ok2"]),
    ("/engines/zzz/chat/completions", chat("ok"), 400, []),
]


async def test_a_model_in_the_path_is_the_one_that_is_asked(
    plane: tuple[Router, httpx.AsyncClient], upstream: FakeUpstream
) -> None:
    _, http = plane
    for path, body, status, asked in PATHS:
        before = len(upstream.requests)
        answer = await http.post("/litellm" + path, json=body)
        seen = [one.model for one in upstream.requests[before:]]
        assert (answer.status_code, seen) == (status, asked), (path, answer.text[:200])
        assert not any("?" in one.path for one in upstream.requests[before:])


async def test_every_api_tells_errors_in_litellms_words(
    plane: tuple[Router, httpx.AsyncClient],
) -> None:
    _, http = plane
    apis: list[tuple[str, dict[str, Any]]] = [
        ("/v1/responses", {"input": "x"}),
        ("/v1/completions", {"prompt": "x"}),
        ("/v1/embeddings", {"input": "x"}),
        ("/v1/messages", {"messages": [{"role": "user", "content": "x"}]}),
    ]
    for path, body in apis:
        told = (await http.post("/litellm" + path, json={"model": "bad", **body})).json()
        message = told["error"]["message"]
        begins = "litellm.InternalServerError: InternalServerError: OpenAIException - scripted 500"
        assert message.startswith(begins), (path, message)
        assert message.endswith(
            "Received Model Group=bad\nAvailable Model Group Fallbacks=['bad2']"
        ), path


async def test_headers_tell_how_it_went(
    plane: tuple[Router, httpx.AsyncClient], upstream: FakeUpstream
) -> None:
    _, http = plane
    told = (await http.post(CHAT, json=chat("chain"), headers={"x-litellm-timeout": "7"})).headers
    assert told["x-litellm-model-group"] == "ok"
    assert told["x-litellm-model-name"] == "openai/ok"
    assert told["x-litellm-model-api-base"] == upstream.base
    assert told["x-litellm-attempted-fallbacks"] == "2"
    assert told["x-litellm-attempted-retries"] == "0"
    assert told["x-litellm-call-id"] == told["x-request-id"]
    assert len(told["x-litellm-model-id"]) == 64
    assert told["x-litellm-timeout"] == "7"
    taken, ours = (
        float(told[f"x-litellm-{which}-duration-ms"]) for which in ("response", "overhead")
    )
    assert 0 <= ours <= taken
    wild = (await http.post(CHAT, json=chat("wild/new"))).headers
    assert wild["x-litellm-model-name"] == "openai/new"
    again = (await http.post(CHAT, json=chat("e500"))).headers
    assert (again["x-litellm-attempted-fallbacks"], again["x-litellm-attempted-retries"]) == (
        "0",
        "1",
    )
    error = (await http.post(CHAT, json=chat("e429"))).json()["error"]
    assert error == {
        "message": "litellm.RateLimitError: RateLimitError: OpenAIException - scripted 429. "
        "Received Model Group=e429\nAvailable Model Group Fallbacks=None",
        "type": "throttling_error",
        "param": None,
        "code": "429",
    }


async def test_what_is_sent(
    plane: tuple[Router, httpx.AsyncClient], upstream: FakeUpstream
) -> None:
    _, http = plane
    await http.post(CHAT, json=chat("defaults"))
    await http.post(CHAT, json=chat("defaults", temperature=1))
    await http.post(CHAT, json=chat("drop", seed=3, user="u"))
    sent = [
        {key: value for key, value in seen.json.items() if key not in ("model", "messages")}
        for seen in upstream.requests
    ]
    assert sent == [{"temperature": 0.3}, {"temperature": 1}, {"user": "u"}]


async def test_embeddings_follow_the_same_wishes(
    plane: tuple[Router, httpx.AsyncClient], upstream: FakeUpstream
) -> None:
    _, http = plane
    body = {"model": "e500", "input": "words", "fallbacks": ["ok2"], "metadata": {"a": "b"}}
    answer = await http.post("/litellm/v1/embeddings", json=body)
    assert answer.status_code == 200
    assert [seen.model for seen in upstream.requests] == ["e500", "e500", "ok2"]
    assert set(upstream.requests[-1].json) == {"model", "input"}


async def test_a_canned_answer_is_simulated_and_streams(
    plane: tuple[Router, httpx.AsyncClient],
) -> None:
    router, http = plane
    whole = await http.post(CHAT, json=chat("mock"))
    assert whole.json()["choices"][0]["message"]["content"] == "a mock"
    assert whole.json()["usage"]["total_tokens"] == 30
    body = chat("ok", mock_response="some more words", stream=True)
    streamed = check_openai((await http.post(CHAT, json=body)).content)
    assert streamed["content"] == "some more words"
    assert [view.simulated for view in router.live.recent] == [True, True]


async def test_models_are_listed_as_litellm_does(
    plane: tuple[Router, httpx.AsyncClient],
) -> None:
    _, http = plane
    listed = [one["id"] for one in (await http.get("/litellm/v1/models")).json()["data"]]
    assert listed[:3] == ["alias", "ok", "ok2"]
    assert not {"hid", "gone", "fixed/"} & set(listed), "hidden, of nothing, of no name"
    assert not any("*" in name for name in listed)
    assert (await http.get("/litellm/v1/models/ok")).json()["id"] == "ok"
    assert (await http.get("/litellm/v1/models/zzz")).status_code == 404


def test_a_wildcard_of_a_vendor_lists_what_the_catalogue_knows_there() -> None:
    """LiteLLM lists its own map; a server of another address is not taken for the vendor's."""
    for kind, few in (("openai", 60), ("anthropic", 15), ("gemini", 20), ("openrouter", 200)):
        base = KINDS[kind].base
        found = listed_models(kind, base)
        assert len(found) > few, kind
        assert listed_models(kind, base + "/elsewhere") == ()
    assert all(
        name.startswith("claude-") for name in listed_models("anthropic", KINDS["anthropic"].base)
    )


SHAPES = """
model_list:
  - {model_name: lax, litellm_params: {model: anthropic/claude-x, api_base: '%(base)s', api_key: k}}
  - model_name: firm
    litellm_params:
      {model: anthropic/claude-x, api_base: '%(base)s', api_key: k, drop_params: false}
  - model_name: dropping
    litellm_params:
      {model: groq/llama, api_base: '%(base)s/v1', api_key: k, drop_params: [tool_choice]}
  - model_name: mis
    litellm_params:
      model: mistral/mistral-small-latest
      api_base: '%(base)s/v1'
      api_key: k
      stream_options: {include_usage: true}
general_settings: {master_key: sk-master}
"""


async def test_drop_params_false_is_litellms_error(test_home: Home, upstream: FakeUpstream) -> None:
    test_home.config.mkdir(parents=True, exist_ok=True)
    test_home.litellm_yaml.write_text(SHAPES % {"base": upstream.url("")})
    test_home.toml.write_text(TOML)
    said = {"authorization": "Bearer sk-master"}
    async with (
        inside.served(test_home) as (_, front),
        httpx.AsyncClient(base_url=front, timeout=10, headers=said) as http,
    ):
        for body, status in [
            (chat("lax", seed=3), 200),
            (chat("lax", seed=3, drop_params=False), 400),
            (chat("firm", seed=3), 400),
            (chat("firm", seed=3, drop_params=True), 200),
            (chat("firm", temperature=0), 200),
        ]:
            answer = await http.post(CHAT, json=body)
            assert answer.status_code == status, (body, answer.text)
            if status == 400:
                words = "litellm.UnsupportedParamsError: anthropic does not support parameters: ["
                assert answer.json()["error"]["message"].startswith(words + "'seed'], for model=")
        bare = await http.post(CHAT, json=chat("lax"), headers={"authorization": "sk-master"})
        assert bare.status_code == 401
        assert "Ensure Key has `Bearer ` prefix." in bare.text
        assert len(upstream.requests) == 3
        # Mistral refuses an unknown field, and tells a stream's usage unasked
        shapes: list[tuple[dict[str, Any], dict[str, Any]]] = [
            ({"stream": True, "max_completion_tokens": 5}, {"stream": True, "max_tokens": 5}),
            ({"max_tokens": 5, "stream": False}, {"max_tokens": 5, "stream": False}),
            (
                {"extra_body": {"seed": 3, "model": "x"}, "extra_headers": {"a": "b"}},
                {"random_seed": 3},
            ),
        ]
        for fields, sent in shapes:
            answer = await http.post(CHAT, json=chat("mis", **fields))
            assert answer.status_code == 200, answer.text
            asked = {**chat("mistral-small-latest"), **sent}
            assert upstream.requests[-1].json == asked
        answer = await http.post(CHAT, json=chat("dropping", logprobs=True, seed=3))
        assert answer.headers["x-pointsman-dropped"] == "logprobs"
        assert upstream.requests[-1].json == chat("llama", seed=3)


@pytest.mark.parametrize(
    ("version", "code", "statuses"),
    [
        ("1.80", None, (400, 401, 400)),
        ("1.109", None, (401, 403, 422)),
        ("1.109", 429, (401, 403, 429)),
    ],
)
def test_statuses_by_version(
    version: LiteLLMVersion, code: int | None, statuses: tuple[int, int, int]
) -> None:
    """2.4 of the reference: old by default, new by a switch."""
    codes = ("expired_key", "key_model_access_denied", "budget_exceeded")
    for format in formats(version, code).values():
        errors = [CallerError("x", status=418, code=one) for one in codes]
        assert tuple(format.client_status(error) for error in errors) == statuses
    for name in ("openai_chat", "openai_completions", "openai_responses"):
        told = msgspec.json.decode(formats(version, code)[name].render_error(errors[0]))
        assert (told["error"]["type"], told["error"]["code"]) == ("expired_key", str(statuses[0]))


SCREENED = """
model_list:
%s
router_settings:
  num_retries: 0
  content_policy_fallbacks: [{watched: [ok]}]
"""


@pytest.mark.parametrize("shape", ["asked", "stream"])
async def test_a_whole_answer_that_was_filtered_goes_to_the_group_that_stands_by_for_that(
    test_home: Home, upstream: FakeUpstream, shape: Literal["asked", "stream"]
) -> None:
    """As LiteLLM: not a stream, and not where no group stands by."""
    entry = "  - {model_name: %s, litellm_params: {model: openai/%s, api_base: '%s', api_key: k}}\n"
    groups = {"watched": "filtered", "alone": "filtered", "ok": "ok"}
    entries = "".join(entry % (name, model, upstream.base) for name, model in groups.items())
    test_home.config.mkdir(parents=True, exist_ok=True)
    test_home.litellm_yaml.write_text(SCREENED % entries)
    test_home.toml.write_text(TOML)
    upstream.behave("filtered", Behaviour(stop="content_filter", shape=shape))
    async with (
        inside.served(test_home) as (router, front),
        httpx.AsyncClient(base_url=front, timeout=10) as http,
    ):
        whole = await http.post(CHAT, json=chat("watched"))
        assert whole.json()["choices"][0]["finish_reason"] == "stop"
        assert whole.headers["x-litellm-attempted-fallbacks"] == "1"
        [view] = router.live.recent
        assert view.attempts == 2
        assert view.tokens.output >= 16, "both were billed"
        alone = await http.post(CHAT, json=chat("alone"))
        assert alone.json()["choices"][0]["finish_reason"] == "content_filter"
        streamed = await http.post(CHAT, json=chat("watched", stream=True))
        assert '"content_filter"' in streamed.text
    assert [seen.model for seen in upstream.requests] == ["filtered", "ok", "filtered", "filtered"]


LIMITED = """
model_list:
  - {model_name: m, litellm_params: {model: openai/a, api_base: '%(base)s', api_key: k-1, %(more)s}}
  - {model_name: m, litellm_params: {model: openai/b, api_base: '%(base)s', api_key: k-2, %(more)s}}
router_settings: {routing_strategy: %(strategy)s, num_retries: 0, enable_pre_call_checks: true}
"""


@pytest.mark.parametrize(
    ("strategy", "more", "asked"),
    [
        ("usage-based-routing-v2", "rpm: 100", ["a", "b", "a", "b"]),
        ("usage-based-routing", "tpm: 100000", ["a", "b", "a", "b"]),
        ("latency-based-routing", "rpm: 100", None),
        ("cost-based-routing", "rpm: 100", ["a"] * 4),
        ("simple-shuffle", "rpm: 2", ["a", "a", "b", "b"]),
    ],
)
async def test_strategies_and_bounds(
    test_home: Home,
    upstream: FakeUpstream,
    strategy: str,
    more: str,
    asked: list[str] | None,
) -> None:
    test_home.config.mkdir(parents=True, exist_ok=True)
    values = {"base": upstream.base, "strategy": strategy, "more": more}
    test_home.litellm_yaml.write_text(LIMITED % values)
    test_home.toml.write_text(TOML)
    async with inside.served(test_home) as (router, front):
        router.chance, router.now = lambda: 0.0, lambda: 600.0
        async with httpx.AsyncClient(base_url=front, timeout=10) as http:
            answers = [await http.post(CHAT, json=chat("m")) for _ in range(4)]
            assert [answer.status_code for answer in answers] == [200] * 4
            seen = [one.model for one in upstream.requests]
            assert seen == asked if asked else set(seen[:2]) == {"a", "b"}
            if more == "rpm: 2":
                full = await http.post(CHAT, json=chat("m"))
                assert full.status_code == 429
                assert full.headers["retry-after"] == "60"
                message = full.json()["error"]["message"]
                assert message.startswith("No deployments available for selected model, Try again")
                router.now = lambda: 660.0
                assert (await http.post(CHAT, json=chat("m"))).status_code == 200


async def test_the_least_busy_is_asked_and_a_full_one_is_waited_for(
    test_home: Home, upstream: FakeUpstream
) -> None:
    test_home.config.mkdir(parents=True, exist_ok=True)
    values = {"base": upstream.base, "strategy": "least-busy", "more": "max_parallel_requests: 1"}
    test_home.litellm_yaml.write_text(LIMITED % values)
    test_home.toml.write_text(TOML)
    upstream.default = Behaviour(stall="headers")

    async with inside.served(test_home) as (router, front):
        router.chance = lambda: 0.0
        async with httpx.AsyncClient(base_url=front, timeout=10) as http:
            tasks = [asyncio.create_task(http.post(CHAT, json=chat("m"))) for _ in range(2)]
            await upstream.arrived(2)
            assert {seen.model for seen in upstream.requests} == {"a", "b"}
            third = asyncio.create_task(http.post(CHAT, json=chat("m")))
            for _ in range(3):  # round trips on the same loop
                await http.get("/litellm/health/liveliness")
            assert len(upstream.requests) == 2, "a third at once is one too many"
            upstream.release.set()
            answers = await asyncio.gather(*tasks, third)
    assert [answer.status_code for answer in answers] == [200] * 3
    assert len(upstream.requests) == 3
