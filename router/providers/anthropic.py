"""Anthropic's own API."""

from __future__ import annotations

from router.providers.kind import Kind, Quirks

KIND = Kind(
    name="anthropic",
    title="Anthropic",
    telemetry="anthropic",
    base="https://api.anthropic.com",
    path="/v1/messages",
    format="anthropic_messages",
    auth="x-api-key",
    keys=("ANTHROPIC_API_KEY",),
    # ANTHROPIC_BASE_URL is documented, but it is the very variable that points Claude Code at us:
    # following it would send requests round in a circle.
    families=("claude-",),
    flagship="claude-opus-5-5",
    small="claude-haiku-5-5",
    models=("claude-sonnet-5-5", "claude-haiku-4-5"),
    litellm=("anthropic",),
    quirks=Quirks(
        reasoning_field="thinking",
        stream_usage=False,  # its streams always carry usage; stream_options would be refused
        keeps_cache_control=True,
        replays_reasoning=True,  # signed thinking must come back with the tool results
        cached_inside_prompt=False,  # input_tokens excludes cache reads and writes
    ),
)
