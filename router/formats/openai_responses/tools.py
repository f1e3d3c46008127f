"""The tools of a Responses request, and the way back from a call to the tool it is of.

Its one rule: whatever the client itself runs works with every provider. A custom tool becomes a
function of one text, a namespace is flattened into the names of its functions. What only OpenAI's
servers run binds the request to a Responses provider, but for a web search: agents offer one with
every request and get along without, so elsewhere it is left out.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from msgspec import Struct

from router.errors import CallerError
from router.formats.fields import take, text_of, wrong
from router.messages import JSON, Bound, Request, Tool, ToolChoice

#: between a namespace and the name of its function
_SEAM = "__"
_FREE_TEXT: JSON = {
    "type": "object",
    "properties": {"input": {"type": "string"}},
    "required": ["input"],
}


class Place(Struct, frozen=True):
    """Where a tool stands in the client's own list."""

    name: str
    namespace: str | None = None
    custom: bool = False


def read_tools(request: Request, left: JSON) -> None:
    """Takes `tools` and `tool_choice` out of `left`."""
    hosted: list[Tool] = []
    for tool, at in _each(take(left, "tools", list)):
        kind = tool.get("type")
        if kind in ("function", "custom"):
            request.tools.append(_runs(tool, at))
        elif kind == "namespace":
            for index, inner in enumerate(_inner(tool, at)):
                request.tools.append(_runs(inner, f"{at}.tools.{index}", text_of(tool, "name", at)))
        elif type(kind) is not str:
            raise CallerError(f"{at}.type: Field required", param=f"{at}.type")
        else:
            hosted.append(Tool(kind, kind=kind, extra=tool))
            if not kind.startswith("web_search"):
                _bind(request, kind, at)
    # an agent that offers a search beside its own tools does not search with every request
    request.tools = request.tools or hosted
    request.tool_choice = _choice(request, left)


def _each(tools: list[Any] | None) -> Iterator[tuple[JSON, str]]:
    for index, tool in enumerate(tools or ()):
        if type(tool) is not dict:
            raise wrong(f"tools[{index}]", dict)
        yield tool, f"tools[{index}]"


def _inner(tool: JSON, at: str) -> list[JSON]:
    inner = tool.get("tools")
    if type(inner) is not list or not all(type(each) is dict for each in inner):
        raise wrong(f"{at}.tools", list)
    return inner


def _bind(request: Request, kind: str, at: str) -> None:
    request.bound = request.bound or Bound(
        f"the tool {kind[:100]!r} is run by OpenAI's servers: only a provider that speaks the "
        "Responses API has it. Leave it out, or route this model to such a provider.",
        at,
        "unsupported_tool",
    )


def _runs(tool: JSON, at: str, namespace: str = "") -> Tool:
    """A tool that the client runs."""
    name = text_of(tool, "name", at)
    if namespace:
        name = namespace + _SEAM + name
    description = tool.get("description")
    if description is not None and type(description) is not str:
        raise wrong(f"{at}.description", str)
    if tool.get("type") == "custom":
        return Tool(name, _free(description, tool.get("format")), _FREE_TEXT)
    schema = tool.get("parameters")
    if schema is not None and type(schema) is not dict:
        raise wrong(f"{at}.parameters", dict)
    return Tool(name, description, schema)


def _free(description: str | None, form: Any) -> str | None:
    """What a model must know of a custom tool whose text has a grammar."""
    if type(form) is not dict or type(form.get("definition")) is not str:
        return description
    rule = f"`input` must follow this {form.get('syntax') or ''} grammar:\n{form['definition']}"
    return f"{description}\n\n{rule}" if description else rule


def _choice(request: Request, left: JSON) -> ToolChoice | None:
    choice = left.pop("tool_choice", None)
    parallel = take(left, "parallel_tool_calls", bool)
    if choice is None:
        return None if parallel is None else ToolChoice(parallel=parallel)
    if choice in ("auto", "none"):
        return ToolChoice(choice, parallel=parallel)
    if choice == "required":
        return ToolChoice("any", parallel=parallel)
    if type(choice) is dict:
        kind = choice.get("type")
        if kind in ("function", "custom"):
            return ToolChoice("tool", _named(choice), parallel)
        if kind == "allowed_tools" and type(choice.get("tools")) is list:
            wanted = {_named(each) for each in choice["tools"] if type(each) is dict}
            request.tools = [tool for tool in request.tools if tool.name in wanted]
            return ToolChoice("any" if choice.get("mode") == "required" else "auto", None, parallel)
        if type(kind) is str:
            _bind(request, kind, "tool_choice")
            return ToolChoice(parallel=parallel)
    raise CallerError(
        'tool_choice: should be "auto", "none", "required" or an object with a type',
        param="tool_choice",
    )


def _named(choice: JSON) -> str:
    name = choice.get("name") or choice.get("type")
    if type(name) is not str:
        raise CallerError("tool_choice.name: Field required", param="tool_choice.name")
    space = choice.get("namespace")
    return f"{space}{_SEAM}{name}" if type(space) is str and space else name


def called(item: JSON, name: str) -> str:
    """The name under which a call in the history is known to the model."""
    space = item.get("namespace")
    return f"{space}{_SEAM}{name}" if type(space) is str and space else name


def places(body: JSON) -> dict[str, Place]:
    """By the name that the model was given, of those tools that are no plain function."""
    found: dict[str, Place] = {}
    tools = body.get("tools")
    for tool in tools if type(tools) is list else ():
        kind, name = tool.get("type"), tool.get("name")
        if kind == "custom":
            found[name] = Place(name, custom=True)
        elif kind == "namespace":
            for inner in tool["tools"]:
                place = Place(inner["name"], name, inner.get("type") == "custom")
                found[f"{name}{_SEAM}{inner['name']}"] = place
    return found
