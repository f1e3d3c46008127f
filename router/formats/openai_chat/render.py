"""The canonical conversation as a Chat Completions body for a provider.

Its one rule: what a provider would refuse is left out by what is known of it, never by trial.
"""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import sha256
from typing import Any

from router.formats.names import plain
from router.formats.openai_chat.parse import NAME
from router.formats.openai_chat.turns import Turns
from router.formats.openai_chat.wishes import JSON_ONLY, write_reasoning
from router.messages import JSON, Request, Text, Tool
from router.providers import Quirks, quirks
from router.settings import Provider

#: the longest `user` that OpenAI takes
_LONGEST_USER = 64
#: what a model with fixed sampling refuses
_SAMPLING = ("temperature", "top_p", "top_k", "presence_penalty", "frequency_penalty", "stop")


def render_request(request: Request, provider: Provider, model: str) -> JSON:
    """Raises UpstreamError for a file that has no form here; a field that the provider cannot take
    is left out."""
    known = quirks(provider.kind)
    same = request.dialect == NAME
    turns = Turns(request, provider, known, model)
    turns.system(request.system)
    if not same and (request.response_format or {}).get("type") == "json_object":
        turns.system([Text(JSON_ONLY)])
    for message in request.messages:
        turns.turn(message)
    turns.settle()
    body: JSON = {"model": model, "messages": turns.messages}
    limit = request.max_tokens
    if limit is not None:
        body[known.limit_name(model)] = min(limit, provider.max_output or limit)
    if request.stream:
        body["stream"] = True
        if known.stream_usage:
            body["stream_options"] = {"include_usage": True}
    if request.tools:
        _tools(body, request, known, same, marks=known.keeps_marks(model))
    _wishes(body, request, known)
    write_reasoning(body, request, known, model, same)
    if same:
        body.update(request.extra)
    for field in known.drops:
        body.pop(field, None)
    if known.fixes_sampling(model):
        for field in _SAMPLING:
            body.pop(field, None)
    return body


def _wishes(body: JSON, request: Request, known: Quirks) -> None:
    if request.temperature is not None:
        body["temperature"] = request.temperature
    if request.top_p is not None:
        body["top_p"] = request.top_p
    if request.top_k is not None:
        body["top_k"] = request.top_k
    if request.stop and known.most_stops:
        body["stop"] = request.stop[: known.most_stops]
    if request.response_format is not None:
        body["response_format"] = request.response_format
    if request.user is not None:
        body["user"] = _user(request.user)


def _user(user: str) -> str:
    """Claude Code's id is a long JSON text: its digest tells users apart as well."""
    return user if len(user) <= _LONGEST_USER else sha256(user.encode()).hexdigest()


def _tools(body: JSON, request: Request, known: Quirks, same: bool, *, marks: bool) -> None:
    tools = list(_functions(request.tools, known, same, marks=marks))
    if not tools:
        return
    body["tools"] = tools
    choice = request.tool_choice
    if choice is None:
        return
    names = {tool["function"]["name"] for tool in tools if "function" in tool}
    if choice.mode == "any":
        body["tool_choice"] = "required" if known.tool_choice_required else "auto"
    elif choice.mode == "tool":
        name = plain(choice.name or "")
        named = {"type": "function", "function": {"name": name}}
        body["tool_choice"] = named if name in names else "auto"
    else:
        body["tool_choice"] = choice.mode
    if choice.parallel is not None and (same or not choice.parallel):
        body["parallel_tool_calls"] = choice.parallel


def _functions(tools: list[Tool], known: Quirks, same: bool, *, marks: bool) -> Iterable[JSON]:
    """Tools that the client runs. A server tool of another vendor means nothing here."""
    for tool in tools:
        if tool.kind != "function":
            if same and tool.extra:
                yield tool.extra
            continue
        function: JSON = {"name": plain(tool.name)}
        if tool.description is not None:
            function["description"] = tool.description
        function["parameters"] = _schema(tool.schema, known.schema_drops)
        if same and tool.extra:
            function.update(tool.extra)
        body: JSON = {"type": "function", "function": function}
        if tool.cache and marks:
            body["cache_control"] = tool.cache
        yield body


def _schema(schema: JSON | None, drops: tuple[str, ...]) -> JSON:
    """A tool's parameters: an object with properties, without what only a validator reads."""
    whole = {key: value for key, value in (schema or {}).items() if key != "$schema"}
    whole.setdefault("type", "object")
    if whole["type"] == "object":
        whole.setdefault("properties", {})
    return _without(whole, frozenset(drops)) if drops else whole


def _without(schema: Any, drops: frozenset[str], names: bool = False) -> Any:
    """`names`: the keys are a person's names for properties, not words of JSON Schema."""
    if isinstance(schema, list):
        return [_without(item, drops) for item in schema]
    if not isinstance(schema, dict):
        return schema
    return {
        key: _without(value, drops, names=not names and key == "properties")
        for key, value in schema.items()
        if names or key not in drops
    }
