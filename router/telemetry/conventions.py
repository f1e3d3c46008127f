"""What OpenTelemetry is told of a request and of each call of a provider: the names of the GenAI
conventions where they have one, `pointsman.…` where they have none.

One rule: pure, and never a word of a prompt or an answer. What is not known is not said: an empty
value would be shown as one.
(open-telemetry/semantic-conventions-genai, docs/gen-ai: client-inference.md, gen-ai-metrics.md)
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple
from urllib.parse import urlsplit

from router.contract import AttemptView, Facts, RequestView
from router.providers import KINDS

Value = str | bool | int | float | tuple[str, ...]
Words = dict[str, Value]
_PORTS = {"http": 80, "https": 443}
#: operations by a request's endpoint; what the conventions have no name for keeps its own
_OPERATIONS = {"images": "generate_content", "audio": "generate_content", "compact": "chat"}
#: what is asked for, where it is not text
_OUTPUTS = {"images": "image"}
#: why an answer ended, by our own words for it (messages.StopReason)
_REASONS = {
    "end_turn": "stop",
    "stop_sequence": "stop",
    "max_tokens": "length",
    "context_full": "length",
    "tool_use": "tool_call",
    "refusal": "content_filter",
}


class Callee(NamedTuple):
    """Who was called: the kind of a provider, and its address, "" where it has none."""

    kind: str = ""
    url: str = ""


def of_request(view: RequestView, facts: Facts) -> Words:
    return _known(
        {
            "gen_ai.operation.name": _operation(view),
            "gen_ai.request.model": view.asked or view.model,
            "gen_ai.response.model": view.model if view.state == "done" else "",
            "gen_ai.provider.name": "pointsman",
            "gen_ai.request.stream": view.stream or None,
            "gen_ai.request.reasoning.level": facts.effort,
            "gen_ai.output.type": _OUTPUTS.get(view.endpoint),
            "gen_ai.conversation.id": view.session,
            "http.response.status_code": view.status,
            "pointsman.request.id": view.id,
            "pointsman.request.sent_id": view.sent_id,
            "pointsman.door": view.door,
            "pointsman.rule": view.rule,
            "pointsman.target": f"{view.provider},{view.model}" if view.provider else "",
            "pointsman.simulated": view.simulated,
            "pointsman.client": view.client,
            "pointsman.key": view.key,
            "pointsman.project": view.project,
            "pointsman.team": view.team,
            "pointsman.user": view.user,
            "pointsman.cost.usd": None if view.cost is None else view.cost / 1e9,
        }
    )


def of_attempt(view: RequestView, attempt: AttemptView, callee: Callee, end: str) -> Words:
    """Of the callee's address its host alone is told. `end`: why the answer ended, "" where it did
    not come to one."""
    tokens, kind = attempt.tokens, KINDS.get(callee.kind)
    words = _known(
        {
            "gen_ai.operation.name": _operation(view),
            "gen_ai.provider.name": (kind and kind.telemetry) or attempt.provider,
            "gen_ai.request.model": attempt.model,
            "gen_ai.response.model": attempt.model if attempt.outcome == "ok" else "",
            "gen_ai.request.stream": view.stream or None,
            "gen_ai.output.type": _OUTPUTS.get(view.endpoint),
            "http.response.status_code": attempt.status,
            "pointsman.provider": attempt.provider,
            "pointsman.attempt": attempt.number,
            "pointsman.reason": attempt.reason,
            "pointsman.simulated": attempt.simulated,
            "pointsman.cost.usd": None if attempt.cost is None else attempt.cost / 1e9,
        }
    )
    if tokens.prompt or tokens.output:
        words |= {
            "gen_ai.usage.input_tokens": tokens.prompt,
            "gen_ai.usage.output_tokens": tokens.output,
            "gen_ai.usage.cache_read.input_tokens": tokens.cache_read,
            "gen_ai.usage.cache_creation.input_tokens": tokens.cache_write + tokens.cache_write_1h,
            "gen_ai.usage.reasoning.output_tokens": tokens.reasoning,
        }
        if tokens.estimated:
            words["pointsman.usage.estimated"] = True
        ended = _REASONS.get(end, end) if end or attempt.outcome == "ok" else "error"
        if ended:
            words["gen_ai.response.finish_reasons"] = (ended,)
    if (first := first_chunk(view, attempt)) is not None:
        words["gen_ai.response.time_to_first_chunk"] = first
    at = urlsplit(callee.url)
    if at.hostname:
        words["server.address"] = at.hostname
        words["server.port"] = at.port or _PORTS.get(at.scheme, 443)
    return words


def name_of(view: RequestView, model: str) -> str:
    """A span's name."""
    return f"{_operation(view)} {model}".strip()


def first_chunk(view: RequestView, attempt: AttemptView) -> float | None:
    """Seconds. It "SHOULD be reported for streaming calls and SHOULD NOT be reported otherwise"."""
    answered = attempt.status is not None and attempt.status < 300
    if not (view.stream and answered) or attempt.first_byte_ms is None:
        return None
    return attempt.first_byte_ms / 1000


def failure(view: RequestView, attempts: Sequence[AttemptView]) -> str:
    """The class of a request's error: its last call's, or else what its client was told."""
    last = attempts[-1].outcome if attempts else ""
    if last not in ("", "ok"):
        return last
    return view.state if view.state == "cancelled" or not view.status else str(view.status)


def _operation(view: RequestView) -> str:
    if view.dialect == "openai_completions":
        return "text_completion"
    return _OPERATIONS.get(view.endpoint, view.endpoint)


def _known(words: Mapping[str, Value | None]) -> Words:
    return {name: value for name, value in words.items() if value is not None and value != ""}
