"""OpenAI's usage object ⇄ the normalised one, with the ways in which providers differ.

Its one rule: the kinds of input never overlap, and nothing is ever below zero.
"""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct

from router.contract import Apart
from router.formats.apart import apart
from router.formats.fields import MOST_TOKENS, count_of
from router.messages import JSON, Usage
from router.providers import Quirks

#: what count_of takes as it is
Count = Annotated[int, Meta(ge=0, le=MOST_TOKENS)] | None


class Details(Struct, gc=False):
    """`prompt_tokens_details` or `completion_tokens_details`."""

    cached_tokens: Count = 0
    cache_write_tokens: Count = 0
    cache_creation_tokens: Count = 0
    reasoning_tokens: Count = 0
    audio_tokens: Count = 0


class Told(Struct, gc=False):
    """A usage object whose counts are counts, as nearly every provider's are: C reads it."""

    prompt_tokens: Count = 0
    input_tokens: Count = 0
    completion_tokens: Count = 0
    output_tokens: Count = 0
    total_tokens: Count = 0
    prompt_tokens_details: Details | None = None
    completion_tokens_details: Details | None = None
    #: cached tokens stand in the details at OpenAI, here at DeepSeek or LiteLLM
    prompt_cache_hit_tokens: Count = 0
    cache_read_input_tokens: Count = 0
    cache_creation_input_tokens: Count = 0


_NO_DETAILS = Details()


def read_usage(body: Any, quirks: Quirks, service: Any = None) -> Usage | None:
    """None for what is no usage. `service`: the tier that the answer says it was served at."""
    if type(body) is not dict:
        return None
    try:
        told = msgspec.convert(body, Told)
    except msgspec.ValidationError:
        told = _forgiven(body)
    return usage_of(told, quirks, service)


def _forgiven(body: JSON) -> Told:
    """One of which something is no count: that counts as nothing, the rest as it is."""
    inside, outside = body.get("prompt_tokens_details"), body.get("completion_tokens_details")
    counts = _counts(body, Told) | {
        "prompt_tokens_details": Details(**_counts(inside, Details)),
        "completion_tokens_details": Details(**_counts(outside, Details)),
    }
    return Told(**counts)


def _counts(body: Any, kind: type[Struct]) -> JSON:
    names = kind.__struct_fields__ if type(body) is dict else ()
    return {name: count_of(body[name]) for name in names if name in body}


def usage_of(told: Told, quirks: Quirks, service: Any = None) -> Usage:
    """As `read_usage`."""
    inside = told.prompt_tokens_details or _NO_DETAILS
    outside = told.completion_tokens_details or _NO_DETAILS
    prompt = told.prompt_tokens or told.input_tokens or 0
    output = told.completion_tokens or told.output_tokens or 0
    read = inside.cached_tokens or told.prompt_cache_hit_tokens or told.cache_read_input_tokens or 0
    written = (
        told.cache_creation_input_tokens
        or inside.cache_write_tokens
        or inside.cache_creation_tokens
        or 0
    )
    reasoning = outside.reasoning_tokens or 0
    uncached = prompt
    if quirks.cached_inside_prompt:
        read = min(read, prompt)
        uncached -= read
        # Some count what they write to the cache beside the prompt: then it cannot be inside.
        if written <= uncached:
            uncached -= written
    # xAI and Gemini count thinking beside the completion; only the total tells.
    beyond = (told.total_tokens or 0) - prompt - output
    if beyond > 0 and (beyond == reasoning or not (reasoning or read or written)):
        output += beyond
        reasoning = reasoning or beyond
    told_apart: Apart | None = None
    if service is not None or inside.audio_tokens or outside.audio_tokens:
        # cached sound is not told apart: what was not cached is the most that can cost as sound
        sound, said = min(inside.audio_tokens or 0, uncached), outside.audio_tokens or 0
        told_apart = apart(service, audio_in=sound, audio_out=min(said, output))
    return Usage(
        input=uncached,
        cache_read=read,
        cache_write=written,
        output=output,
        reasoning=min(reasoning, output),
        apart=told_apart,
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
