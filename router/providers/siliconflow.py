"""SiliconFlow: many open models behind one OpenAI-like endpoint."""

from __future__ import annotations

from router.providers.kind import Kind, Quirks

KIND = Kind(
    name="siliconflow",
    title="SiliconFlow",
    base="https://api.siliconflow.cn/v1",
    hosts="api.siliconflow.*",  # .com is the one for the rest of the world
    keys=("SILICONFLOW_API_KEY",),
    flagship="deepseek-ai/DeepSeek-V4-Pro",
    small="deepseek-ai/DeepSeek-V4-Flash",
    litellm=("siliconflow",),
    quirks=Quirks(
        reasoning_field="enable_thinking",  # its reference: "for most reasoning models"
        replays_reasoning=True,
    ),
)
