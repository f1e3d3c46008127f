"""What a client wishes of a model's thinking ⇄ the field in which each provider takes it.

Its one rule: the wish is never sent to a model that would refuse the whole request for it.
"""

from __future__ import annotations

from typing import Any

from router.formats.fields import take
from router.messages import JSON, Reasoning, Request
from router.providers import Quirks

#: to a model that is to answer in JSON without a schema: OpenAI and others refuse such a wish where
#: no message has the word, other dialects have no such rule
JSON_ONLY = "Answer with one JSON object and nothing else."
#: weakest first
_LEVELS = ("none", "minimal", "low", "medium", "high", "xhigh", "max")
#: largest budget of an effort, in tokens: the buckets of Claude Code Router
_BUCKETS = ((1024, "low"), (8192, "medium"))
#: where clients put it
REASONING = ("reasoning_effort", "reasoning", "thinking", "enable_thinking")
_SENT = frozenset(REASONING)


def read_reasoning(left: JSON) -> Reasoning:
    """Takes every known way of asking out of `left`; as sent they stay in `extra`."""
    if _SENT.isdisjoint(left):
        return Reasoning()
    sent = {field: left[field] for field in REASONING if left.get(field) is not None}
    wish = Reasoning(effort=take(left, "reasoning_effort", str), extra=sent or None)
    nested = take(left, "reasoning", dict)
    thinking = take(left, "thinking", dict)
    enabled = take(left, "enable_thinking", bool)
    if nested is not None:
        effort, budget = nested.get("effort"), nested.get("max_tokens")
        wish.effort = effort if type(effort) is str else wish.effort
        wish.budget = budget if type(budget) is int else None
        enabled = nested.get("enabled", enabled)
    if thinking is not None:
        mode = thinking.get("type")
        enabled = None if mode not in ("enabled", "disabled") else mode == "enabled"
        wish.mode = "adaptive" if mode == "adaptive" else None
        budget = thinking.get("budget_tokens")
        wish.budget = budget if type(budget) is int else wish.budget
    if enabled is False or wish.effort == "none":
        wish.mode = "off"
    elif enabled is True:
        wish.mode = "on"
    return wish


def write_reasoning(body: JSON, request: Request, quirks: Quirks, model: str, same: bool) -> None:
    """`same`: the client speaks this format. Then a provider of which nothing is known gets the
    wish as it was sent."""
    wish = request.reasoning
    if not (wish.mode or wish.effort or wish.budget is not None):
        return
    if same and quirks.reasoning_field == "none":
        body.update(wish.extra or {})
        return
    if not quirks.takes_reasoning(model):
        return
    off = wish.mode == "off"
    field = quirks.reasoning_field
    value: Any
    if field == "reasoning_effort":
        value = "none" if off and "none" in quirks.efforts else None
        if not off:
            value = level(effort_of(wish), quirks.efforts)
        if value is not None:
            body[field] = value
    elif field == "reasoning":
        if off:
            body[field] = {"enabled": False}
        elif wish.budget is not None and not wish.effort:
            body[field] = {"max_tokens": wish.budget}
        else:
            body[field] = {"effort": level(effort_of(wish), quirks.efforts)}
    elif field == "enable_thinking":
        body[field] = not off
    else:
        body[field] = {"type": "disabled" if off else "enabled"}


def effort_of(wish: Reasoning) -> str:
    """The wish as one word; "medium" where the client left it to the model."""
    if wish.effort:
        return wish.effort
    if wish.budget is None:
        return "medium"
    return next((word for most, word in _BUCKETS if wish.budget <= most), "high")


def level(effort: str, known: tuple[str, ...]) -> str:
    """The level that a provider knows: the same, else the nearest one that is not weaker."""
    if effort in known or effort not in _LEVELS or not known:
        return effort if effort in known else (known[-1] if known else effort)
    at = _LEVELS.index(effort)
    return next((word for word in known if _LEVELS.index(word) >= at), known[-1])
