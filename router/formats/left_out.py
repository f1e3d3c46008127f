"""What of a request another dialect had no place for: told to the client, never in silence.

Its one rule: it names fields as the client wrote them, tools by their type ("tools.web_search").
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from router.errors import UpstreamError
from router.messages import JSON, Request

#: fields without a place in Request that every format has something for
TRANSLATED = frozenset(
    {"metadata", "stream_options", "output_config", "betas", "store", "include", "tools"}
)
#: types of tools that the client itself runs and that become functions of every provider; but a
#: custom one of Chat Completions, which is free text
_RUN = frozenset({"function", "custom", "namespace"})
_BY_KEY = frozenset({"gemini", "gemini_array"})
#: objects whose members are the client's fields, and where a provider's format has its own
_NESTED = ("generationConfig", "options", "text")
#: wishes that not every model takes, and the formats that have them at the top
_SAMPLING = ("temperature", "top_p", "top_k")
_WISHES = frozenset({*_SAMPLING, "tool_choice"})
_FLAT = frozenset({"anthropic_messages", "openai_chat", "openai_responses"})


def left_out(request: Request, rendered: JSON, format: str) -> tuple[str, ...]:
    """`rendered` is the body in `format`, another one than the request's own."""
    names = list(_fields(request.extra, rendered)) if request.extra else []
    if request.body.get("tools") and (hosted := _hosted(request.body["tools"], request.dialect)):
        kept = _hosted(rendered.get("tools"), format)
        names += [f"tools.{kind}" for kind in hosted if kind not in kept]
    if request.stop and len(_stops(rendered)) < len(request.stop):
        names.append("stop")
    if format in _FLAT:
        names += [
            name
            for name in _SAMPLING
            if getattr(request, name) not in (None, 1) and name not in rendered
        ]
    choice = request.tool_choice
    if format == "ollama_chat" and choice is not None and choice.mode in ("any", "tool"):
        names.append("tool_choice")
    return tuple(names)


def _fields(extra: JSON, rendered: JSON) -> Iterator[str]:
    """Of the fields without a place in Request those that did not go up as they are."""
    inner: JSON = next((rendered[name] for name in _NESTED if type(rendered.get(name)) is dict), {})
    for name, value in extra.items():
        if name in _NESTED and type(value) is dict:
            yield from (f"{name}.{key}" for key in value)
        elif name not in TRANSLATED and value not in (rendered.get(name), inner.get(name)):
            yield name


def _stops(rendered: JSON) -> Any:
    """The stop sequences that went up, by whatever name."""
    for holder in (rendered, rendered.get("generationConfig"), rendered.get("options")):
        for name in ("stop_sequences", "stop", "stopSequences"):
            if holder and name in holder:
                return holder[name]
    return ()


def unsupported(names: tuple[str, ...], vendor: str, model: str) -> UpstreamError | None:
    """The refusal in LiteLLM's words, where fields must not be left out. LiteLLM refuses neither
    for tools nor for these wishes."""
    fields = [name for name in names if not name.startswith("tools.") and name not in _WISHES]
    if not fields:
        return None
    words = (
        f"litellm.UnsupportedParamsError: {vendor} does not support parameters: {fields}, for"
        f" model={model}. To drop these, set `litellm.drop_params=True` or for proxy:"
        "\n\n`litellm_settings:\n drop_params: true`\n"
    )
    return UpstreamError(words, kind="caller", status=400)


def _hosted(tools: Any, dialect: str) -> list[str]:
    """The types of those that a provider's own servers run. A search is a search by any name."""
    found = []
    for tool in tools if isinstance(tools, list) else ():
        if not isinstance(tool, dict):
            continue
        kind = tool.get("type")
        if kind is None:  # Gemini's, by their keys
            kind = next((key for key in tool if not key.startswith("function")), None)
            if dialect not in _BY_KEY or kind is None:
                continue
        free = kind == "custom" and dialect == "openai_chat"
        if isinstance(kind, str) and (free or kind not in _RUN):
            search = kind.startswith(("web_search", "google"))
            found.append("web_search" if search else kind[:100])
    return found
