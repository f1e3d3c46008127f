"""Z.ai."""

from __future__ import annotations

from router.providers.kind import Kind, Quirks

KIND = Kind(
    name="zai",
    title="Z.ai",
    base="https://api.z.ai/api/paas/v4",
    keys=("ZAI_API_KEY",),
    families=("glm-", "GLM-"),
    flagship="glm-5.3",
    small="glm-5.3-flash",
    litellm=("zai",),
    quirks=Quirks(
        reasoning_field="thinking",  # {"type": "enabled"|"disabled"}; on when nothing is said
        replays_reasoning=True,
        tool_choice_required=False,  # its reference knows only "auto"
        most_stops=1,
    ),
)
