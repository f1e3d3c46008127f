"""An OpenAI-compatible server whose thinking is switched by `enable_thinking`.

Chosen by CCR's `reasoning` transformer: Qwen's hosts, SiliconFlow, ModelScope and vLLM's chat
templates take that switch, and nothing in an address tells that they do.
"""

from __future__ import annotations

from router.providers.kind import Kind, Quirks

KIND = Kind(
    name="thinking",
    title="OpenAI-compatible server with enable_thinking",
    quirks=Quirks(reasoning_field="enable_thinking"),
)
