"""Any server that speaks OpenAI's chat format and about which nothing more is known."""

from __future__ import annotations

from router.providers.kind import Kind, Quirks

_OPENAIS = ("o1", "o3", "o4", "gpt-5", "gpt-6", "codex-")

KIND = Kind(
    name="compatible",
    title="OpenAI-compatible server",
    litellm=("openai_like", "custom_openai"),
    # vLLM, SGLang and LM Studio take stream_options and ignore fields they do not know; none of
    # them is known to take a wish for thinking in one agreed field, so none is sent.
    # OpenAI's own models behind somebody's gateway: max_tokens and a temperature are a 400 there,
    # too. LiteLLM goes by these names as well.
    quirks=Quirks(newer_limit=_OPENAIS, fixed_sampling=_OPENAIS),
)
