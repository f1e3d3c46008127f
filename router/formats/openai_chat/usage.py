"""OpenAI's usage object ⇄ the normalised one, with the ways in which providers differ.

Its one rule: the kinds of input never overlap, and nothing is ever below zero.
"""

from __future__ import annotations

from typing import Any

from router.contract import Apart
from router.formats.apart import apart
from router.formats.fields import count_of
from router.messages import JSON, Usage
from router.providers import Quirks


def _first(body: JSON, *keys: str) -> int:
    """The first of these counts that is one."""
    for key in keys:
        if key in body and (count := count_of(body[key])):
            return count
    return 0


def read_usage(body: Any, quirks: Quirks, service: Any = None) -> Usage | None:
    """None for what is no usage. Cached tokens stand where OpenAI, DeepSeek or LiteLLM put them.
    `service`: the tier that the answer says it was served at."""
    if not isinstance(body, dict):
        return None
    prompt_details = body.get("prompt_tokens_details")
    output_details = body.get("completion_tokens_details")
    inside: JSON = prompt_details if isinstance(prompt_details, dict) else {}
    outside: JSON = output_details if isinstance(output_details, dict) else {}
    prompt = _first(body, "prompt_tokens", "input_tokens")
    output = _first(body, "completion_tokens", "output_tokens")
    read = _first(inside, "cached_tokens") or _first(
        body, "prompt_cache_hit_tokens", "cache_read_input_tokens"
    )
    written = _first(body, "cache_creation_input_tokens") or _first(
        inside, "cache_write_tokens", "cache_creation_tokens"
    )
    reasoning = _first(outside, "reasoning_tokens")
    uncached = prompt
    if quirks.cached_inside_prompt:
        read = min(read, prompt)
        # Some count what they write to the cache beside the prompt: then it cannot be inside.
        uncached = prompt - read - (written if written <= prompt - read else 0)
    # xAI and Gemini count thinking beside the completion; only the total tells.
    beyond = count_of(body.get("total_tokens")) - prompt - output
    if beyond > 0 and (beyond == reasoning or not (reasoning or read or written)):
        output += beyond
        reasoning = reasoning or beyond
    return Usage(
        input=uncached,
        cache_read=read,
        cache_write=written,
        output=output,
        reasoning=min(reasoning, output),
        apart=_apart(inside, outside, service, uncached, output),
    )


def _apart(inside: JSON, outside: JSON, service: Any, uncached: int, output: int) -> Apart | None:
    """Cached sound is not told apart: what was not cached is the most that can cost as sound."""
    if service is None and not ("audio_tokens" in inside or "audio_tokens" in outside):
        return None
    return apart(
        service,
        audio_in=min(count_of(inside.get("audio_tokens")), uncached),
        audio_out=min(count_of(outside.get("audio_tokens")), output),
    )


def write_usage(usage: Usage) -> JSON:
    written = usage.cache_write + usage.cache_write_1h
    body: JSON = {
        "prompt_tokens": usage.prompt,
        "completion_tokens": usage.output,
        "total_tokens": usage.prompt + usage.output,
        "prompt_tokens_details": {"cached_tokens": usage.cache_read},
        "completion_tokens_details": {"reasoning_tokens": usage.reasoning},
    }
    if written:
        body["prompt_tokens_details"]["cache_write_tokens"] = written
    if written or usage.cache_read:
        # As LiteLLM says it, for clients that price the two kinds apart.
        body["cache_creation_input_tokens"] = written
        body["cache_read_input_tokens"] = usage.cache_read
    return body
