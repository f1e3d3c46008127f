"""Zhipu's own platform in China (BigModel); Z.ai is the same vendor for the rest of the world."""

from __future__ import annotations

from router.providers.kind import Kind, Quirks

KIND = Kind(
    name="zhipu",
    title="Zhipu BigModel",
    base="https://open.bigmodel.cn/api/paas/v4",
    keys=("ZHIPUAI_API_KEY", "ZHIPU_API_KEY"),
    flagship="glm-5.3",
    small="glm-5.3-flash",
    litellm=("zhipuai",),
    quirks=Quirks(
        reasoning_field="thinking",  # {"type": "enabled"|"disabled"}; on when nothing is said
        replays_reasoning=True,
        tool_choice_required=False,  # its reference knows only "auto"
        drops=("frequency_penalty", "presence_penalty", "stream_options", "max_completion_tokens"),
        stream_usage=False,  # its streams carry usage unasked
        most_stops=1,
    ),
)
