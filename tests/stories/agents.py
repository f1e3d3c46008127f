"""A router between a real client program and the fake provider, for the stories of such programs.

A provider of either dialect answers alike: a request that offers tools is answered by a call of
one, its result by the last words, and any other request by words.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.fakes.upstream import Behaviour, FakeUpstream, Seen

#: model groups by the dialect of their provider
MODELS = ("claude-there", "gpt-there")
LAST = "All is done."


def between(folder: Path, upstream: FakeUpstream) -> Path:
    """A home whose groups MODELS are served by the fake, in Anthropic's and OpenAI's dialect."""
    at = {"claude-there": ("anthropic", upstream.url("")), "gpt-there": ("openai", upstream.base)}
    entries = [
        {
            "model_name": name,
            "litellm_params": {"model": f"{kind}/{name}", "api_base": base, "api_key": "p"},
        }
        for name, (kind, base) in at.items()
    ]
    folder.mkdir(parents=True)
    document = {"model_list": entries, "router_settings": {"num_retries": 0}}
    (folder / "litellm-config.yaml").write_text(json.dumps(document))
    return folder


def calls_once(upstream: FakeUpstream, tool: Mapping[str, Any], mark: bytes) -> None:
    """`tool` as in Behaviour; `mark` is what the result that the client sends back has in it."""

    def script(seen: Seen) -> Behaviour:
        if not seen.json.get("tools"):
            return Behaviour(words=("Just ", "words."))
        if mark in seen.body:
            return Behaviour(words=("All ", "is done."))
        return Behaviour(words=("I will run it.",), tool=tool)

    upstream.script = script
