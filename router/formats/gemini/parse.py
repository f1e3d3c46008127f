"""A client's Gemini request, read into the canonical conversation.

Its one rule: a function's response belongs to the oldest call of its name (or its id) that was not
answered. Fields come in camelCase and, from some clients, in snake_case: both are known.
"""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from router.errors import CallerError
from router.formats.fields import body_of, take, take_number, text_of, wrong
from router.formats.files import document, is_text, kind_of
from router.formats.gemini.schema import lowered
from router.messages import (
    JSON,
    Bound,
    Document,
    Image,
    Message,
    Opaque,
    Part,
    Reasoning,
    Request,
    Text,
    Thinking,
    Tool,
    ToolChoice,
    ToolResult,
    ToolUse,
)

NAME = "gemini"

_SNAKES = {
    "system_instruction": "systemInstruction",
    "generation_config": "generationConfig",
    "tool_config": "toolConfig",
    "safety_settings": "safetySettings",
    "cached_content": "cachedContent",
}
_MODES: dict[Any, Literal["auto", "any", "none"]] = {
    "AUTO": "auto",
    "VALIDATED": "auto",
    "ANY": "any",
    "NONE": "none",
}


def parse_request(raw: bytes, dialect: str, model: str | None, *, stream: bool) -> Request:
    """`model` and `stream` stand in the path. Raises CallerError."""
    body = body_of(raw)
    left = {_SNAKES.get(key, key): value for key, value in body.items()}
    contents = left.pop("contents", None)
    if type(contents) is dict:
        contents = [contents]
    if type(contents) is not list or not contents:
        raise CallerError("contents: at least one content is required", param="contents")
    request = Request(dialect=dialect, model=model, messages=[], stream=stream, body=body, raw=raw)
    system = left.pop("systemInstruction", None)
    if type(system) is str:
        request.system = [Text(system)]
    elif system is not None:
        request.system = _texts(system)
    pending: list[tuple[str, str]] = []
    for index, content in enumerate(contents):
        request.messages.append(_message(content, index, pending))
    _tools(request, left)
    _config(request, left)
    left.pop("model", None)
    if left.get("cachedContent"):
        words = (
            "cachedContent: what Google keeps, this model's provider does not have. Send the whole "
            "conversation, or route the model to Gemini."
        )
        request.bound = Bound(words, "cachedContent")
    request.extra = left
    return request


def _texts(content: Any) -> list[Part]:
    parts = content.get("parts") if type(content) is dict else None
    parts = [parts] if type(parts) is dict else parts
    if type(parts) is not list:
        raise wrong("systemInstruction.parts", list)
    texts = (part.get("text") for part in parts if type(part) is dict)
    return [Text(text) for text in texts if type(text) is str and text]


def _message(content: Any, index: int, pending: list[tuple[str, str]]) -> Message:
    at = f"contents.{index}"
    if type(content) is not dict:
        raise wrong(at, dict)
    role = content.get("role") or "user"
    parts = content.get("parts")
    if role not in ("user", "model", "function", "system"):
        raise CallerError(f'{at}.role: should be "user" or "model"', param=f"{at}.role")
    if parts is not None and type(parts) is not list:
        raise wrong(f"{at}.parts", list)
    found: list[Part] = []
    for number, part in enumerate(parts or ()):
        where = f"{at}.parts.{number}"
        if type(part) is not dict:
            raise wrong(where, dict)
        _part(part, where, f"call_{index}_{number}", pending, found)
    if role == "model":
        return Message("assistant", found)
    return Message("system" if role == "system" else "user", found)


def _part(part: JSON, at: str, id: str, pending: list[tuple[str, str]], found: list[Part]) -> None:
    """Adds what one part means. A part is told by the field that it has."""
    fields = {_camel(key): value for key, value in part.items()}
    signature = fields.get("thoughtSignature")
    signature = signature if type(signature) is str and signature else None
    if "functionCall" in fields:
        found.append(_call(fields["functionCall"], f"{at}.functionCall", id, signature, pending))
    elif "functionResponse" in fields:
        response = fields["functionResponse"]
        if type(response) is not dict:
            raise wrong(f"{at}.functionResponse", dict)
        found.append(_result(response, pending))
    elif type(text := fields.get("text")) is str:
        if fields.get("thought") is True:
            found.append(Thinking(text, f"{NAME}:{signature}" if signature else None))
        elif text:
            found.append(Text(text))
    elif type(file := fields.get("inlineData")) is dict:
        found.append(_file(part, file, text_of(file, "data", f"{at}.inlineData"), None))
    elif type(file := fields.get("fileData")) is dict:
        file = {_camel(key): value for key, value in file.items()}
        uri = text_of(file, "fileUri", f"{at}.fileData")
        found.append(_file(part, file, None, uri))
    elif part:
        found.append(Opaque(next(iter(part)), {NAME: part}))


def _call(
    called: Any, at: str, id: str, signature: str | None, pending: list[tuple[str, str]]
) -> ToolUse:
    if type(called) is not dict:
        raise wrong(at, dict)
    name, args, theirs = text_of(called, "name", at), called.get("args"), called.get("id")
    if args is not None and type(args) is not dict:
        raise wrong(f"{at}.args", dict)
    id = theirs if type(theirs) is str and theirs else id
    pending.append((id, name))
    return ToolUse(id, name, args or {}, extra=signed(signature))


def signed(signature: str | None) -> JSON | None:
    """A call's thought signature, where Google's OpenAI-compatible face has it."""
    return {"extra_content": {"google": {"thought_signature": signature}}} if signature else None


def _file(part: JSON, file: JSON, data: str | None, url: str | None) -> Part:
    kind = file.get("mimeType") or file.get("mime_type")
    kind = kind_of(kind) if type(kind) is str else None
    if kind and kind.startswith("image/"):
        return Image(kind, data, url)
    if kind == "application/pdf" or is_text(kind):
        name = file.get("displayName")
        name = name if type(name) is str else None
        if data is None:
            return Document(kind, url=url, name=name)
        return document(kind, data, name)
    return Opaque("inlineData" if url is None else "fileData", {NAME: part})


def _result(response: JSON, pending: list[tuple[str, str]]) -> ToolResult:
    id, name = response.get("id"), response.get("name")
    for number, (known, called) in enumerate(pending):
        if id == known or (not id and name == called):
            del pending[number]
            id = known
            break
    body = response.get("response")
    failed = type(body) is dict and "error" in body and "output" not in body
    for key in ("output", "result", "error"):
        if type(body) is dict and len(body) == 1 and type(body.get(key)) is str:
            body = body[key]
    text = body if type(body) is str else msgspec.json.encode(body or {}).decode()
    return ToolResult(id if type(id) is str else "", [Text(text)] if text else [], failed)


def _tools(request: Request, left: JSON) -> None:
    """Functions become tools; Google's own ones keep their place in `extra`."""
    tools = left.pop("tools", None)
    if type(tools) is dict:
        tools = [tools]
    if tools is not None and type(tools) is not list:
        raise wrong("tools", list)
    others = []
    for index, tool in enumerate(tools or ()):
        if type(tool) is not dict:
            raise wrong(f"tools.{index}", dict)
        rest = dict(tool)
        declared = rest.pop("functionDeclarations", None)
        declared = rest.pop("function_declarations", None) if declared is None else declared
        if declared is not None and type(declared) is not list:
            raise wrong(f"tools.{index}.functionDeclarations", list)
        for number, function in enumerate(declared or ()):
            at = f"tools.{index}.functionDeclarations.{number}"
            request.tools.append(_tool(function, at))
        if rest:
            others.append(rest)
            if "googleSearch" in rest or "google_search" in rest:
                request.tools.append(Tool("web_search", kind="web_search"))
    if others:
        left["tools"] = others
    config = dict(take(left, "toolConfig", dict) or {})
    calling = config.pop("functionCallingConfig", None)
    calling = config.pop("function_calling_config", None) if calling is None else calling
    if type(calling) is dict:
        request.tool_choice = _choice(calling)
        _allowed(request, calling)
    if config:
        left["toolConfig"] = config


def _tool(function: Any, at: str) -> Tool:
    if type(function) is not dict:
        raise wrong(at, dict)
    schema = function.get("parametersJsonSchema") or function.get("parameters_json_schema")
    if schema is None:
        schema = lowered(function.get("parameters"))
    if schema is not None and type(schema) is not dict:
        raise wrong(f"{at}.parameters", dict)
    about = function.get("description")
    return Tool(text_of(function, "name", at), about if type(about) is str else None, schema)


def _names(calling: JSON) -> list[Any]:
    names = calling.get("allowedFunctionNames") or calling.get("allowed_function_names")
    return names if type(names) is list else []


def _allowed(request: Request, calling: JSON) -> None:
    """Of several functions that may be called the others are left out: no other dialect has a
    list of names."""
    if len(names := _names(calling)) > 1:
        request.tools = [t for t in request.tools if t.name in names or t.kind != "function"]


def _choice(calling: JSON) -> ToolChoice:
    mode = _MODES.get(str(calling.get("mode", "AUTO")).upper(), "auto")
    names = _names(calling)
    if mode == "any" and len(names) == 1 and type(names[0]) is str:
        return ToolChoice("tool", names[0])
    return ToolChoice(mode)


def _config(request: Request, left: JSON) -> None:
    config = {
        _camel(key): value for key, value in (take(left, "generationConfig", dict) or {}).items()
    }
    request.max_tokens = take(config, "maxOutputTokens", int)
    request.temperature = take_number(config, "temperature")
    request.top_p = take_number(config, "topP")
    top_k = take_number(config, "topK")
    request.top_k = None if top_k is None else int(top_k)
    stop = take(config, "stopSequences", list) or []
    if any(type(item) is not str for item in stop):
        raise wrong("generationConfig.stopSequences", list)
    request.stop = stop
    kind = config.get("responseMimeType")
    schema = config.get("responseJsonSchema") or lowered(config.get("responseSchema"))
    if kind == "application/json":
        for name in ("responseMimeType", "responseJsonSchema", "responseSchema"):
            config.pop(name, None)
        request.response_format = {"type": "json_object"}
        if type(schema) is dict:
            holder = {"name": "answer", "schema": schema}
            request.response_format = {"type": "json_schema", "json_schema": holder}
    thinking = take(config, "thinkingConfig", dict)
    if thinking is not None:
        request.reasoning = _thinking({_camel(k): v for k, v in thinking.items()})
    if config:
        left["generationConfig"] = config


def _thinking(wish: JSON) -> Reasoning:
    """`extra` is the wish as sent. A budget of -1 leaves it to the model."""
    budget, level = wish.get("thinkingBudget"), wish.get("thinkingLevel")
    found = Reasoning(extra=wish)
    if type(budget) is int:
        found.mode = "off" if budget == 0 else "adaptive" if budget < 0 else "on"
        found.budget = budget if budget > 0 else None
    elif type(level) is str:
        found.mode, found.effort = "on", level.lower()
    elif wish.get("includeThoughts") is True:
        found.mode = "adaptive"
    return found


def _camel(name: str) -> str:
    head, *rest = name.split("_")
    return head + "".join(word.title() for word in rest)
