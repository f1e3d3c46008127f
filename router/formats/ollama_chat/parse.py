"""A client's request to Ollama's /api/chat or /api/generate, read into the conversation.

Its one rule: Ollama's calls have no reliable ids, so a result belongs to the oldest call that has
its tool's name and was not answered; made-up ids depend on the place alone and stay byte-stable.
"""

from __future__ import annotations

from typing import Any

from router.errors import CallerError
from router.formats.fields import (
    body_of,
    rest_of,
    take,
    take_model,
    take_number,
    text_of,
    wrong,
)
from router.messages import (
    JSON,
    Image,
    Message,
    Part,
    Reasoning,
    Request,
    Text,
    Thinking,
    Tool,
    ToolResult,
    ToolUse,
)

NAME = "ollama_chat"
GENERATE = "ollama_generate"

_MESSAGE = frozenset(
    {"role", "content", "images", "tool_calls", "tool_name", "tool_call_id", "thinking", "name"}
)
#: what /api/generate has and a conversation has no place for
_ONLY_GENERATE = {
    "suffix": "filling in the middle is not routed",
    "template": "the model's own template is used",
    "context": "send the earlier turns to /api/chat",
    "raw": "a raw prompt is not routed: the model's own template is used",
}


def parse_chat(raw: bytes) -> Request:
    """Raises CallerError."""
    body = body_of(raw)
    left = dict(body)
    messages = left.pop("messages", None)
    if type(messages) is not list:
        raise wrong("messages", list)
    request = _common(NAME, body, left, raw)
    pending: list[tuple[str, str]] = []  # id and name of calls that nobody answered
    for index, message in enumerate(messages):
        if type(message) is not dict:
            raise wrong(f"messages.{index}", dict)
        _message(request, message, index, pending)
    request.tools = _tools(take(left, "tools", list))
    request.extra = left
    return request


def parse_generate(raw: bytes) -> Request:
    """Raises CallerError, also for what only a local model can do."""
    body = body_of(raw)
    left = dict(body)
    for name, instead in _ONLY_GENERATE.items():
        if left.pop(name, None):
            raise CallerError(f"{name}: not served here: {instead}", param=name)
    request = _common(GENERATE, body, left, raw)
    if system := take(left, "system", str):
        request.system.append(Text(system))
    prompt = take(left, "prompt", str) or ""
    parts: list[Part] = [Text(prompt)] if prompt else []
    parts += _images(left.pop("images", None), "images")
    if parts:
        request.messages.append(Message("user", parts))
    request.extra = left
    return request


def _common(dialect: str, body: JSON, left: JSON, raw: bytes) -> Request:
    """All that both calls share. `stream` is on unless it is switched off."""
    model = take_model(left)
    options = dict(take(left, "options", dict) or {})
    limit = take(options, "num_predict", int)
    request = Request(
        dialect=dialect,
        model=model,
        messages=[],
        # -1 and -2 are "without end" and "until the context is full": no limit was named
        max_tokens=limit if limit is not None and limit > 0 else None,
        temperature=take_number(options, "temperature"),
        top_p=take_number(options, "top_p"),
        top_k=take(options, "top_k", int),
        stop=_stop(options.pop("stop", None)),
        stream=take(left, "stream", bool) is not False,
        reasoning=_think(left.pop("think", None)),
        response_format=_format(left.pop("format", None)),
        context=None if dialect == GENERATE else take(left, "context", str),
        body=body,
        raw=raw,
    )
    if options:
        left["options"] = options
    return request


def _stop(stop: Any) -> list[str]:
    if stop is None:
        return []
    if type(stop) is str:
        return [stop]
    if type(stop) is list and all(type(item) is str for item in stop):
        return stop
    raise wrong("options.stop", list)


def _think(think: Any) -> Reasoning:
    if think is None:
        return Reasoning()
    if type(think) is bool:
        return Reasoning(mode="on" if think else "off")
    if type(think) is str:
        return Reasoning(mode="on", effort=think)
    raise CallerError("think: should be true, false or a level", param="think")


def _format(form: Any) -> JSON | None:
    if not form:
        return None
    if form == "json":
        return {"type": "json_object"}
    if type(form) is dict:
        return {"type": "json_schema", "json_schema": {"name": "answer", "schema": form}}
    raise CallerError('format: should be "json" or a JSON schema', param="format")


def _message(request: Request, message: JSON, index: int, pending: list[tuple[str, str]]) -> None:
    at, role = f"messages.{index}", message.get("role")
    content = message.get("content")
    if content is not None and type(content) is not str:
        raise wrong(f"{at}.content", str)
    said: list[Part] = [Text(content)] if content else []
    said += _images(message.get("images"), f"{at}.images")
    extra = rest_of(message, _MESSAGE) if len(message) > 2 else None
    if role == "system":
        if request.messages or extra:
            request.messages.append(Message("system", said, extra))
        else:
            request.system += said
    elif role == "user":
        request.messages.append(Message("user", said, extra))
    elif role == "assistant":
        parts = _assistant(message, at, said, index, pending)
        request.messages.append(Message("assistant", parts, extra))
    elif role == "tool":
        result = ToolResult(_answered(message, pending), said)
        request.messages.append(Message("user", [result], extra))
    else:
        raise CallerError(
            f'{at}.role: should be "system", "user", "assistant" or "tool"', param=f"{at}.role"
        )


def _assistant(
    message: JSON, at: str, said: list[Part], index: int, pending: list[tuple[str, str]]
) -> list[Part]:
    thinking = message.get("thinking")
    parts: list[Part] = [Thinking(thinking)] if type(thinking) is str and thinking else []
    parts += said
    calls = message.get("tool_calls")
    if calls is not None and type(calls) is not list:
        raise wrong(f"{at}.tool_calls", list)
    for number, call in enumerate(calls or ()):
        where = f"{at}.tool_calls.{number}"
        function = call.get("function") if type(call) is dict else None
        if type(function) is not dict:
            raise wrong(f"{where}.function", dict)
        name, arguments = text_of(function, "name", f"{where}.function"), function.get("arguments")
        if arguments is not None and type(arguments) is not dict:
            raise wrong(f"{where}.function.arguments", dict)
        id = call.get("id")
        id = id if type(id) is str and id else f"call_{index}_{number}"
        pending.append((id, name))
        parts.append(ToolUse(id, name, arguments or {}))
    return parts


def _answered(message: JSON, pending: list[tuple[str, str]]) -> str:
    """The call that a result answers: by its id, by its tool's name, else the oldest open one."""
    id, name = message.get("tool_call_id"), message.get("tool_name") or message.get("name")
    for number, (known, called) in enumerate(pending):
        if id == known or (not id and (not name or name == called)):
            del pending[number]
            return known
    return id if type(id) is str else ""


def _images(images: Any, at: str) -> list[Part]:
    if images is None:
        return []
    if type(images) is not list or any(type(image) is not str for image in images):
        raise CallerError(f"{at}: should be a list of base64 texts", param=at)
    return [Image(_media_type(image), image) for image in images]


def _media_type(data: str) -> str:
    """Told by how the base64 begins; PNG where nothing is known."""
    starts = {"/9j/": "image/jpeg", "R0lG": "image/gif", "UklG": "image/webp"}
    return starts.get(data[:4], "image/png")


def _tools(tools: list[Any] | None) -> list[Tool]:
    found = []
    for index, tool in enumerate(tools or ()):
        at = f"tools.{index}"
        function = tool.get("function") if type(tool) is dict else None
        if type(function) is not dict:
            raise wrong(f"{at}.function", dict)
        schema, description = function.get("parameters"), function.get("description")
        if schema is not None and type(schema) is not dict:
            raise wrong(f"{at}.function.parameters", dict)
        if description is not None and type(description) is not str:
            raise wrong(f"{at}.function.description", str)
        found.append(Tool(text_of(function, "name", f"{at}.function"), description, schema))
    return found
