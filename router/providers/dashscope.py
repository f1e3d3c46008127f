"""Alibaba Cloud Model Studio (DashScope), which serves Qwen; the mainland's address."""

from __future__ import annotations

from router.providers.kind import Kind, Quirks

KIND = Kind(
    name="dashscope",
    title="Alibaba DashScope",
    base="https://dashscope.aliyuncs.com/compatible-mode/v1",
    hosts="dashscope*.aliyuncs.com",  # the other regions' addresses
    keys=("DASHSCOPE_API_KEY",),
    families=("qwen-", "qwen3-", "qwq-"),
    flagship="qwen-max",
    small="qwen-flash",
    models=("qwen-plus", "qwen3-coder-plus"),
    litellm=("dashscope",),
    quirks=Quirks(
        # A switch that is no field of OpenAI's; models that cannot think ignore it.
        reasoning_field="enable_thinking",
        replays_reasoning=True,
        tool_choice_required=False,  # "auto", "none" or one function; "required" is refused
    ),
)
