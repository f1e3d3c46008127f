"""A client's Chat Completions request, read into the canonical conversation.

Its one rule: whatever has no place of its own is kept, in `extra` or as an `Opaque` part, so that
it reaches a provider of the same format.
"""

from __future__ import annotations

from typing import Any

from router.errors import CallerError
from router.formats.fields import (
    body_of,
    json_object,
    rest_of,
    take,
    take_each,
    take_model,
    text_of,
    wrong,
)
from router.formats.files import data_url, document
from router.formats.openai_chat.wishes import REASONING, read_reasoning
from router.messages import (
    JSON,
    Document,
    Image,
    Message,
    Opaque,
    Part,
    RedactedThinking,
    Request,
    Text,
    Thinking,
    Tool,
    ToolChoice,
    ToolResult,
    ToolUse,
)

NAME = "openai_chat"

_MESSAGE = frozenset(
    {
        "role",
        "content",
        "tool_calls",
        "function_call",
        "tool_call_id",
        "refusal",
        "reasoning",
        "reasoning_content",
        "reasoning_details",
        "thinking_blocks",
        "cache_control",
    }
)
#: fields that a Request has under the same name
_SAME = {
    "temperature": float,
    "top_p": float,
    "top_k": int,
    "max_tokens": int,
    "stream": bool,
    "response_format": dict,
    "user": str,
    "context": str,
}
#: what `_options` takes
_OPTIONS = frozenset(
    {
        *("max_completion_tokens", "stream_options", "stop"),
        *("tools", "functions", "tool_choice", "function_call", "parallel_tool_calls"),
        *REASONING,
    }
)
_TEXTS = frozenset({Text})
_TEXT = frozenset({"type", "text", "cache_control"})
_IMAGE = frozenset({"type", "image_url", "cache_control"})
_CALL = frozenset({"id", "type", "function", "index"})
_FUNCTION = frozenset({"name", "description", "parameters"})
_TOOL = frozenset({"type", "function", "cache_control"})


def parse_request(raw: bytes) -> Request:
    """Raises CallerError."""
    body = body_of(raw)
    left = dict(body)
    messages = left.pop("messages", None)
    if messages is None:
        raise CallerError("Missing required parameter: 'messages'.", param="messages")
    if type(messages) is not list:
        raise wrong("messages", list)
    if not messages:
        raise CallerError("messages: at least one message is required", param="messages")
    request = Request(
        dialect=NAME,
        model=take_model(left),
        messages=[],
        include_usage=False,
        body=body,
        raw=raw,
        **take_each(left, _SAME),
    )
    if not _OPTIONS.isdisjoint(left):
        _options(request, left)
    _messages(request, messages)
    request.extra = left
    return request


def _options(request: Request, left: JSON) -> None:
    """What many requests say nothing of, taken out of `left`."""
    options = take(left, "stream_options", dict) or {}
    request.include_usage = options.get("include_usage") is True
    limit = take(left, "max_completion_tokens", int)
    if limit is not None:
        request.max_tokens = limit
    request.tools = _tools(left)
    request.stop = _stop(left.pop("stop", None))
    request.tool_choice = _tool_choice(left)
    request.reasoning = read_reasoning(left)


def _messages(request: Request, messages: list[Any]) -> None:
    """System texts at the start are the request's own; later ones stay where they stand."""
    legacy = ""  # the id that stands for the last function_call, which had none
    told = request.messages
    for index, message in enumerate(messages):
        at = f"messages.{index}"
        if type(message) is not dict:
            raise wrong(at, dict)
        role = message.get("role")
        rest = rest_of(message, _MESSAGE) if len(message) > 2 else None
        if role == "user":
            parts = _content(message.get("content"), at)
            told.append(Message("user", parts, rest))
        elif role == "assistant":
            if message.get("function_call"):
                legacy = f"call_function_{index}"
            parts = _assistant(message, at, legacy)
            told.append(Message("assistant", parts, rest))
        elif role in ("tool", "function"):
            id = text_of(message, "tool_call_id", at) if role == "tool" else legacy
            parts = [ToolResult(id, _content(message.get("content"), at))]
            told.append(Message("user", parts))
        elif role in ("system", "developer"):
            parts = _content(message.get("content"), at)
            if told or not _TEXTS.issuperset(map(type, parts)):
                told.append(Message("system", parts, rest))
            else:
                request.system += parts
        else:
            raise CallerError(
                f'{at}.role: should be "system", "developer", "user", "assistant" or "tool"',
                param=f"{at}.role",
            )
        if "cache_control" in message:
            _mark(parts, message["cache_control"])


def _mark(parts: list[Part], cache: Any) -> None:
    """A mark on a whole message, as clients of LiteLLM set it, is one on its last part."""
    last = parts[-1] if parts else None
    if type(cache) is dict and isinstance(last, Text | Image | Document | ToolUse | ToolResult):
        last.cache = last.cache or cache


def _content(content: Any, at: str) -> list[Part]:
    if type(content) is str:
        return [Text(content)]
    if content is None:
        return []
    if type(content) is not list:
        raise wrong(f"{at}.content", list)
    return [_part(part, f"{at}.content.{index}") for index, part in enumerate(content)]


def _part(part: Any, at: str) -> Part:
    if type(part) is not dict:
        raise wrong(at, dict)
    kind = part.get("type")
    cache = part.get("cache_control")
    cache = cache if type(cache) is dict else None
    if kind in ("text", "refusal"):
        text = text_of(part, kind, at)
        return Text(text, cache, rest_of(part, _TEXT) if len(part) > 2 else None)
    if kind == "image_url":
        return _image(part, cache, at)
    if kind == "file" and type(part.get("file")) is dict:
        data = part["file"].get("file_data")
        if type(data) is str:
            media_type, data = data_url(data)
            name = part["file"].get("filename")
            return document(media_type, data, name if type(name) is str else None, cache)
    if type(kind) is not str:
        raise CallerError(f"{at}.type: Field required", param=f"{at}.type")
    return Opaque(kind, part)


def _image(part: JSON, cache: JSON | None, at: str) -> Part:
    image = part.get("image_url")
    if type(image) is str:
        image = {"url": image}
    if type(image) is not dict:
        raise wrong(f"{at}.image_url", dict)
    url = text_of(image, "url", f"{at}.image_url")
    extra = {key: value for key, value in image.items() if key != "url"} or None
    if not url.startswith("data:"):
        return Image(url=url, cache=cache, extra=extra)
    media_type, data = data_url(url)
    return Image(media_type, data, cache=cache, extra=extra)


def _assistant(message: JSON, at: str, legacy: str) -> list[Part]:
    parts: list[Part] = [*_thoughts(message), *_content(message.get("content"), at)]
    refusal = message.get("refusal")
    if type(refusal) is str and refusal:
        parts.append(Text(refusal, extra={"refusal": True}))
    calls = message.get("tool_calls")
    if calls is not None and type(calls) is not list:
        raise wrong(f"{at}.tool_calls", list)
    for index, call in enumerate(calls or ()):
        parts.append(_call(call, f"{at}.tool_calls.{index}"))
    function = message.get("function_call")
    if type(function) is dict:
        parts.append(_call({"id": legacy, "function": function}, f"{at}.function_call"))
    return parts


def _call(call: Any, at: str) -> Part:
    if type(call) is not dict:
        raise wrong(at, dict)
    function = call.get("function")
    if type(function) is not dict:
        kind = call.get("type")
        if type(kind) is str and kind != "function":
            return Opaque(kind, {"tool_call": call})
        raise wrong(f"{at}.function", dict)
    arguments = function.get("arguments")
    if type(arguments) is dict:
        arguments, input = None, arguments
    else:
        arguments = arguments if type(arguments) is str else ""
        input = json_object(arguments)
    return ToolUse(
        text_of(call, "id", at),
        text_of(function, "name", f"{at}.function"),
        input if input is not None else {},
        arguments,
        extra=rest_of(call, _CALL) if len(call) > 3 else None,
    )


def _thoughts(message: JSON) -> list[Part]:
    """Thinking of an earlier turn: as LiteLLM, as OpenRouter, as DeepSeek write it."""
    blocks = message.get("thinking_blocks")
    parts: list[Part] = []
    for block in blocks if type(blocks) is list else ():
        if type(block) is not dict:
            continue
        if type(block.get("data")) is str:
            parts.append(RedactedThinking(block["data"]))
        elif type(block.get("thinking")) is str:
            signature = block.get("signature")
            signature = signature if type(signature) is str and signature else None
            parts.append(Thinking(block["thinking"], signature))
    if parts:
        return parts
    details = message.get("reasoning_details")
    plain = message.get("reasoning_content") or message.get("reasoning")
    if type(details) is list and details:
        # Kept whole: OpenRouter wants them back unchanged.
        text = plain if type(plain) is str else ""
        return [Thinking(text, extra={"reasoning_details": details})]
    return [Thinking(plain)] if type(plain) is str and plain else []


def _tools(left: JSON) -> list[Tool]:
    """`tools`, or the older `functions`."""
    if "tools" not in left and "functions" not in left:
        return []
    tools = take(left, "tools", list)
    older = take(left, "functions", list)
    if tools is None and older:
        tools = [{"type": "function", "function": function} for function in older]
    found = []
    for index, tool in enumerate(tools or ()):
        at = f"tools.{index}"
        if type(tool) is not dict:
            raise wrong(at, dict)
        function = tool.get("function")
        kind = tool.get("type", "function")
        if type(function) is not dict or kind != "function":
            if type(kind) is not str or kind == "function":
                raise wrong(f"{at}.function", dict)
            found.append(Tool(str(tool.get("name") or kind), kind=kind, extra=tool))
            continue
        found.append(_tool(tool, function, at))
    return found


def _tool(tool: JSON, function: JSON, at: str) -> Tool:
    schema, description = function.get("parameters"), function.get("description")
    if schema is not None and type(schema) is not dict:
        raise wrong(f"{at}.function.parameters", dict)
    if description is not None and type(description) is not str:
        raise wrong(f"{at}.function.description", str)
    cache = tool.get("cache_control") or function.get("cache_control")
    return Tool(
        text_of(function, "name", f"{at}.function"),
        description,
        schema,
        cache=cache if type(cache) is dict else None,
        extra=rest_of(function, _FUNCTION | {"cache_control"}),
    )


def _tool_choice(left: JSON) -> ToolChoice | None:
    choice = left.pop("tool_choice", None)
    if choice is None:
        choice = left.pop("function_call", None)
        if type(choice) is dict:
            choice = {"type": "function", "function": choice}
    parallel = take(left, "parallel_tool_calls", bool)
    if choice is None:
        return None if parallel is None else ToolChoice(parallel=parallel)
    if choice in ("auto", "none"):
        return ToolChoice(choice, parallel=parallel)
    if choice in ("required", "any"):
        return ToolChoice("any", parallel=parallel)
    if type(choice) is dict and type(choice.get("function")) is dict:
        name = text_of(choice["function"], "name", "tool_choice.function")
        return ToolChoice("tool", name, parallel)
    if type(choice) is dict and type(choice.get("type")) is str:
        left["tool_choice"] = choice  # allowed_tools and other kinds: for OpenAI alone
        return None if parallel is None else ToolChoice(parallel=parallel)
    raise CallerError(
        'tool_choice: should be "auto", "none", "required" or a function', param="tool_choice"
    )


def _stop(stop: Any) -> list[str]:
    if stop is None:
        return []
    if type(stop) is str:
        return [stop]
    if type(stop) is list and all(type(item) is str for item in stop):
        return stop
    raise CallerError("stop: should be a string or a list of strings", param="stop")
