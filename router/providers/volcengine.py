"""Volcengine Ark, which serves Doubao."""

from __future__ import annotations

from router.providers.kind import Kind, Quirks

KIND = Kind(
    name="volcengine",
    title="Volcengine Ark",
    base="https://ark.cn-beijing.volces.com/api/v3",
    hosts="ark.*.volces.com",
    keys=("ARK_API_KEY", "VOLCENGINE_API_KEY"),
    families=("doubao-",),
    flagship="doubao-seed-1-6-251015",
    small="doubao-seed-1-6-flash-250828",
    litellm=("volcengine",),
    quirks=Quirks(
        reasoning_field="thinking",  # {"type": "enabled"|"disabled"|"auto"}
        reasoning_models=("doubao-seed", "deepseek-"),
        replays_reasoning=True,
    ),
)
