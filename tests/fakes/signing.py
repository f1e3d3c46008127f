"""A provider that signs its thoughts and refuses those that it did not sign, as the real ones do.

It speaks Anthropic's dialect, OpenAI's chat and OpenAI's Responses, by the path that is asked. It
refuses in the words of each: `refused` holds what it has not taken.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from tests.fakes.upstream import Behaviour, FakeUpstream, Seen

JSON = dict[str, Any]


class Signing(FakeUpstream):
    """`answers` are given one by one, the last of them for ever; `name` is in its words."""

    def __init__(self, name: str, *answers: Behaviour) -> None:
        super().__init__()
        self.name = name
        self.answers = list(answers) or [
            Behaviour(words=[f"words of {name}"], thinking=f"thoughts of {name}")
        ]
        self.issued: set[str] = set()
        self.refused: list[str] = []
        self._numbers = itertools.count(1)
        self.script = self._served

    def _served(self, seen: Seen) -> Behaviour | None:
        if not seen.path.startswith(("/v1/messages", "/v1/chat/completions", "/v1/responses")):
            return None
        asked = seen.json
        if words := self._complaint(seen.path, asked):
            self.refused.append(words)
            error = {"type": "invalid_request_error", "message": words}
            body = json.dumps({"type": "error", "error": error}).encode()
            return Behaviour(status=400, body=body)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        seal = f"{self.name}{next(self._numbers):04}=="
        self.issued.add(seal)
        return replace(answer, seal=seal)

    def _complaint(self, path: str, asked: JSON) -> str:
        if "chat" in path:
            text = json.dumps(asked["messages"])
            found = [key for key in ("signature", "thinking", "data") if f'"{key}": ' in text]
            return f"messages: unknown fields {found}" if found else ""
        if "responses" in path:
            for item in asked["input"]:
                sealed = item.get("encrypted_content")
                if sealed and sealed not in self.issued:
                    return f"The encrypted content {sealed} could not be verified."
            return ""
        for place, kind, sealed in _sealed(asked["messages"]):
            if sealed not in self.issued:
                field = "signature" if kind == "thinking" else "data"
                return f"{place}: Invalid `{field}` in `{kind}` block"
        return _unthought(asked)


def _sealed(messages: list[JSON]) -> Iterator[tuple[str, str, str]]:
    for number, message in enumerate(messages):
        blocks = message["content"] if isinstance(message["content"], list) else []
        for index, block in enumerate(blocks):
            if block["type"] in ("thinking", "redacted_thinking"):
                sealed = block.get("signature") or block.get("data") or ""
                yield f"messages.{number}.content.{index}", block["type"], sealed


def _unthought(asked: JSON) -> str:
    """With a budget the last turn of a tool loop must begin with a thought."""
    if asked.get("thinking", {}).get("type") != "enabled":
        return ""
    turns = [one for one in asked["messages"] if one["role"] == "assistant"]
    last = asked["messages"][-1]["content"]
    looping = isinstance(last, list) and last[0]["type"] == "tool_result"
    if looping and not turns[-1]["content"][0]["type"].endswith("thinking"):
        return "Expected `thinking` or `redacted_thinking`, but found `tool_use`"
    return ""
