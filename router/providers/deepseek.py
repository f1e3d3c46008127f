"""DeepSeek's own API."""

from __future__ import annotations

from router.providers.kind import Kind, Quirks

KIND = Kind(
    name="deepseek",
    title="DeepSeek",
    telemetry="deepseek",
    base="https://api.deepseek.com/v1",
    keys=("DEEPSEEK_API_KEY",),
    families=("deepseek-",),
    flagship="deepseek-v4-pro",
    small="deepseek-flash",
    models=("deepseek-chat", "deepseek-reasoner", "deepseek-coder"),
    litellm=("deepseek",),
    quirks=Quirks(
        # {"type": "enabled"|"disabled"} switches it; it is on when nothing is said. The old names
        # deepseek-chat and -reasoner choose by their name and ignore the field.
        reasoning_field="thinking",
        efforts=("low", "high", "max"),
        # In a tool loop a turn that comes back without its reasoning_content is answered with 400.
        replays_reasoning=True,
    ),
)
