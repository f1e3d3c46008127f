"""A client's Responses request, read into the canonical conversation.

Its one rule: whatever has no place of its own is kept, in `extra` or as an `Opaque` part; what
another provider could not do at all binds the request to a provider of this format.
"""

from __future__ import annotations

from typing import Any

from router.errors import CallerError
from router.formats.fields import body_of, take, take_model, take_number, wrong
from router.formats.openai_responses.items import read_items
from router.formats.openai_responses.tools import read_tools
from router.messages import JSON, Bound, Reasoning, Request, Text

NAME = "openai_responses"

#: what asks for a state that only the provider which keeps it has
_STATES = {
    "previous_response_id": (
        "Previous response with id {!r} not found.",
        "previous_response_not_found",
    ),
    "conversation": (
        "conversations are kept by OpenAI: this model's provider has none. Send the whole input.",
        "unsupported_parameter",
    ),
    "prompt": (
        "prompt templates are kept by OpenAI: this model's provider has none. Send the input.",
        "unsupported_parameter",
    ),
    "background": (
        "background responses need a provider that speaks the Responses API.",
        "unsupported_parameter",
    ),
}


def parse_request(raw: bytes) -> Request:
    """Raises CallerError."""
    body = body_of(raw)
    left = dict(body)
    input = left.pop("input", None)
    request = Request(
        dialect=NAME,
        model=take_model(left),
        messages=[],
        max_tokens=take(left, "max_output_tokens", int),
        temperature=take_number(left, "temperature"),
        top_p=take_number(left, "top_p"),
        stream=take(left, "stream", bool) or False,
        user=take(left, "user", str),
        context=take(left, "context", str),
        body=body,
        raw=raw,
    )
    _instructions(request, left)
    read_tools(request, left)
    _reasoning(request, take(left, "reasoning", dict))
    _text(request, left)
    for field, (words, code) in _STATES.items():
        if value := body.get(field):
            request.bound = request.bound or Bound(words.format(str(value)[:100]), field, code)
    if input is None and not request.bound:
        raise CallerError("Missing required parameter: 'input'.", param="input")
    read_items(request, input)
    request.extra = left
    return request


def _instructions(request: Request, left: JSON) -> None:
    instructions = left.pop("instructions", None)
    if instructions is None:
        return
    if type(instructions) is not str:
        raise wrong("instructions", str)
    if instructions:
        request.system.append(Text(instructions))


def _reasoning(request: Request, wish: JSON | None) -> None:
    if wish is None:
        return
    effort = wish.get("effort")
    if effort is not None and type(effort) is not str:
        raise wrong("reasoning.effort", str)
    mode: Any = "off" if effort == "none" else None
    request.reasoning = Reasoning(mode=mode, effort=effort, extra=wish)


def _text(request: Request, left: JSON) -> None:
    """`text.format` in the form that Chat Completions has for it."""
    text = dict(take(left, "text", dict) or {})
    form = text.pop("format", None)
    if text:
        left["text"] = text
    if form is None:
        return
    if type(form) is not dict:
        raise wrong("text.format", dict)
    if form.get("type") == "json_schema":
        schema = {key: value for key, value in form.items() if key != "type"}
        if type(schema.get("schema")) is not dict:
            raise CallerError("text.format.schema: Field required", param="text.format.schema")
        request.response_format = {"type": "json_schema", "json_schema": schema}
    elif form.get("type") == "json_object":
        request.response_format = {"type": "json_object"}
