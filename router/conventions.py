"""What OpenTelemetry is told of a request and of each call of a provider: the names of the GenAI
conventions where they have one, `pointsman.…` where they have none.

One rule: pure, and never a word of a prompt or an answer. What is not known is not said: an empty
value would be shown as one.
"""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlsplit

from router.contract import AttemptView, RequestView

Value = str | bool | int | float
Words = dict[str, Value]
_PORTS = {"http": 80, "https": 443}


def of_request(view: RequestView) -> Words:
    return _known(
        {
            "gen_ai.operation.name": _operation(view.endpoint),
            "gen_ai.request.model": view.asked or view.model,
            "gen_ai.response.model": view.model if view.state == "done" else "",
            "gen_ai.provider.name": "pointsman",
            "gen_ai.request.stream": view.stream,
            "gen_ai.conversation.id": view.session,
            "http.response.status_code": view.status,
            "pointsman.request.id": view.id,
            "pointsman.door": view.door,
            "pointsman.rule": view.rule,
            "pointsman.target": f"{view.provider},{view.model}" if view.provider else "",
            "pointsman.simulated": view.simulated,
            "pointsman.client": view.client,
            "pointsman.key": view.key,
            "pointsman.cost.usd": None if view.cost is None else view.cost / 1e9,
        }
    )


def of_attempt(view: RequestView, attempt: AttemptView, url: str) -> Words:
    """`url` is where the provider was called, or "": its host alone is told."""
    tokens = attempt.tokens
    words = _known(
        {
            "gen_ai.operation.name": _operation(view.endpoint),
            "gen_ai.provider.name": attempt.provider,
            "gen_ai.request.model": attempt.model,
            "gen_ai.response.model": attempt.model if attempt.outcome == "ok" else "",
            "gen_ai.request.stream": view.stream,
            "http.response.status_code": attempt.status,
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
    at = urlsplit(url)
    if at.hostname:
        words["server.address"] = at.hostname
        words["server.port"] = at.port or _PORTS.get(at.scheme, 443)
    return words


def name_of(endpoint: str, model: str) -> str:
    """A span's name."""
    return f"{_operation(endpoint)} {model}".strip()


def _operation(endpoint: str) -> str:
    return endpoint if endpoint in ("chat", "embeddings") else "chat"


def _known(words: Mapping[str, Value | None]) -> Words:
    return {name: value for name, value in words.items() if value is not None and value != ""}
