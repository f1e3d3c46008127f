"""llama.cpp's own server (llama-server) on this machine."""

from __future__ import annotations

from router.providers.kind import Kind, Quirks

KIND = Kind(
    name="llama.cpp",
    title="llama.cpp",
    base="http://127.0.0.1:8080/v1",
    auth="none",  # unless it was started with --api-key
    litellm=("llamafile",),
    local=True,
    quirks=Quirks(replays_reasoning=True),  # its chat templates read `reasoning_content`
)
