"""What the model said, as output items: a message for each text, a reasoning item for each
thought, a call for each call.

Its one rule: an item has the same id, and is the same, wherever it is told: added, done, and in the
whole response.
"""

from __future__ import annotations

import msgspec

from router.formats.fields import json_object
from router.formats.openai_chat.writer import refused
from router.formats.openai_responses.thoughts import seal, seal_redacted
from router.formats.openai_responses.tools import Place
from router.messages import JSON, Image, Part, RedactedThinking, Text, Thinking, ToolUse

_encode = msgspec.json.Encoder().encode


class Items:
    """Makes the items of one answer. `names`: a tool's name at the provider → the client's."""

    def __init__(self, id: str, names: dict[str, str], places: dict[str, Place]) -> None:
        self._id = id
        self._names = names
        self._places = places

    def place(self, use: ToolUse) -> Place:
        """Where the tool that is called stands in the client's list."""
        name = self._names.get(use.name, use.name)
        return self._places.get(name) or Place(name)

    def item(self, part: Part, index: int, status: str = "completed") -> JSON | None:
        """The item that `part` is; None for what has no form here."""
        if isinstance(part, Text):
            sources = part.extra.get("annotations") if part.extra else None
            content = (
                [written(part.text, refused(part), sources)] if status != "in_progress" else []
            )
            return {
                "id": f"msg_{self._id}_{index}",
                "type": "message",
                "status": status,
                "role": "assistant",
                "content": content,
            }
        if isinstance(part, Thinking | RedactedThinking):
            return self._reasoning(part, index, status)
        if isinstance(part, Image):
            return self._image(part, index, status)
        return self._call(part, index, status) if isinstance(part, ToolUse) else None

    def _image(self, part: Image, index: int, status: str) -> JSON | None:
        if part.data is None:
            return None
        item: JSON = {"id": f"ig_{self._id}_{index}", "type": "image_generation_call"}
        told = part.data if status != "in_progress" else None
        return item | {"status": status, "result": told}

    def _reasoning(self, part: Thinking | RedactedThinking, index: int, status: str) -> JSON:
        item: JSON = {"id": f"rs_{self._id}_{index}", "type": "reasoning", "summary": []}
        if status == "in_progress":
            return item
        if isinstance(part, RedactedThinking):
            return item | {"encrypted_content": seal_redacted(part)}
        if part.text:
            item["summary"] = [summary(part.text)]
        if sealed := seal(part.signature):
            item["encrypted_content"] = sealed
        return item

    def _call(self, use: ToolUse, index: int, status: str) -> JSON:
        place = self.place(use)
        item: JSON = {
            "id": f"{'ctc' if place.custom else 'fc'}_{self._id}_{index}",
            "type": "custom_tool_call" if place.custom else "function_call",
            "status": status,
            "call_id": use.id or f"call_{self._id}_{index}",
            "name": place.name,
        }
        if place.namespace is not None:
            item["namespace"] = place.namespace
        if status == "in_progress":
            return item | {"input" if place.custom else "arguments": ""}
        if place.custom:
            return item | {"input": free_text(use)}
        return item | {"arguments": arguments(use)}


def arguments(use: ToolUse) -> str:
    """The text as the model wrote it, also where it is not JSON."""
    if use.arguments is not None and use.arguments.strip():
        return use.arguments
    return _encode(use.input or {}).decode()


def free_text(use: ToolUse) -> str:
    """What a custom tool is given: the one text of the function that stood for it."""
    text = arguments(use)
    given = json_object(text)
    input = given.get("input") if given else None
    return input if type(input) is str else text


def written(text: str, refusal: bool = False, sources: list[JSON] | None = None) -> JSON:
    """A part of a message."""
    if refusal:
        return {"type": "refusal", "refusal": text}
    return {"type": "output_text", "text": text, "annotations": sources or [], "logprobs": []}


def summary(text: str) -> JSON:
    return {"type": "summary_text", "text": text}
