"""The built-in simulator: it speaks every dialect and takes what each of them may hold."""

from __future__ import annotations

from router.providers.kind import Kind, Quirks

KIND = Kind(
    name="simulator",
    title="built-in simulator",
    auth="none",
    quirks=Quirks(reasoning_field="reasoning_effort", replays_reasoning=True),
)
