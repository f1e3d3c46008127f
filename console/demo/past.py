"""The month that a demo begins with: invented conversations, the same ones each time.

Its rule: pure, of a seed and a moment. Only names, counts, times and money, as the ledger keeps
them; no text. Prices are per million tokens, near what these models cost in autumn 2026.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from router.contract import AttemptView, Facts, Look, RequestDetail, RequestView, Spend, Tokens

SEED = 11
DAYS = 30
CODE = "claude-cli/2.1.330"
SONNET, HAIKU = "claude-sonnet-4-5", "claude-haiku-4-5"


@dataclass(frozen=True, slots=True)
class Kind:
    """One way that requests go. `prices` are dollars per million tokens: input, read from the
    cache, written to it, output; None: nobody knows. `first` is ms to the first token, `speed`
    tokens per second."""

    weight: float
    provider: str
    model: str
    rule: str
    value: str
    prices: tuple[float, float, float, float] | None
    first: float
    speed: float
    door: str = "claude-code"
    asked: str = SONNET


FREE = (0.0, 0.0, 0.0, 0.0)
CHAT = Kind(
    9, "deepseek", "deepseek-chat", "default", SONNET, (0.28, 0.028, 0.28, 0.42),
    620, 64,
)  # fmt: skip
THINK = Kind(
    4, "openrouter", "anthropic/claude-sonnet-4.5", "think", "effort high", (3, 0.3, 3.75, 15),
    980, 71,
)  # fmt: skip
LONG = Kind(
    1, "openrouter", "google/gemini-2.5-pro", "longContext", "", (1.25, 0.31, 1.25, 10), 2_300, 88
)
SMALL = Kind(3, "ollama-local", "qwen2.5-coder:7b", "background", HAIKU, FREE, 95, 58, asked=HAIKU)
CODER = Kind(
    2, "deepseek", "deepseek-coder", "context", "coder", (0.14, 0.014, 0.14, 0.28), 540, 60,
    door="ccr", asked="",
)  # fmt: skip
#: what a conversation's main turns, and its subagents, are served by
MAIN, AGENT = (CHAT, THINK, CODER), (SMALL, CHAT)
#: requests that belong to no conversation
ALONE = (
    Kind(
        4, "openai", "gpt-4o-mini", "group", "gpt-4o-mini", (0.15, 0.075, 0.15, 0.6), 410, 95,
        door="litellm", asked="gpt-4o-mini",
    ),
    Kind(
        2, "groq", "llama-3.3-70b", "group", "llama-3.3-70b", None, 70, 340,
        door="litellm", asked="llama-3.3-70b",
    ),
    Kind(
        2, "openrouter", "z-ai/glm-4.6", "model", "openrouter,z-ai/glm-4.6", (0.6, 0.11, 0.6, 2.2),
        900, 55, door="ccr", asked="openrouter,z-ai/glm-4.6",
    ),
)  # fmt: skip
#: tokens above which *longContext* takes a request
LONGEST = 60_000
PEOPLE = (("ana", "shop-api"), ("ben", "ios-app"), ("ci-bot", "shop-api"), ("ana", "docs"))


class Who(NamedTuple):
    """Who asks, and in which conversation, if in any."""

    name: str
    project: str
    session: str = ""
    agent: str = ""


def past(now: float) -> list[RequestDetail]:
    """Some two thousand requests of the month before `now`, oldest first."""
    dice = random.Random(SEED)  # noqa: S311 nothing depends on its being unguessable
    made: list[RequestDetail] = []
    for begun, minutes in _conversations(now, dice):
        made += _conversation(begun, minutes, dice)
    for _ in range(260):
        ago = dice.random() ** 2 * DAYS * 86_400
        made.append(_alone(now - ago, dice))
    for ago in (36.1, 108.9, 160.2):
        made.append(_alone(now - ago, dice))
    # a first look finds a second attempt near the top
    made.append(
        _request(THINK, now - 34, 52_000, 1_900, dice, Who(*PEOPLE[0], "7f3c9a52"), lost=1_190.0)
    )
    made = [one for one in made if _ended(one) < now]
    return sorted(made, key=lambda one: one.request.started_at)


def running(now: float) -> list[RequestView]:
    """What is in flight at `now`, for a picture of it; newest first."""
    dice = random.Random(SEED + 1)  # noqa: S311 nothing depends on its being unguessable
    views = []
    for ago, kind, prompt, written in (
        (3.2, THINK, 46_400, 318),
        (5.9, LONG, 128_000, 611),
        (9.8, CHAT, 41_300, 902),
    ):
        used = Tokens(input=prompt // 40, cache_read=prompt - prompt // 40, output=written)
        views.append(
            RequestView(
                id=_id(dice), started_at=now - ago, state="running", door=kind.door,
                dialect="anthropic_messages", client=CODE, session="7f3c9a52", asked=kind.asked,
                provider=kind.provider, model=kind.model, rule=kind.rule,
                value=kind.value or f"{prompt:,} > {LONGEST:,}", stream=True, tokens=used,
                cost=_cost(_spend(kind, used)), attempts=1, ttft_ms=kind.first, key="ana",
                project="shop-api", seq=0,
            )
        )  # fmt: skip
    return views


def _conversations(now: float, dice: random.Random) -> Iterator[tuple[float, float]]:
    """(begin, minutes) of each; on two days of seven there are few."""
    for day in range(DAYS, 0, -1):
        for _ in range(1 if day % 7 < 2 else dice.randint(2, 3)):
            yield now - day * 86_400 - dice.uniform(0, 6) * 3600, dice.uniform(12, 90)
    for hours in (6.5, 4.2):
        yield now - hours * 3600, dice.uniform(30, 70)
    for minutes in (96, 41, 17):  # these go on
        yield now - minutes * 60, minutes


def _conversation(begun: float, minutes: float, dice: random.Random) -> Iterator[RequestDetail]:
    """Turns with a growing context that the cache holds, and two subagents at times."""
    session = f"{dice.getrandbits(32):08x}"
    who = Who(*dice.choice(PEOPLE), session)
    turns = max(int(minutes / 1.6), 4)
    held = dice.randint(9_000, 24_000)
    agents = [("explore", 0.3), ("review", 0.6)] if minutes > 30 else []
    for turn in range(turns):
        at = begun + (turn + dice.random() * 0.8) / turns * minutes * 60
        grown = held + dice.randint(300, 2_000)
        kind = dice.choices(MAIN, [k.weight for k in MAIN])[0]
        kind = LONG if grown > LONGEST else kind
        warm = held if dice.random() < 0.85 else 0
        yield _request(kind, at, warm, grown - warm, dice, who)
        held = grown
        if dice.random() < 0.2:
            yield _request(SMALL, at + 1, 0, dice.randint(400, 2_600), dice, who)
    yield _request(SMALL, begun + 2, 0, 600, dice, who, value="side call: title")
    for name, share in agents:
        size = dice.randint(4_000, 9_000)
        for turn in range(dice.randint(4, 10)):
            at = begun + minutes * 60 * share + turn * dice.uniform(9, 20)
            size += dice.randint(300, 2_500)
            kind = dice.choices(AGENT, [k.weight for k in AGENT])[0]
            yield _request(kind, at, 0, size, dice, who._replace(agent=f"{name}-1"))


def _alone(at: float, dice: random.Random) -> RequestDetail:
    kind = dice.choices(ALONE, [k.weight for k in ALONE])[0]
    who = Who(*dice.choice(PEOPLE))
    return _request(kind, at, 0, dice.randint(300, 6_000), dice, who)


def _request(
    kind: Kind,
    at: float,
    warm: int,
    fresh: int,
    dice: random.Random,
    who: Who,
    value: str = "",
    lost: float = 0.0,
) -> RequestDetail:
    """`warm` tokens come from the cache, `fresh` do not; `lost` are ms with a provider that was
    overloaded."""
    written = int(dice.lognormvariate(5.9, 0.8)) + 20
    fate = dice.random()
    gone, failed = fate < 0.012, fate > 0.994
    # only Anthropic's models are told to write to the cache, and bill it
    stored = fresh - fresh // 3 if kind.model.startswith("anthropic/") else 0
    used = Tokens(
        input=fresh - stored,
        cache_read=warm,
        cache_write=stored,
        output=0 if failed else written // 3 if gone else written,
    )
    first = kind.first * dice.uniform(0.7, 1.6)
    if kind.provider == "openrouter" and dice.random() < 0.02:
        lost = 1_190.0
    took = lost + first + used.output / kind.speed / dice.uniform(0.8, 1.2) * 1000
    spend = Spend() if failed else _spend(kind, used)
    view = RequestView(
        id=_id(dice),
        started_at=at,
        state="failed" if failed else "cancelled" if gone else "done",
        door=kind.door,
        dialect="openai_chat" if kind.door == "litellm" else "anthropic_messages",
        client="openai-python/2.8.0" if kind.door == "litellm" else CODE,
        session=who.session,
        agent=who.agent,
        key=who.name,
        asked=kind.asked,
        provider=kind.provider,
        model=kind.model,
        rule=kind.rule,
        value=value or kind.value or f"{used.prompt:,} > {LONGEST:,}",
        stream=True,
        status=529 if failed else 200,
        tokens=used,
        cost=_cost(spend),
        attempts=2 if lost else 1,
        ttft_ms=None if failed else lost + first,
        duration_ms=took,
        error=f"{kind.provider}: overloaded, and no other candidate is left" if failed else "",
        project=who.project,
    )
    facts = Facts(
        tokens=used.prompt,
        tokens_exact=True,
        messages=1 + used.prompt // 2_100,
        tools=18 if who.session else 0,
        effort="high" if kind.rule == "think" else "",
        side_call="title" if value else "",
        subagent=who.agent,
    )
    attempts = (
        *([_overloaded(kind, at, lost)] if lost else []),
        _last(kind, view, lost, first, spend),
    )
    return RequestDetail(view, tuple(_looks(view)), attempts, facts)


def _overloaded(kind: Kind, at: float, lost: float) -> AttemptView:
    return AttemptView(
        number=1,
        provider=kind.provider,
        model=kind.model,
        started_at=at,
        status=529,
        outcome="overload",
        error="Overloaded: try again later",
        first_byte_ms=1_180.0,
        duration_ms=lost,
        reason=f"rule {kind.rule}",
    )


def _last(
    kind: Kind, view: RequestView, lost: float, first: float, spend: Spend | None
) -> AttemptView:
    failed = view.state == "failed"
    return AttemptView(
        number=view.attempts,
        provider=kind.provider,
        model=kind.model,
        started_at=view.started_at + lost / 1000,
        status=view.status,
        outcome="overload" if failed else "cancelled" if view.state == "cancelled" else "ok",
        error="Overloaded: try again later" if failed else "",
        first_byte_ms=first,
        duration_ms=(view.duration_ms or 0.0) - lost,
        tokens=view.tokens,
        cost=view.cost,
        reason="retry 1 after overload" if lost else f"rule {kind.rule}",
        spend=spend or Spend(),
        price="genai-prices" if kind.prices else "",
    )


def _looks(view: RequestView) -> Iterator[Look]:
    """What each rule saw, in their order, up to the one that decided."""
    asked = view.asked or "no model named"
    seen = {
        "forced": "none set",
        "header": "not sent",
        "/model": "none in the newest prompt",
        "override": "none set",
        "model": asked,
    }
    if view.door != "litellm":
        seen |= {
            "image": "no image",
            "longContext": f"{view.tokens.prompt:,} ≤ {LONGEST:,}",
            "subagent": "no tag",
            "context": "not sent",
            "background": f"{asked} is no haiku" if view.asked else asked,
            "webSearch": "no web_search tool",
            "think": "not asked for",
            "tool": "not configured",
            "coder": "no code in the prompt",
            "complexity": "not configured",
            "named": f"no provider for {asked}" if view.asked else asked,
        }
    for rule, value in seen.items():
        if rule == view.rule:
            break
        yield Look(rule, value)
    yield Look(view.rule, view.value, hit=True, target=f"{view.provider},{view.model}")


def _spend(kind: Kind, used: Tokens) -> Spend | None:
    """Nano-dollars by kind of token; a dollar per million is 1,000 nano-dollars per token."""
    if kind.prices is None:
        return None
    input, read, write, output = (round(price * 1000) for price in kind.prices)
    cached = used.cache_read * read
    return Spend(
        input=used.input * input,
        cache_read=cached,
        cache_write=used.cache_write * write,
        output=used.output * output,
        saved=used.cache_read * input - cached,
    )


def _cost(spend: Spend | None) -> int | None:
    if spend is None:
        return None
    return spend.input + spend.cache_read + spend.cache_write + spend.output


def _id(dice: random.Random) -> str:
    return f"req_{dice.getrandbits(48):012x}"


def _ended(detail: RequestDetail) -> float:
    return detail.request.started_at + (detail.request.duration_ms or 0) / 1000
