"""Anthropic's usage object ⇄ the normalised one. Its four kinds of input never overlap."""

from __future__ import annotations

from typing import Any

from router.contract import Apart
from router.formats.apart import apart
from router.formats.fields import count_of
from router.messages import JSON, Usage


def read_usage(body: Any, before: Usage | None = None) -> Usage | None:
    """`before` is what message_start said: message_delta repeats only what it knows better."""
    if not isinstance(body, dict):
        return before
    known = before or Usage()
    written = count_of(body.get("cache_creation_input_tokens"))
    hour = 0
    if isinstance(split := body.get("cache_creation"), dict):
        hour = count_of(split.get("ephemeral_1h_input_tokens"))
        written = max(written, hour + count_of(split.get("ephemeral_5m_input_tokens")))
    elif written == known.cache_write + known.cache_write_1h:
        hour = known.cache_write_1h
    details = body.get("output_tokens_details")
    thought = details.get("thinking_tokens") if isinstance(details, dict) else None
    return Usage(
        input=count_of(body.get("input_tokens")) or known.input,
        cache_read=count_of(body.get("cache_read_input_tokens")) or known.cache_read,
        cache_write=written - hour if written else known.cache_write,
        cache_write_1h=hour if written else known.cache_write_1h,
        output=count_of(body.get("output_tokens")) or known.output,
        reasoning=count_of(thought) or known.reasoning,
        apart=_apart(body, known.apart),
    )


def _apart(body: JSON, before: Apart | None) -> Apart | None:
    """The tier is told at the start, searches at the end."""
    served, tools = body.get("service_tier"), body.get("server_tool_use")
    if body.get("speed") == "fast":  # its fast mode, at a price of its own
        served = "fast"
    searches = tools.get("web_search_requests") if isinstance(tools, dict) else 0
    if before is not None:
        served, searches = served or before.service, searches or before.searches
    return apart(served, searches=searches)


def write_usage(usage: Usage) -> JSON:
    body: JSON = {
        "input_tokens": usage.input,
        "cache_creation_input_tokens": usage.cache_write + usage.cache_write_1h,
        "cache_read_input_tokens": usage.cache_read,
        "output_tokens": usage.output,
    }
    if usage.cache_write_1h:
        body["cache_creation"] = {
            "ephemeral_5m_input_tokens": usage.cache_write,
            "ephemeral_1h_input_tokens": usage.cache_write_1h,
        }
    return body
