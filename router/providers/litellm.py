"""A real LiteLLM proxy, or our own stand-in for one."""

from __future__ import annotations

from router.providers.kind import Kind, Quirks

KIND = Kind(
    name="litellm",
    title="LiteLLM proxy",
    litellm=("litellm_proxy",),
    also={"openai_responses": "/responses", "openai_completions": "/completions"},
    quirks=Quirks(
        # It translates reasoning_effort and cache_control for whatever serves the model.
        reasoning_field="reasoning_effort",
        keeps_cache_control=True,
        replays_reasoning=True,  # its thinking_blocks and reasoning_content go back to Anthropic
    ),
)
