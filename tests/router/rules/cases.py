"""A small configuration and short ways to ask the rules about a request body. For tests alone."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import msgspec

from router.caller import Caller
from router.contract import OverrideView
from router.custom import Answer
from router.facts import look_at
from router.formats.anthropic_messages.parse import parse_request
from router.messages import Request
from router.rules import decide
from router.rules.plan import Case, Plan
from router.settings import Deployment, Generation, Groups, Provider, Role, Routes, Target
from router.wishes import NO_WISHES, Wishes

Body = dict[str, Any]

PIXEL = (
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAQAAAC1HAwCAAAAC0lEQVR42mNk+A8AAQUBAScY42YAAAAASUVORK5CYII="
)
IMAGE = {
    "type": "image",
    "source": {"type": "base64", "media_type": "image/png", "data": PIXEL},
}
SEARCH = {"type": "web_search_20250305", "name": "web_search", "max_uses": 8}
BUDGET = {"type": "enabled", "budget_tokens": 10_000}
TOOL = {"name": "get_weather", "description": "w", "input_schema": {"type": "object"}}


def provider(name: str, *models: str, **settings: Any) -> Provider:
    return Provider(
        name=name,
        format="openai_chat",
        url=f"http://127.0.0.1:9/{name}/v1/chat/completions",
        base=f"http://127.0.0.1:9/{name}/v1",
        models=models,
        **settings,
    )


PROVIDERS = {
    p.name: p
    for p in (
        provider("deepseek", "deepseek-chat", "deepseek-reasoner", "deepseek-coder"),
        provider("openrouter", "anthropic/claude-3.5-sonnet", "google/gemini-2.5-pro-preview"),
        provider("ollama-local", "qwen2.5-coder", "llava"),
        provider("gem", "gemini-2.5-flash"),
        provider("anth", "claude-x"),
        provider("maxtok", "m1"),
        provider("litellm-internal", plane="litellm"),
    )
}


def target(text: str) -> Target:
    found = Target.parse(text)
    assert found is not None
    return found


ROUTES = Routes(
    targets={
        "default": target("deepseek,deepseek-chat"),
        "background": target("ollama-local,qwen2.5-coder"),
        "think": target("deepseek,deepseek-reasoner"),
        "longContext": target("openrouter,google/gemini-2.5-pro-preview"),
        "webSearch": target("gem,gemini-2.5-flash"),
        "image": target("ollama-local,llava"),
    }
)


def group(name: str, *targets: str, weights: tuple[float, ...] = ()) -> tuple[Deployment, ...]:
    return tuple(
        Deployment(name, target(text), weights[i] if weights else 1.0)
        for i, text in enumerate(targets)
    )


GROUPS = Groups(
    deployments={
        "claude-haiku": group("claude-haiku", "anth,claude-haiku-4-5"),
        "lb": group("lb", "anth,a", "gem,b", "maxtok,c", weights=(1.0, 2.0, 1.0)),
        "wild/*": group("wild/*", "gem,*"),
        "loop": group("loop", "litellm-internal,loop-back"),
        "loop-back": group("loop-back", "litellm-internal,loop"),
        "gone": group("gone", "nobody,x"),
    },
    aliases={"short": "lb"},
    fallbacks={"lb": ("claude-haiku", "lb")},
)


def generation(**changes: Any) -> Generation:
    whole = Generation(
        number=1,
        providers=PROVIDERS,
        routes=ROUTES,
        groups=GROUPS,
        litellm=Role("litellm"),
        ccr=Role("ccr"),
    )
    return replace(whole, **changes)


def routes(base: Routes = ROUTES, **changes: Any) -> Routes:
    """Routes with some settings changed; `targets` are added to those there are."""
    added = {name: target(text) for name, text in changes.pop("targets", {}).items()}
    return replace(base, targets={**base.targets, **added}, **changes)


def override(scope: str, to: str, *, forced: bool = False, id: str = "o1") -> OverrideView:
    return OverrideView(id=id, scope=scope, target=to, set_at=0.0, forced=forced)


def request(body: Body | str) -> Request:
    """A body of Anthropic's format; a string is the user's prompt to a Sonnet."""
    if isinstance(body, str):
        body = {"messages": [{"role": "user", "content": body}]}
    filled = {"model": "claude-sonnet-4-20250514", "max_tokens": 1024} | body
    if filled["model"] is None:
        del filled["model"]
    return parse_request(msgspec.json.encode(filled))


def case(
    body: Body | str | Request,
    *,
    tokens: int = 10,
    exact: bool = True,
    config: Generation | None = None,
    plane: str = "ccr",
    headers: dict[str, str] | None = None,
    overrides: tuple[OverrideView, ...] = (),
    chance: float = 0.0,
    custom: Answer | None = None,
    wishes: Wishes = NO_WISHES,
) -> Case:
    asked = body if isinstance(body, Request) else request(body)
    caller = Caller(door=plane, plane=plane, headers=headers or {}, session="s1", key="k1")
    return Case(
        request=asked,
        caller=caller,
        facts=look_at(asked, caller, tokens, exact),
        generation=config or generation(),
        overrides=overrides,
        chance=chance,
        custom=custom,
        wishes=wishes,
    )


def ask(body: Body | str | Request, **settings: Any) -> Plan:
    return decide(case(body, **settings))


def names(plan: Plan) -> list[str]:
    return [f"{c.provider.name},{c.model}" for c in plan.candidates]


def said(plan: Plan) -> list[str]:
    """All texts that would go to the provider."""
    parts = [*plan.request.system, *(p for m in plan.request.messages for p in m.parts)]
    return [part.text for part in parts if hasattr(part, "text") and part.text is not None]
