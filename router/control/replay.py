"""What the requests of late would have got under edited routes: the rules asked again, in order,
over the facts that the ledger keeps.

Pure, but for `replay` itself, which reads the ledger. One rule: what cannot be told without the
prompt, which is not kept, is counted as unclear and never guessed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from router.aliases import resolved
from router.caller import Caller
from router.contract import Facts, Look, Move, Refused, Replayed, ReplayRoutes, RequestDetail
from router.control.routes import edited
from router.messages import Reasoning, Request, Usage
from router.money import bill
from router.prices import price
from router.rules import TABLE, RefusedError, Rule, decide_by, strict
from router.rules.plan import Case
from router.rules.rule import Verdict
from router.rules.signals import Signals
from router.settings import Generation, Routes
from storage.readers import Archive, ArchiveError

#: requests that are replayed at once
MOST = 2_000
_KNOWN = frozenset(rule.name for rule in (*TABLE, *strict.TABLE)) | {"guard"}
_NOT_KEPT = ("not configured", "no prompt")


async def replay(
    action: ReplayRoutes, generation: Generation, archive: Archive
) -> Replayed | Refused:
    """The newest requests under `generation` with the edits, beside what they get without."""
    try:
        routes = edited(generation, action.edits)
        kept = await archive.decisions(min(max(action.last, 1), MOST))
    except (ValueError, ArchiveError) as error:
        return Refused(str(error))
    return await asyncio.to_thread(compare, kept, generation, routes)


@dataclass(slots=True)
class _Sum:
    requests: int = 0
    before: int | None = 0
    after: int | None = 0


@dataclass(slots=True)
class _Count:
    moved: int = 0
    pinned: int = 0
    unclear: int = 0
    refused: int = 0
    difference: int = 0
    unpriced: int = 0
    moves: dict[tuple[str, str, str], _Sum] = field(default_factory=dict)


def compare(kept: Sequence[RequestDetail], generation: Generation, routes: Routes) -> Replayed:
    then = replace(generation, routes=routes)
    count = _Count()
    for detail in kept:
        _one(count, detail, generation, then)
    moves = [
        Move(rule, before, after, s.requests, s.before, s.after)
        for (rule, before, after), s in count.moves.items()
    ]
    return Replayed(
        requests=len(kept),
        moved=count.moved,
        pinned=count.pinned,
        unclear=count.unclear,
        refused=count.refused,
        difference=count.difference,
        unpriced=count.unpriced,
        moves=tuple(sorted(moves, key=lambda move: -move.requests)),
    )


def _one(count: _Count, detail: RequestDetail, now: Generation, edited: Generation) -> None:
    request = detail.request
    handed_on = any(look.rule == "group" and not look.target for look in detail.looks)
    if request.rule not in _KNOWN or (request.door == "litellm" and not handed_on):
        count.pinned += 1
        return
    before, _ = decided(detail, now)
    after, rule = decided(detail, edited)
    if before is None or after is None:
        count.unclear += 1
        return
    if before == after:
        return
    if not after:
        count.refused += 1
        return
    count.moved += 1
    was = request.cost
    if f"{request.provider},{request.model}" != before or was is None:
        was = _priced(detail, before, now)
    will = _priced(detail, after, edited)
    if was is None or will is None:
        count.unpriced += 1
    else:
        count.difference += will - was
    total = count.moves.setdefault((rule, before, after), _Sum())
    total.requests += 1
    total.before = None if was is None or total.before is None else total.before + was
    total.after = None if will is None or total.after is None else total.after + will


def decided(detail: RequestDetail, generation: Generation) -> tuple[str | None, str]:
    """The first candidate ("" when refused, None when it cannot be told) and the rule."""
    request, facts = detail.request, detail.facts
    routes = generation.routes
    if routes.strict and (facts.subagent or (facts.images and "image" in routes.targets)):
        return None, ""  # CCR asks in which block, in which message: that is not kept
    unclear: list[str] = []
    table = strict.TABLE if routes.strict else TABLE
    order = [_remembered(rule, detail.looks, generation, unclear) for rule in table]
    asked = request.asked.removeprefix(generation.groups.ccr_prefix or "\0")
    asked = asked if request.door == "litellm" else request.asked
    case = Case(
        request=Request(
            dialect=request.dialect, model=asked or None, messages=[], reasoning=_reasoning(facts)
        ),
        caller=Caller(door=request.door, plane="ccr", headers={}),
        facts=facts,
        generation=generation,
    )
    try:
        plan = decide_by(case, order, resolved(generation, asked))
    except RefusedError as error:
        return "", error.rule
    if unclear:
        return None, ""
    if plan is None:
        return "", ""
    first = plan.candidates[0]
    return f"{first.provider.name},{first.model}", plan.rule


def _remembered(
    rule: Rule, looks: Iterable[Look], generation: Generation, unclear: list[str]
) -> Rule:
    """A rule that reads the prompt answers from what it said then; others are asked anew."""
    recalled = rule.recalled
    if recalled is None:
        return rule
    value = next((look.value for look in looks if look.rule == rule.name), "")

    def look(case: Case, signals: Signals) -> Verdict:
        if generation.routes.targets.keys().isdisjoint(rule.when):
            return Verdict("not configured")
        if not value or value in _NOT_KEPT:
            unclear.append(rule.name)
            return Verdict("not kept")
        return Verdict(value, scenario=recalled(value))

    return Rule(rule.name, look)


_MODES: dict[str, Literal["off", "on", "adaptive"]] = {
    "off": "off",
    "on": "on",
    "adaptive": "adaptive",
}


def _reasoning(facts: Facts) -> Reasoning:
    """Back from facts.thinking_words: "on 31,999 high", "adaptive", "off"."""
    mode, *rest = facts.thinking.split() or [""]
    budget = next((int(w.replace(",", "")) for w in rest if w.replace(",", "").isdigit()), None)
    return Reasoning(
        mode=_MODES.get(mode),
        budget=budget,
        effort=facts.effort or None,
    )


def _priced(detail: RequestDetail, target: str, generation: Generation) -> int | None:
    """What the request's tokens cost there; its cached tokens are taken to be cached there too."""
    name, _, model = target.partition(",")
    provider = generation.provider(name)
    if provider is None:
        return None
    used = detail.request.tokens
    usage = Usage(
        input=used.input,
        cache_read=used.cache_read,
        cache_write=used.cache_write,
        cache_write_1h=used.cache_write_1h,
        output=used.output,
    )
    return bill(usage, price(provider, model, generation)).cost
