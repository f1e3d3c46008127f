"""The canonical conversation as a body for Ollama's /api/chat.

Its one rule: the context is asked for in so many tokens that the prompt fits. Ollama cuts what does
not fit in silence; and it loads a model anew for another size, so sizes come in steps and are never
smaller than what the model is loaded with now.
"""

from __future__ import annotations

from typing import Any

from router.formats import guess
from router.formats.failures import unfit
from router.formats.ollama_chat.parse import GENERATE, NAME
from router.formats.openai_chat.turns import text_of
from router.messages import (
    FILES,
    JSON,
    Document,
    Image,
    Message,
    Opaque,
    Part,
    Request,
    Text,
    Thinking,
    ToolResult,
    ToolUse,
)
from router.settings import Provider

#: tokens kept for an answer of unnamed length
_ROOM = 4096
#: the smallest context that is asked for: Ollama's own default on a small machine
_SMALLEST = 4096
_BILLING = "x-anthropic-billing-header"
_EFFORTS = {"minimal": "low", "low": "low", "medium": "medium"}


def render_request(request: Request, provider: Provider, model: str) -> JSON:
    """Raises UpstreamError for what Ollama cannot be told; a wish that it cannot take is left
    out."""
    own = request.dialect in (NAME, GENERATE)
    body: JSON = {"model": model, "messages": _messages(request, provider)}
    if tools := _tools(request):
        body["tools"] = tools
    if form := _format(request.response_format):
        body["format"] = form
    if (think := _think(request, model)) is not None:
        body["think"] = think
    extra = dict(request.extra) if own else {}
    options = dict(extra.pop("options", None) or {})
    wishes = {
        "num_predict": min_of(request.max_tokens, provider.max_output),
        "temperature": request.temperature,
        "top_p": request.top_p,
        "top_k": request.top_k,
        "stop": request.stop or None,
        "seed": request.extra.get("seed"),
    }
    options |= {name: value for name, value in wishes.items() if value is not None}
    options.setdefault("num_ctx", context(request, provider, model))
    body["options"] = options
    body |= extra
    body["stream"] = request.stream
    return body


def min_of(wish: int | None, most: int | None) -> int | None:
    return min(wish, most) if wish and most else wish or most


def context(request: Request, provider: Provider, model: str) -> int:
    """Tokens to be asked for: a power of two that holds the prompt and its answer, at most what
    the model can hold and at least what it is loaded with."""
    most = provider.context.get(model, provider.context.get("", 0))
    # bytes / 4 is too few for code and other scripts than Latin: a quarter more
    needed = guess.prompt_tokens(request) * 5 // 4 + min(request.max_tokens or _ROOM, _ROOM)
    size = max(_SMALLEST, 1 << (needed - 1).bit_length(), provider.loaded.get(model, 0))
    return min(size, most) if most else size


def _messages(request: Request, provider: Provider) -> list[JSON]:
    names: dict[str, str] = {}
    found: list[JSON] = []
    system = _words(request.system)
    if system:
        found.append({"role": "system", "content": system})
    for message in request.messages:
        if message.role == "system":
            if words := _words(message.parts):
                found.append({"role": "system", "content": words})
        elif message.role == "assistant":
            _assistant(message, names, found)
        else:
            _user(message, names, provider, found)
    return found


def _words(parts: list[Part]) -> str:
    texts = (text_of(part) for part in parts if type(part) in (Text, Opaque))
    return "\n\n".join(text for text in texts if text and not text.startswith(_BILLING))


def _assistant(message: Message, names: dict[str, str], found: list[JSON]) -> None:
    thoughts = "\n".join(p.text for p in message.parts if type(p) is Thinking)
    calls = []
    for part in message.parts:
        if type(part) is ToolUse:
            names[part.id] = part.name
            function = {"name": part.name, "arguments": part.input or {}}
            calls.append({"id": part.id, "function": function})
    turn: JSON = {"role": "assistant", "content": _words(message.parts)}
    if calls:
        turn["tool_calls"] = calls
        if thoughts:  # only within a loop of tools does a model want its thoughts back
            turn["thinking"] = thoughts
    if turn["content"] or calls:
        found.append(turn)


def _user(message: Message, names: dict[str, str], provider: Provider, found: list[JSON]) -> None:
    """Results first, each under the name of its tool; then what the user said."""
    texts: list[str] = []
    images: list[str] = []
    for part in message.parts:
        if type(part) is ToolResult:
            inner: list[str] = []
            for piece in part.parts:
                _take(piece, inner, images, provider)
            said = "\n\n".join(inner) or "(no output)"
            if part.is_error and not said.startswith("Error"):
                said = f"Error: {said}"
            turn = {"role": "tool", "content": said, "tool_call_id": part.tool_use_id}
            if name := names.get(part.tool_use_id):
                turn["tool_name"] = name
            found.append(turn)
        else:
            _take(part, texts, images, provider)
    if texts or images:
        turn = {"role": "user", "content": "\n\n".join(texts)}
        found.append(turn | ({"images": images} if images else {}))


def _take(part: Part, texts: list[str], images: list[str], provider: Provider) -> None:
    """Sorts a part into words and pictures. Raises UpstreamError where it is neither."""
    match part:
        case Text(text=text):
            if text and not text.startswith(_BILLING):
                texts.append(text)
        case Image(data=str(data)):
            images.append(data)
        case Image():
            raise unfit(provider, "an image by its address: send it as base64")
        case Document(text=str(text), name=name):
            texts.append(f"{name}:\n{text}" if name else text)
        case Document():
            raise unfit(provider, "documents that are not text")
        case Opaque(kind=kind):
            if said := text_of(part):
                texts.append(said)
            elif kind in FILES:
                raise unfit(provider, f"parts of the type {kind!r}")


def _tools(request: Request) -> list[JSON]:
    """Ollama has no tool_choice: "none" is said by leaving the tools out, the rest not at all."""
    if request.tool_choice is not None and request.tool_choice.mode == "none":
        return []
    found = []
    for tool in request.tools:
        if tool.kind == "function":
            function: JSON = {"name": tool.name, "description": tool.description or ""}
            function["parameters"] = {"type": "object", "properties": {}, **(tool.schema or {})}
            found.append({"type": "function", "function": function})
    return found


def _format(wanted: JSON | None) -> Any:
    if wanted is None:
        return None
    if wanted.get("type") == "json_object":
        return "json"
    schema = (wanted.get("json_schema") or {}).get("schema")
    return schema if isinstance(schema, dict) else None


def _think(request: Request, model: str) -> bool | str | None:
    """None where nothing was said: a model that cannot think refuses `think: true` with a 400, so
    that a client's usual "adaptive" is not passed on either."""
    wish = request.reasoning
    if wish.mode == "off":
        return False
    if wish.mode is None and not wish.effort:
        return None
    if wish.mode == "adaptive":
        return None
    if "gpt-oss" in model:  # it takes levels and no switch
        return _EFFORTS.get(wish.effort or "medium", "high")
    return True
