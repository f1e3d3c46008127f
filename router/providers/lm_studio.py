"""LM Studio's server on this machine."""

from __future__ import annotations

from router.providers.kind import Kind, Quirks

KIND = Kind(
    name="lm-studio",
    title="LM Studio",
    base="http://127.0.0.1:1234/v1",
    auth="none",
    litellm=("lm_studio",),
    local=True,
    quirks=Quirks(),
)
