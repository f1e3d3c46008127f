"""What of a request another dialect had no place for: told to the client, never in silence.

Its one rule: it names fields as the client wrote them, tools by their type ("tools.web_search").
"""

from __future__ import annotations

from typing import Any

from router.errors import UpstreamError
from router.messages import JSON, Request

#: fields without a place in Request that every format has something for
TRANSLATED = frozenset({"metadata", "stream_options", "output_config", "betas", "store", "include"})
#: types of tools that the client itself runs and that become functions of every provider; but a
#: custom one of Chat Completions, which is free text
_RUN = frozenset({"function", "custom", "namespace"})
#: dialects whose models cannot be told where to stop
_ENDLESS = frozenset({"openai_responses"})


def left_out(request: Request, rendered: JSON, format: str) -> tuple[str, ...]:
    """`rendered` is the body in `format`, another one than the request's own."""
    names = [name for name in request.extra if name not in TRANSLATED]
    if request.body.get("tools") and (hosted := _hosted(request.body["tools"], request.dialect)):
        kept = _hosted(rendered.get("tools"), format)
        names += [f"tools.{kind}" for kind in hosted if kind not in kept]
    if request.stop and format in _ENDLESS:
        names.append("stop")
    return tuple(names)


def unsupported(names: tuple[str, ...], vendor: str, model: str) -> UpstreamError | None:
    """The refusal in LiteLLM's words, where fields (not tools) must not be left out."""
    fields = [name for name in names if not name.startswith("tools.")]
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
        if "functionDeclarations" in tool or "function_declarations" in tool:
            continue
        if kind is None:  # Gemini's, by their keys
            kind = next((key for key in tool if key.startswith(("google", "code", "url"))), None)
        free = kind == "custom" and dialect == "openai_chat"
        if isinstance(kind, str) and (free or kind not in _RUN):
            search = kind.startswith(("web_search", "google"))
            found.append("web_search" if search else kind[:100])
    return found
