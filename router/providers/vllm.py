"""vLLM's own server, as a rule on this machine or network."""

from __future__ import annotations

from router.providers.kind import Kind, Quirks

KIND = Kind(
    name="vllm",
    title="vLLM",
    base="http://127.0.0.1:8000/v1",
    auth="none",  # unless it was started with --api-key
    litellm=("hosted_vllm", "vllm"),
    local=True,
    quirks=Quirks(replays_reasoning=True),  # `reasoning_content` is taken back in tool loops
)
