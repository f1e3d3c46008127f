"""Moonshot AI."""

from __future__ import annotations

from router.providers.kind import Kind, Quirks

KIND = Kind(
    name="moonshot",
    title="Moonshot AI",
    catalogue="moonshotai",
    telemetry="moonshot_ai",
    base="https://api.moonshot.ai/v1",
    keys=("MOONSHOT_API_KEY",),
    families=("kimi-", "moonshot-"),
    flagship="kimi-k3.1-pro",
    small="kimi-k2.7-code",
    litellm=("moonshot",),
    quirks=Quirks(
        # Kimi thinking models want reasoning_content of earlier tool turns back.
        replays_reasoning=True,
        tool_choice_required=False,  # its guide: tool_choice=required is not supported
    ),
)
