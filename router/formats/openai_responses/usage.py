"""The usage object of a response ⇄ the normalised one.

Its one rule: the kinds of input never overlap, and nothing is ever below zero.
"""

from __future__ import annotations

from typing import Any

from router.formats.apart import apart
from router.formats.fields import count_of
from router.messages import JSON, Usage


def read_usage(body: Any, service: Any = None, searches: int = 0) -> Usage | None:
    """None for what is no usage. `service` is the tier, `searches` the web searches that the
    response tells of. Cached tokens, and those written to the cache, are inside the
    input."""
    if type(body) is not dict:
        return None
    inside, outside = body.get("input_tokens_details"), body.get("output_tokens_details")
    inside = inside if type(inside) is dict else {}
    outside = outside if type(outside) is dict else {}
    prompt, output = count_of(body.get("input_tokens")), count_of(body.get("output_tokens"))
    read = min(count_of(inside.get("cached_tokens")), prompt)
    written = min(count_of(inside.get("cache_write_tokens")), prompt - read)
    return Usage(
        input=prompt - read - written,
        cache_read=read,
        cache_write=written,
        output=output,
        reasoning=min(count_of(outside.get("reasoning_tokens")), output),
        apart=apart(service, searches=searches),
    )


def write_usage(usage: Usage) -> JSON:
    return {
        "input_tokens": usage.prompt,
        "input_tokens_details": {
            "cached_tokens": usage.cache_read,
            "cache_write_tokens": usage.cache_write + usage.cache_write_1h,
        },
        "output_tokens": usage.output,
        "output_tokens_details": {"reasoning_tokens": usage.reasoning},
        "total_tokens": usage.prompt + usage.output,
    }
