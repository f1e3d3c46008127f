"""Which names are taken for mistyped ones, and which are not."""

from __future__ import annotations

import pytest

from router.did_you_mean import mistyped
from router.settings import Provider


@pytest.mark.parametrize(
    ("listed", "asked", "meant"),
    [
        ("deepseek-chat deepseek-coder", "deepsek-coder", "deepseek-coder"),
        ("Claude-Sonnet-4-5", "claude-sonet-4-5", "Claude-Sonnet-4-5"),
        ("deepseek-chat", "DeepSeek-Chat", ""),  # it is the one
        ("claude-sonnet-4-5", "claude-sonnet-5", ""),  # another version, and another size
        ("google/gemini-2.5-pro", "google/gemini-2.5-flash", ""),
        ("claude-3-5-sonnet", "claude-3-5-sonnet:online", ""),
        ("qwen2.5-coder:latest", "qwen2.5-coder", ""),
        ("deepseek-chat", "deepseek-reasoner", ""),
        ("", "anything", ""),
    ],
)
def test_what_is_taken_for_mistyped(listed: str, asked: str, meant: str) -> None:
    provider = Provider("p", "openai_chat", "", "", models=tuple(listed.split()))
    assert mistyped(provider, asked) == (
        f"p lists no {asked!r}: is {meant} meant?" if meant else ""
    )
