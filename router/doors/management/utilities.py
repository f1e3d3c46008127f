"""/utils/*, /spend/calculate and the price map: what a request would be, without sending it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import msgspec

from router.caller import Caller
from router.doors.management.asked import NANO, Asked, Route, wrong
from router.doors.management.models import RATES
from router.errors import RequestError
from router.messages import JSON, Request, Usage
from router.money import bill
from router.outgoing import outgoing
from router.prices import price
from router.rules import decide
from router.rules.plan import Plan
from router.situation import situation

if TYPE_CHECKING:
    from router.service import Router

#: LiteLLM's names for what is called
_CALLS = {
    **dict.fromkeys(("completion", "acompletion"), "openai_chat"),
    **dict.fromkeys(("anthropic_messages",), "anthropic_messages"),
    **dict.fromkeys(("responses", "aresponses"), "openai_responses"),
}
#: tokens around a conversation and each of its messages, as OpenAI counts them and LiteLLM does
_FRAMED, _EACH = 3, 4
#: headers that hold a key
_SECRET = frozenset({"authorization", "x-api-key", "api-key", "x-goog-api-key"})


def _parsed(router: Router, dialect: str, body: JSON) -> Request:
    """Raises RequestError."""
    return router.formats[dialect].parse_request(msgspec.json.encode(body))


async def _plan(router: Router, request: Request) -> tuple[Plan, int]:
    """What the rules make of a request, and its tokens. Raises RequestError."""
    caller = Caller(door="litellm", plane="litellm", headers={})
    case = await situation(
        router.means, request, caller, router.generation, at=router.wall(), dry=True
    )
    return decide(case), case.facts.tokens


async def token_counter(router: Router, asked: Asked) -> JSON:
    model = asked.needed("model")
    messages, prompt = asked.body.get("messages"), asked.body.get("prompt")
    if messages is None and prompt is None and asked.body.get("contents") is None:
        raise wrong("prompt or messages or contents must be provided", "messages")
    if messages is None:
        messages = [{"role": "user", "content": prompt if isinstance(prompt, str) else ""}]
    body = {"model": model, "messages": messages}
    if asked.body.get("tools"):
        body["tools"] = asked.body["tools"]
    request = _parsed(router, "openai_chat", body)
    tokens, _ = await router.counter.count(request)
    if asked.body.get("messages") is not None:
        tokens += _FRAMED + _EACH * len(messages)
    used = model
    try:
        plan, _ = await _plan(router, request)
        used = plan.candidates[0].model
    except RequestError:
        pass  # a name that is not served is counted all the same, as in LiteLLM
    return {
        "total_tokens": tokens,
        "request_model": model,
        "model_used": used,
        "tokenizer_type": "openai_tokenizer",
        "original_response": None,
        "error": False,
        "error_message": None,
        "status_code": None,
    }


async def transform_request(router: Router, asked: Asked) -> JSON:
    """The request as its provider would be sent it, without its key."""
    call_type, body = asked.body.get("call_type", "completion"), asked.body.get("request_body")
    dialect = _CALLS.get(call_type) if isinstance(call_type, str) else None
    if dialect is None or not isinstance(body, dict):
        raise wrong(
            f"should have a request_body, and a call_type of {', '.join(_CALLS)}", "call_type"
        )
    try:
        request = _parsed(router, dialect, body)
        plan, _ = await _plan(router, request)
        assert asked.call is not None
        sent = outgoing(router.formats, plan.request, request, plan.candidates[0], asked.call)
    except RequestError as error:
        nothing: JSON = {"raw_request_api_base": None, "raw_request_body": None}
        return {**nothing, "raw_request_headers": None, "error": error.message}
    return {
        "raw_request_api_base": sent.url,
        "raw_request_body": msgspec.json.decode(sent.body),
        "raw_request_headers": {
            name: "*****" if name.lower() in _SECRET else value for name, value in sent.headers
        },
        "error": None,
    }


async def calculate(router: Router, asked: Asked) -> JSON:
    """Of messages before they are sent, or of an answer that came."""
    body, answer = asked.body, asked.body.get("completion_response")
    model = body.get("model") or (answer.get("model") if isinstance(answer, dict) else None)
    if not isinstance(model, str) or not model:
        raise wrong(
            "Bad Request - Either 'model' or 'completion_response' must be provided", "model"
        )
    messages = body.get("messages") or [{"role": "user", "content": ""}]
    request = _parsed(router, "openai_chat", {"model": model, "messages": messages})
    plan, tokens = await _plan(router, request)
    first = plan.candidates[0]
    usage = Usage(input=tokens if body.get("messages") else 0)
    if isinstance(answer, dict):
        usage = _usage(answer.get("usage"))
    rates = price(first.provider, first.model, router.generation)
    cost = bill(usage, rates).cost
    return {"cost": None if cost is None else cost / NANO}


def _usage(told: Any) -> Usage:
    told = told if isinstance(told, dict) else {}

    def count(holder: Any, name: str) -> int:
        value = holder.get(name) if isinstance(holder, dict) else None
        return value if isinstance(value, int) and value > 0 else 0

    cached = count(told.get("prompt_tokens_details"), "cached_tokens")
    prompt = max(count(told, "prompt_tokens"), cached)
    return Usage(input=prompt - cached, cache_read=cached, output=count(told, "completion_tokens"))


async def cost_map(router: Router, asked: Asked) -> JSON:
    """The map that was given; else what is known of the models that are configured."""
    path = router.home.price_map
    if path.is_file():
        data = await asyncio.to_thread(path.read_bytes)
        found: JSON = msgspec.json.decode(data)
        return found
    known: JSON = {}
    for provider in router.generation.providers.values():
        if provider.plane:
            continue
        for model in provider.models:
            rates = price(provider, model, router.generation)
            line: JSON = {"litellm_provider": provider.name, "mode": "chat"}
            for ours, theirs in RATES.items():
                if (rate := getattr(rates, ours)) is not None:
                    line[theirs] = rate / NANO
            if (room := provider.context.get(model)) is not None:
                line["max_input_tokens"] = room
            known.setdefault(model, line)
    return known


ROUTES: dict[str, Route] = {
    "POST /utils/token_counter": Route(token_counter, anyone=True),
    "POST /utils/transform_request": Route(transform_request),
    "POST /spend/calculate": Route(calculate, anyone=True),
    "GET /public/litellm_model_cost_map": Route(cost_map, anyone=True),
    "GET /get/litellm_model_cost_map": Route(cost_map, anyone=True),
}
