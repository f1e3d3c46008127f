"""The input items of a Responses request as turns of the canonical conversation.

Its one rule: what the model said in one go (thoughts, words, calls) is one turn of the assistant,
and the results of its calls one turn of the user, however many items they came in.
"""

from __future__ import annotations

from typing import Any

from router.errors import CallerError
from router.formats.fields import json_object, text_of, wrong
from router.formats.files import data_url, document
from router.formats.openai_responses.thoughts import read_thought
from router.formats.openai_responses.tools import called
from router.messages import (
    JSON,
    Bound,
    Document,
    Image,
    Message,
    Opaque,
    Part,
    Request,
    Role,
    Text,
    ToolResult,
    ToolUse,
)

_ROLES: dict[Any, Role] = {
    "user": "user",
    "assistant": "assistant",
    "system": "system",
    "developer": "system",
}
_OUTPUTS = frozenset({"function_call_output", "custom_tool_call_output"})
_PLAIN = frozenset({"type", "role", "content", "id", "status", "phase"})


def read_items(request: Request, input: Any) -> None:
    """Adds the turns to `request.messages`, and system texts at the start to `request.system`."""
    if input is None:
        return
    if type(input) is str:
        request.messages.append(Message("user", [Text(input)]))
        return
    if type(input) is not list:
        raise CallerError("input: should be a string or a list of items", param="input")
    for index, item in enumerate(input):
        at = f"input[{index}]"
        if type(item) is not dict:
            raise wrong(at, dict)
        _item(request, item, at)


def _item(request: Request, item: JSON, at: str) -> None:
    kind = item.get("type")
    if kind is None:
        kind = "message" if "role" in item else "item_reference"
    if type(kind) is not str:
        raise wrong(f"{at}.type", str)
    if kind == "message":
        _message(request, item, at)
    elif kind in ("function_call", "custom_tool_call"):
        _said(request, _call(item, kind, at))
    elif kind in _OUTPUTS:
        _answered(request, _output(request, item, at))
    elif kind == "reasoning":
        _said(request, read_thought(item, at))
    elif kind == "item_reference":
        id = str(item.get("id"))[:100]
        request.bound = request.bound or Bound(
            f"{at}: Item {id!r} not found: items are kept by the provider that made them. Send the "
            "item itself.",
            at,
        )
        _said(request, Opaque(kind, {"item": item}))
    else:
        if kind.startswith("compaction"):
            request.bound = request.bound or Bound(
                f"{at}: an encrypted summary of the conversation can be read by the provider that "
                "made it alone. Send the conversation itself.",
                at,
            )
        # without a "type" at the top no other format takes it for a block of its own
        part = Opaque(kind, {"item": item})
        if kind.endswith(("_output", "_response")):
            _answered(request, part)
        else:
            _said(request, part)


def _said(request: Request, part: Part) -> None:
    _join(request, "assistant", part)


def _answered(request: Request, part: Part) -> None:
    _join(request, "user", part)


def _join(request: Request, role: Role, part: Part) -> None:
    """Adds to the turn under way, where it is one of that role and holds no words of a user."""
    last = request.messages[-1] if request.messages else None
    if last is not None and last.role == role and not (role == "user" and _spoken(last)):
        last.parts.append(part)
    else:
        request.messages.append(Message(role, [part]))


def _spoken(message: Message) -> bool:
    return not isinstance(message.parts[-1], ToolResult | Opaque) if message.parts else True


def _message(request: Request, item: JSON, at: str) -> None:
    role = item.get("role")
    known = _ROLES.get(role) if type(role) is str else None
    if known is None:
        raise CallerError(
            f'{at}.role: should be "user", "assistant", "system" or "developer"',
            param=f"{at}.role",
        )
    parts = _content(request, item.get("content"), f"{at}.content")
    if known == "assistant":
        for part in parts:
            _said(request, part)
    elif known == "system" and not request.messages and all(type(p) is Text for p in parts):
        request.system += parts
    else:
        request.messages.append(Message(known, parts))


def _content(request: Request, content: Any, at: str) -> list[Part]:
    if type(content) is str:
        return [Text(content)]
    if type(content) is not list:
        raise CallerError(f"{at}: should be a string or a list of parts", param=at)
    return [_part(request, part, f"{at}[{index}]") for index, part in enumerate(content)]


def _part(request: Request, part: Any, at: str) -> Part:
    if type(part) is not dict:
        raise wrong(at, dict)
    kind = part.get("type")
    if kind in ("input_text", "output_text", "text"):
        return Text(text_of(part, "text", at))
    if kind == "refusal":
        return Text(text_of(part, "refusal", at), extra={"refusal": True})
    if kind in ("input_image", "input_file") and part.get("file_id"):
        request.bound = request.bound or Bound(
            f"{at}.file_id: files are kept by OpenAI: this model's provider has none. Send the "
            "data or a URL.",
            f"{at}.file_id",
        )
        return Opaque(kind, {"item": part})
    if kind == "input_image":
        return _image(part, at)
    if kind == "input_file":
        return _file(part, at)
    if type(kind) is not str:
        raise CallerError(f"{at}.type: Field required", param=f"{at}.type")
    return Opaque(kind, {"item": part})


def _image(part: JSON, at: str) -> Image:
    url = part.get("image_url")
    if type(url) is dict:  # as in Chat Completions: some clients mix them up
        url = url.get("url")
    if type(url) is not str:
        raise CallerError(f"{at}.image_url: Field required", param=f"{at}.image_url")
    detail = part.get("detail")
    extra = {"detail": detail} if type(detail) is str else None
    if not url.startswith("data:"):
        return Image(url=url, extra=extra)
    media_type, data = data_url(url)
    return Image(media_type, data, extra=extra)


def _file(part: JSON, at: str) -> Document | Image:
    data, url, name = part.get("file_data"), part.get("file_url"), part.get("filename")
    name = name if type(name) is str else None
    if type(data) is str:
        media_type, data = data_url(data)
        return document(media_type, data, name)
    if type(url) is str:
        return Document(url=url, name=name)
    raise CallerError(f"{at}.file_data: Field required", param=f"{at}.file_data")


def _call(item: JSON, kind: str, at: str) -> ToolUse:
    id, name = text_of(item, "call_id", at), called(item, text_of(item, "name", at))
    if kind == "custom_tool_call":
        return ToolUse(id, name, {"input": text_of(item, "input", at)})
    arguments = text_of(item, "arguments", at)
    input = json_object(arguments)
    return ToolUse(id, name, input if input is not None else {}, arguments)


def _output(request: Request, item: JSON, at: str) -> ToolResult:
    output = item.get("output")
    if output is None:
        raise CallerError(f"{at}.output: Field required", param=f"{at}.output")
    if type(output) is dict:  # what older clients of Codex wrote
        output = str(output.get("content") or "")
    return ToolResult(text_of(item, "call_id", at), _content(request, output, f"{at}.output"))
