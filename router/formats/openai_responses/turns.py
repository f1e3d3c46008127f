"""The turns of a conversation as input items.

Its one rule: every call of a tool is answered before anybody speaks again, and every result
answers a call; OpenAI refuses an input where that is not so. Byte-stable: the same turns give the
same items.
"""

from __future__ import annotations

from typing import Any

import msgspec

from router.formats.failures import unfit
from router.formats.names import plain
from router.formats.openai_chat.turns import BILLING, text_of
from router.formats.openai_chat.writer import refused
from router.formats.openai_responses.output import arguments
from router.formats.openai_responses.thoughts import write_thought
from router.formats.openai_responses.tools import Place, places
from router.messages import (
    FILES,
    JSON,
    Document,
    Image,
    Message,
    Opaque,
    Part,
    Request,
    Text,
    Thinking,
    ToolResult,
    ToolUse,
)
from router.settings import Provider

_NO_OUTPUT = "(no output)"
_NO_RESULT = "(no result)"
_encode = msgspec.json.Encoder().encode


class Turns:
    """`items` grows by the turns that are fed in order; `settle` ends them."""

    def __init__(self, request: Request, provider: Provider) -> None:
        self.items: list[JSON] = []
        self._provider = provider
        self._same = request.dialect == "openai_responses"
        self._places: dict[str, Place] = places(request.body) if self._same else {}
        self._pending: dict[str, bool] = {}  # calls not yet answered, and whether they are custom
        self._held: list[JSON] = []  # system texts that came between a call and its result

    @staticmethod
    def kept(parts: list[Part]) -> list[Part]:
        """Without the block that changes with every call."""
        return [p for p in parts if not (isinstance(p, Text) and p.text.startswith(BILLING))]

    def turn(self, message: Message) -> None:
        if message.role == "assistant":
            self._assistant(message)
        elif message.role == "user":
            self._user(message)
        elif content := self._content(self.kept(message.parts)):
            item = {"role": "developer", "content": content}
            (self._held if self._pending else self.items).append(item)

    def settle(self) -> None:
        """Answers what nobody answered."""
        for id, custom in self._pending.items():
            self._answer(id, custom, _NO_RESULT)
        self._pending.clear()
        self.items += self._held
        self._held.clear()

    def _user(self, message: Message) -> None:
        said: list[Part] = []
        for part in message.parts:
            if type(part) is ToolResult:
                if part.tool_use_id in self._pending:
                    custom = self._pending.pop(part.tool_use_id)
                    self._answer(part.tool_use_id, custom, self._result(part))
            elif type(part) is Opaque and self._is_item(part):
                self.items.append(part.body["item"])
            else:
                said.append(part)
        if content := self._content(said):
            self.settle()
            self.items.append({"role": "user", "content": content})
        elif not self._pending:
            self.settle()

    def _answer(self, id: str, custom: bool, output: Any) -> None:
        kind = "custom_tool_call_output" if custom else "function_call_output"
        self.items.append({"type": kind, "call_id": plain(id), "output": output})

    def _result(self, result: ToolResult) -> Any:
        content = self._content(result.parts)
        if all(part["type"] == "input_text" for part in content):
            text = "\n\n".join(part["text"] for part in content) or _NO_OUTPUT
            return f"Error: {text}" if result.is_error and not text.startswith("Error") else text
        return content

    def _assistant(self, message: Message) -> None:
        self.settle()
        words: list[JSON] = []

        def tell() -> None:
            if words:
                self.items.append({"role": "assistant", "content": words.copy()})
                words.clear()

        for part in message.parts:
            if isinstance(part, Text):
                if part.text:
                    words.append(_said(part))
                continue
            if type(part) is Opaque and (told := text_of(part)):
                words.append(_said(Text(told)))
                continue
            tell()
            if isinstance(part, ToolUse):
                self._call(part)
            elif isinstance(part, Thinking):
                if (thought := write_thought(part)) is not None:
                    self.items.append(thought)
            elif isinstance(part, Opaque) and self._is_item(part):
                self.items.append(part.body["item"])
        tell()

    def _call(self, use: ToolUse) -> None:
        place = self._places.get(use.name) or Place(plain(use.name))
        self._pending[use.id] = place.custom
        item: JSON = {"call_id": plain(use.id), "name": place.name}
        if place.namespace is not None:
            item["namespace"] = place.namespace
        if place.custom:
            given = use.input.get("input", "") if isinstance(use.input, dict) else ""
            self.items.append({"type": "custom_tool_call", **item, "input": given})
        else:
            self.items.append({"type": "function_call", **item, "arguments": arguments(use)})

    def _is_item(self, part: Opaque) -> bool:
        return self._same and "item" in part.body

    def _content(self, parts: list[Part]) -> list[JSON]:
        return [body for part in parts if (body := self._part(part)) is not None]

    def _part(self, part: Part) -> JSON | None:
        if isinstance(part, Document) and part.url is not None:
            return {"type": "input_file", "file_url": part.url}
        text = text_of(part)
        if text is not None:
            return {"type": "input_text", "text": text} if text else None
        if isinstance(part, Image):
            url = part.url or f"data:{part.media_type or 'image/png'};base64,{part.data}"
            detail = (part.extra or {}).get("detail", "auto")
            return {"type": "input_image", "image_url": url, "detail": detail}
        if isinstance(part, Document):
            data = f"data:{part.media_type or 'application/pdf'};base64,{part.data}"
            return {
                "type": "input_file",
                "filename": part.name or "document.pdf",
                "file_data": data,
            }
        if isinstance(part, Opaque) and self._is_item(part):
            item: JSON = part.body["item"]
            return item
        if isinstance(part, Opaque) and part.kind in FILES:
            raise unfit(self._provider, f"parts of the type {part.kind!r}")
        return None


def _said(part: Text) -> JSON:
    if refused(part):
        return {"type": "refusal", "refusal": part.text}
    return {"type": "output_text", "text": part.text}
