"""The turns of a conversation as Chat Completions messages.

Its one rule: every call of a tool is answered, in its place, before anybody speaks again; OpenAI
refuses a conversation where that is not so. Byte-stable: the same turns give the same messages.
"""

from __future__ import annotations

from typing import Any

import msgspec

from router.formats.failures import unfit
from router.formats.names import plain
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
from router.providers import Quirks
from router.settings import Provider

#: a block that changes with every call and would spoil the provider's cache of the prefix
BILLING = "x-anthropic-billing-header"
_NO_OUTPUT = "(no output)"
_NO_RESULT = "(no result)"
#: what Gemini 3 accepts for a call whose thought signature is lost
_UNSIGNED = {"google": {"thought_signature": "skip_thought_signature_validator"}}

_encode = msgspec.json.Encoder().encode


class Turns:
    """`messages` grows by the turns that are fed in order; `settle` ends them."""

    def __init__(self, request: Request, provider: Provider, quirks: Quirks, model: str) -> None:
        self.messages: list[JSON] = []
        self._same = request.dialect == "openai_chat"
        self._marks = quirks.keeps_marks(model)
        self._provider = provider
        self._kind = provider.kind
        # Old R1 models refuse their own thoughts, all others of these providers want them.
        self._thoughts = quirks.replays_reasoning and "-r1" not in model.lower()
        self._details = quirks.reasoning_field == "reasoning"
        self._pending: dict[str, None] = {}  # calls not yet answered
        self._held: list[JSON] = []  # system texts that came between a call and its result

    def system(self, parts: list[Part], extra: JSON | None = None) -> None:
        said = [p for p in parts if not (isinstance(p, Text) and p.text.startswith(BILLING))]
        content = self._content(said)
        if content:
            message = self._message("system", content, extra)
            (self._held if self._pending else self.messages).append(message)

    def turn(self, message: Message) -> None:
        if message.role == "assistant":
            self._assistant(message)
        elif message.role == "user":
            self._user(message)
        else:
            self.system(message.parts, message.extra)

    def settle(self) -> None:
        """Answers what nobody answered."""
        if not (self._pending or self._held):
            return
        for id in self._pending:
            self._tool(id, _NO_RESULT)
        self._pending.clear()
        self.messages += self._held
        self._held.clear()

    def _message(self, role: str, content: Any, extra: JSON | None = None) -> JSON:
        message: JSON = {"role": role, "content": content}
        if extra and self._same:
            message.update(extra)
        return message

    def _tool(self, id: str, content: Any) -> None:
        self.messages.append({"role": "tool", "tool_call_id": plain(id), "content": content})

    def _user(self, message: Message) -> None:
        said: list[Part] = []
        shown: list[Part] = []  # pictures that a result held: a tool message takes only text
        for part in message.parts:
            if type(part) is ToolResult:
                # One that answers no call is dropped: it would be refused.
                if part.tool_use_id in self._pending:
                    del self._pending[part.tool_use_id]
                    self._tool(part.tool_use_id, self._result(part, shown))
            else:
                said.append(part)
        content = self._content(shown + said)
        if content:
            self.settle()
            self.messages.append(self._message("user", content, message.extra))
        elif not self._pending:
            self.settle()

    def _result(self, result: ToolResult, shown: list[Part]) -> Any:
        said: list[Part] = []
        for part in result.parts:
            (shown if isinstance(part, Image | Document) and not text_of(part) else said).append(
                part
            )
        content = self._content(said)
        if not content:
            content = "(see the attached file)" if len(said) < len(result.parts) else _NO_OUTPUT
        if result.is_error and isinstance(content, str) and not content.startswith("Error"):
            content = f"Error: {content}"
        return content

    def _assistant(self, message: Message) -> None:
        self.settle()
        said: list[Part] = []
        thoughts: list[Thinking] = []
        calls: list[JSON] = []
        for part in message.parts:
            if type(part) is ToolUse:
                calls.append(self._call(part, first=not calls))
                self._pending[part.id] = None
            elif type(part) is Thinking:
                thoughts.append(part)
            elif type(part) is Opaque and "tool_call" in part.body:
                calls.append(part.body["tool_call"])
                self._pending[str(part.body["tool_call"].get("id"))] = None
            else:
                said.append(part)
        content = self._content(said)
        if not content and not calls:
            return
        turn = self._message("assistant", content or None, message.extra)
        if self._thoughts and (calls or self._same):
            turn.update(self._replayed(thoughts, in_loop=bool(calls)))
        if calls:
            turn["tool_calls"] = calls
        self.messages.append(turn)

    def _call(self, use: ToolUse, first: bool) -> JSON:
        arguments = use.arguments
        if arguments is None:
            arguments = _encode(use.input).decode()
        call: JSON = {
            "id": plain(use.id),
            "type": "function",
            "function": {"name": plain(use.name), "arguments": arguments or "{}"},
        }
        if use.extra and self._same:
            call.update(use.extra)
        if self._kind == "gemini" and first:
            call.setdefault("extra_content", _UNSIGNED)
        return call

    def _replayed(self, thoughts: list[Thinking], in_loop: bool) -> JSON:
        """Thinking of an earlier turn, as the provider wants it back."""
        text = "\n".join(thought.text for thought in thoughts)
        if self._details:
            details = self._signed_details(thoughts)
            if details:
                return {"reasoning_details": details}
            return {"reasoning": text} if text else {}
        if self._kind == "litellm":
            blocks = [
                {"type": "thinking", "thinking": t.text, "signature": signature}
                for t in thoughts
                if (signature := _own_signature(t, self._kind))
            ]
            back: JSON = {"thinking_blocks": blocks} if blocks else {}
            return {**back, "reasoning_content": text} if text else back
        # DeepSeek and Kimi refuse a turn of a tool loop without the field, not an empty one.
        return {"reasoning_content": text} if text or in_loop else {}

    def _signed_details(self, thoughts: list[Thinking]) -> list[JSON]:
        details: list[JSON] = []
        for thought in thoughts:
            if thought.extra and "reasoning_details" in thought.extra:
                details += thought.extra["reasoning_details"]
            elif signature := _own_signature(thought, self._kind):
                details.append(
                    {"type": "reasoning.text", "text": thought.text, "signature": signature}
                )
        return details

    def _content(self, parts: list[Part]) -> str | list[JSON]:
        """A string wherever that says it all: many servers take nothing else."""
        if len(parts) == 1 and type(part := parts[0]) is Text and not (self._marks and part.cache):
            return part.text
        bodies = [body for part in parts if (body := self._part(part)) is not None]
        words = all(body["type"] == "text" and "cache_control" not in body for body in bodies)
        # marks move from turn to turn: several texts must not join behind one that has moved on
        if words and not ((self._same or self._marks) and len(bodies) > 1):
            return "\n\n".join(body["text"] for body in bodies)
        return bodies

    def _part(self, part: Part) -> JSON | None:
        text = text_of(part)
        body: JSON
        if text is not None:
            if not text:
                return None
            body = {"type": "text", "text": text}
        elif isinstance(part, Image):
            url = part.url or f"data:{part.media_type or 'image/png'};base64,{part.data}"
            body = {"type": "image_url", "image_url": {"url": url}}
            if part.extra and self._same:
                body["image_url"].update(part.extra)
        elif isinstance(part, Document):
            data = f"data:{part.media_type or 'application/pdf'};base64,{part.data}"
            name = part.name or "document.pdf"
            body = {"type": "file", "file": {"filename": name, "file_data": data}}
        elif isinstance(part, Opaque) and self._same:
            return part.body
        elif isinstance(part, Opaque) and part.kind in FILES:
            raise unfit(self._provider, f"parts of the type {part.kind!r}")
        else:
            return None
        if self._marks and isinstance(part, Text | Image | Document) and part.cache:
            body["cache_control"] = part.cache
        return body


def text_of(part: Part) -> str | None:
    """What a part says in words; None for one that has none."""
    if type(part) is Text:
        return part.text
    if type(part) is Document:
        if part.text is not None:
            return f"{part.name}:\n{part.text}" if part.name else part.text
        if part.url is not None:
            return f"(document at {part.url})"
    if type(part) is Opaque:
        return _opaque_text(part)
    return None


def _opaque_text(part: Opaque) -> str | None:
    """Anthropic's blocks that are text at heart."""
    body = part.body
    if part.kind == "search_result":
        inner = body.get("content")
        texts = [b.get("text") for b in inner if isinstance(b, dict)] if inner else []
        said = (body.get("title"), body.get("source"), *texts)
        return "\n".join(text for text in said if isinstance(text, str))
    if part.kind == "compaction" and isinstance(short := body.get("content"), str):
        return short  # what was said before: nothing else is left of it
    if part.kind == "document" and isinstance(source := body.get("source"), dict):
        return _custom_text(body, source.get("content"))
    if part.kind == "tool_reference" and isinstance(body.get("tool_name"), str):
        return f"(tool {body['tool_name']} is available)"
    return None


def _custom_text(body: JSON, content: Any) -> str | None:
    """A document that its owner cut into blocks; None where some are no text, or it is a file."""
    blocks = [{"type": "text", "text": content}] if isinstance(content, str) else content
    texts = [b.get("text") for b in blocks if isinstance(b, dict)] if blocks else []
    words = [text for text in (body.get("title"), *texts) if isinstance(text, str)]
    return "\n".join(words) if texts and all(isinstance(t, str) for t in texts) else None


def _own_signature(thought: Thinking, kind: str) -> str | None:
    """The signature that a provider of this kind gave, without our tag."""
    tag, _, signature = (thought.signature or "").partition(":")
    return signature if tag == kind and signature else None
