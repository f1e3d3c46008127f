"""The canonical conversation as a Responses body for a provider.

Its one rule: nothing is left with the provider (`store` is off unless the client said otherwise),
so whatever it must know again travels with the conversation, encrypted thoughts included.
"""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import sha256
from typing import Any

from router.formats.names import plain
from router.formats.openai_chat.wishes import JSON_ONLY, effort_of, level
from router.formats.openai_responses.parse import NAME
from router.formats.openai_responses.turns import Turns
from router.messages import JSON, Message, Request, Text, Tool
from router.providers import Quirks, quirks
from router.settings import Provider

#: "Expected a value >= 16"
_FEWEST_TOKENS = 16
_LONGEST_USER = 64
#: fields of Chat Completions that mean the same here
_SHARED = frozenset(
    {"metadata", "service_tier", "prompt_cache_key", "prompt_cache_retention", "safety_identifier",
     "store", "top_logprobs"}
)  # fmt: skip


def render_request(request: Request, provider: Provider, model: str) -> JSON:
    """Raises UpstreamError for a file that has no form here; a field that the provider cannot take
    is left out."""
    known = quirks(provider.kind)
    same = request.dialect == NAME
    turns = Turns(request, provider)
    if not same and (request.response_format or {}).get("type") == "json_object":
        # the word must stand in the input: in `instructions` it does not count
        turns.turn(Message("system", [Text(JSON_ONLY)]))
    for message in request.messages:
        turns.turn(message)
    turns.settle()
    body: JSON = {"model": model, "input": turns.items}
    instructions = "\n\n".join(p.text for p in turns.kept(request.system) if isinstance(p, Text))
    if instructions and not turns.items:  # an input of nothing is refused
        body["input"] = [{"role": "developer", "content": instructions}]
    elif instructions:
        body["instructions"] = instructions
    if request.max_tokens is not None:
        limit = min(request.max_tokens, provider.max_output or request.max_tokens)
        body["max_output_tokens"] = max(limit, _FEWEST_TOKENS)
    if request.stream:
        body["stream"] = True
    if not known.fixes_sampling(model):
        for name, value in (("temperature", request.temperature), ("top_p", request.top_p)):
            if value is not None:
                body[name] = value
    if request.user:
        long = len(request.user) > _LONGEST_USER
        body["user"] = sha256(request.user.encode()).hexdigest() if long else request.user
    body["store"] = False
    if same:
        _as_sent(body, request)
    else:
        _translated(body, request, known, model)
    return body


def _as_sent(body: JSON, request: Request) -> None:
    """Of a client of this format, of which only the turns were changed."""
    body.update(request.extra)
    for field in ("tools", "tool_choice", "parallel_tool_calls", "reasoning", "text", "store"):
        if field in request.body:
            body[field] = request.body[field]
        else:
            body.pop(field, None)


def _translated(body: JSON, request: Request, known: Quirks, model: str) -> None:
    if request.dialect == "openai_chat":
        body.update((k, v) for k, v in request.extra.items() if k in _SHARED)
    _tools(body, request)
    text: JSON = {}
    if (form := request.response_format) and form.get("type") == "json_schema":
        inner = form.get("json_schema") or {}
        text["format"] = {"type": "json_schema", "name": "answer", **inner}
    elif form and form.get("type") == "json_object":
        text["format"] = {"type": "json_object"}
    if isinstance(verbosity := request.extra.get("verbosity"), str):
        text["verbosity"] = verbosity
    if text:
        body["text"] = text
    wish = request.reasoning
    if known.takes_reasoning(model):
        body["include"] = ["reasoning.encrypted_content"]
        if wish.mode == "off":
            body["reasoning"] = {"effort": level("minimal", known.efforts)}
        elif wish.mode or wish.effort or wish.budget is not None:
            effort = level(effort_of(wish), known.efforts)
            body["reasoning"] = {"effort": effort, "summary": "auto"}


def _tools(body: JSON, request: Request) -> None:
    tools = list(_functions(request.tools))
    if not tools:
        return
    body["tools"] = tools
    choice = request.tool_choice
    if choice is None:
        return
    value: Any = "required" if choice.mode == "any" else choice.mode
    if choice.mode == "tool":
        name = plain(choice.name or "")
        value = (
            {"type": "function", "name": name}
            if any(t["name"] == name for t in tools)
            else ("auto")
        )
    body["tool_choice"] = value
    if choice.parallel is not None:
        body["parallel_tool_calls"] = choice.parallel


def _functions(tools: list[Tool]) -> Iterable[JSON]:
    """Tools that the client runs. `strict` is on where it is not said, and then refuses most
    schemas."""
    for tool in tools:
        if tool.kind == "function":
            strict = (tool.extra or {}).get("strict")
            whole = {key: value for key, value in (tool.schema or {}).items() if key != "$schema"}
            whole.setdefault("type", "object")
            whole.setdefault("properties", {})
            yield {
                "type": "function",
                "name": plain(tool.name),
                "description": tool.description,
                "parameters": whole,
                "strict": strict is True,
            }
