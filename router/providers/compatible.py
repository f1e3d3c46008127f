"""Any server that speaks OpenAI's chat format and about which nothing more is known."""

from __future__ import annotations

from router.providers.kind import Kind, Quirks

KIND = Kind(
    name="compatible",
    title="OpenAI-compatible server",
    litellm=("openai_like", "custom_openai"),
    # vLLM, SGLang and LM Studio take stream_options and ignore fields they do not know; none of
    # them is known to take a wish for thinking in one agreed field, so none is sent.
    quirks=Quirks(),
)
