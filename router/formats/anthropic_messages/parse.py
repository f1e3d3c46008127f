"""A client's Anthropic Messages request, read into the canonical conversation.

Its one rule: whatever has no place of its own is kept, in `extra` or as an `Opaque` block. A
request may lack `model` and `max_tokens`: count_tokens has no second, the simplest curl neither.
"""

from __future__ import annotations

from typing import Any, Literal

from router.errors import CallerError
from router.formats.fields import (
    body_of,
    missing,
    rest_of,
    take,
    take_each,
    take_model,
    text_of,
    wrong,
)
from router.messages import (
    JSON,
    Document,
    Image,
    Message,
    Opaque,
    Part,
    Reasoning,
    RedactedThinking,
    Request,
    Role,
    Text,
    Thinking,
    Tool,
    ToolChoice,
    ToolResult,
    ToolUse,
)

NAME = "anthropic_messages"

#: fields that a Request has under the same name
_SAME = {
    "max_tokens": int,
    "temperature": float,
    "top_p": float,
    "top_k": int,
    "stream": bool,
    "context": str,
}
_ROLES: dict[Any, Role] = {
    "user": "user",
    "assistant": "assistant",
    "system": "system",
    "developer": "system",
}
_TEXT = frozenset({"type", "text", "cache_control"})
_THINKING = frozenset({"type", "thinking", "signature"})
_IMAGE = frozenset({"type", "source", "cache_control"})
_DOCUMENT = frozenset({"type", "source", "title", "cache_control"})
_TOOL_USE = frozenset({"type", "id", "name", "input", "cache_control"})
_TOOL_RESULT = frozenset({"type", "tool_use_id", "content", "is_error", "cache_control"})
_TOOL = frozenset({"type", "name", "description", "input_schema", "cache_control"})
_SOURCES = frozenset({"base64", "url", "text"})
_MODES: dict[str, Literal["on", "off", "adaptive"]] = {
    "enabled": "on",
    "disabled": "off",
    "adaptive": "adaptive",
}


def parse_request(raw: bytes) -> Request:
    """Raises CallerError."""
    body = body_of(raw)
    left = dict(body)
    messages = left.pop("messages", None)
    if type(messages) is not list:
        raise missing("messages") if messages is None else wrong("messages", list)
    if not messages:
        raise CallerError("messages: at least one message is required", param="messages")
    request = Request(
        dialect=NAME,
        model=take_model(left),
        messages=[_message(message, index) for index, message in enumerate(messages)],
        system=_parts(left.pop("system", None), "system"),
        body=body,
        raw=raw,
        **take_each(left, _SAME),
    )
    if "tools" in left:
        request.tools = _tools(take(left, "tools", list))
    if "tool_choice" in left:
        request.tool_choice = _tool_choice(take(left, "tool_choice", dict))
    if "stop_sequences" in left:
        request.stop = _strings(take(left, "stop_sequences", list), "stop_sequences")
    if "thinking" in left or "output_config" in left or "output_format" in left:
        _thinking(request, left)
    if "metadata" in left:
        _user(request, left)
    request.extra = left
    return request


def _message(message: Any, index: int) -> Message:
    if type(message) is not dict:
        raise wrong(f"messages.{index}", dict)
    role = message.get("role")
    known = _ROLES.get(role) if type(role) is str else None
    if known is None:
        raise CallerError(
            f'messages.{index}.role: should be "user", "assistant" or "system"',
            param=f"messages.{index}.role",
        )
    content = message.get("content")
    if type(content) is str:
        parts: list[Part] = [Text(content)]
    else:
        where = f"messages.{index}.content"
        if content is None:
            raise missing(where)
        parts = _parts(content, where)
    if len(message) == 2:
        return Message(known, parts)
    return Message(known, parts, rest_of(message, frozenset({"role", "content"})))


def _parts(content: Any, where: str) -> list[Part]:
    """A content: a string, a list of blocks, or nothing."""
    if type(content) is str:
        return [Text(content)]
    if content is None:
        return []
    if type(content) is not list:
        raise wrong(where, list)
    return [part_of(block, where, index) for index, block in enumerate(content)]


def part_of(block: Any, where: str = "content", index: int = 0) -> Part:
    """One content block, of a request or of an answer. Raises CallerError."""
    if type(block) is not dict:
        raise wrong(f"{where}.{index}", dict)
    kind = block.get("type")
    if kind == "text":
        text = block.get("text")
        if type(text) is not str:
            raise wrong(f"{where}.{index}.text", str)
        if len(block) == 2:
            return Text(text)
        return Text(text, _cache(block), rest_of(block, _TEXT))
    if kind == "tool_use":
        at = f"{where}.{index}"
        return ToolUse(
            text_of(block, "id", at),
            text_of(block, "name", at),
            block.get("input") or {},
            cache=_cache(block),
            extra=rest_of(block, _TOOL_USE) if len(block) > 4 else None,
        )
    if kind == "tool_result":
        at = f"{where}.{index}"
        return ToolResult(
            text_of(block, "tool_use_id", at),
            _parts(block.get("content"), f"{at}.content"),
            block.get("is_error") is True,
            cache=_cache(block),
            extra=rest_of(block, _TOOL_RESULT) if len(block) > 3 else None,
        )
    return _rare(block, kind, f"{where}.{index}")


def _rare(block: JSON, kind: Any, at: str) -> Part:
    if kind == "thinking":
        signature = block.get("signature")
        return Thinking(
            text_of(block, "thinking", at),
            # "" and null both mean that nobody signed it.
            signature if type(signature) is str and signature else None,
            rest_of(block, _THINKING),
        )
    if kind == "redacted_thinking" and type(block.get("data")) is str:
        return RedactedThinking(block["data"])
    source = block.get("source")
    if kind in ("image", "document") and type(source) is dict:
        form = source.get("type")
        if type(form) is str and form in _SOURCES:
            return _file(block, source, kind, at)
    if type(kind) is not str:
        raise missing(f"{at}.type")
    return Opaque(kind, block)


def _file(block: JSON, source: JSON, kind: str, at: str) -> Part:
    form = source["type"]
    media_type = source.get("media_type")
    if media_type is not None and type(media_type) is not str:
        raise wrong(f"{at}.source.media_type", str)
    if form == "url":
        data, url = None, text_of(source, "url", f"{at}.source")
    else:
        data, url = text_of(source, "data", f"{at}.source"), None
    if kind == "image":
        return Image(media_type, data, url, _cache(block), rest_of(block, _IMAGE))
    title = block.get("title")
    return Document(
        media_type,
        data if form == "base64" else None,
        url,
        data if form == "text" else None,
        title if type(title) is str else None,
        _cache(block),
        rest_of(block, _DOCUMENT),
    )


def _cache(block: JSON) -> JSON | None:
    cache = block.get("cache_control")
    return cache if type(cache) is dict else None


def _tools(tools: list[Any] | None) -> list[Tool]:
    found = []
    for index, tool in enumerate(tools or ()):
        at = f"tools.{index}"
        if type(tool) is not dict:
            raise wrong(at, dict)
        kind = tool.get("type")
        schema, description = tool.get("input_schema"), tool.get("description")
        if schema is not None and type(schema) is not dict:
            raise wrong(f"{at}.input_schema", dict)
        if description is not None and type(description) is not str:
            raise wrong(f"{at}.description", str)
        client_side = kind in (None, "custom")
        found.append(
            Tool(
                # A server tool of a new kind need not have a name.
                text_of(tool, "name", at) if client_side else str(tool.get("name") or kind),
                description,
                schema,
                "function" if client_side else str(kind),
                _cache(tool),
                rest_of(tool, _TOOL),
            )
        )
    return found


def _tool_choice(choice: JSON | None) -> ToolChoice | None:
    if choice is None:
        return None
    mode, alone = choice.get("type"), choice.get("disable_parallel_tool_use")
    if mode not in ("auto", "any", "none", "tool"):
        raise CallerError(
            'tool_choice.type: should be "auto", "any", "none" or "tool"', param="tool_choice.type"
        )
    return ToolChoice(
        mode,
        text_of(choice, "name", "tool_choice") if mode == "tool" else None,
        None if type(alone) is not bool else not alone,
    )


def _strings(values: list[Any] | None, where: str) -> list[str]:
    if values and any(type(value) is not str for value in values):
        raise CallerError(f"{where}: should be a list of strings", param=where)
    return values or []


def _thinking(request: Request, left: JSON) -> None:
    """`thinking` and `output_config`: how much to think, and the form of the answer."""
    thinking = take(left, "thinking", dict)
    config = dict(take(left, "output_config", dict) or {})
    effort = take(config, "effort", str)
    form = take(config, "format", dict) or take(left, "output_format", dict)
    if config:
        left["output_config"] = config
    if form and form.get("type") == "json_schema":
        request.response_format = {
            "type": "json_schema",
            "json_schema": {"name": "answer", "schema": form.get("schema"), "strict": True},
        }
    elif form:
        left["output_format"] = form
    reasoning = Reasoning(effort=effort)
    if thinking is not None:
        mode = thinking.get("type")
        if mode is not None and type(mode) is not str:
            raise wrong("thinking.type", str)
        reasoning.mode = _MODES.get(mode or "")
        budget = thinking.get("budget_tokens")
        reasoning.budget = budget if type(budget) is int else None
        reasoning.extra = rest_of(thinking, frozenset({"type", "budget_tokens"}))
    request.reasoning = reasoning


def _user(request: Request, left: JSON) -> None:
    metadata = dict(take(left, "metadata", dict) or {})
    request.user = take(metadata, "user_id", str)
    if metadata:
        left["metadata"] = metadata
