"""The canonical conversation as an Anthropic Messages body for a provider.

Its one rule: what an Anthropic client sent is sent as it was; what came from another dialect is
put into the order that Anthropic demands (a user turn first, turns alternate, results first).
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from router.formats.anthropic_messages.orderly import in_order
from router.formats.anthropic_messages.parse import NAME
from router.formats.citations import foreign as foreign_source
from router.formats.failures import unfit
from router.formats.names import plain
from router.formats.openai_chat.wishes import JSON_ONLY, level
from router.messages import (
    FILES,
    JSON,
    Document,
    Image,
    Opaque,
    Part,
    RedactedThinking,
    Request,
    Text,
    Thinking,
    Tool,
    ToolResult,
    ToolUse,
)
from router.settings import Provider

#: max_tokens is required; every Claude since 3.5 can write this much
DEFAULT_MAX_TOKENS = 8192
#: the smallest thinking budget that the API accepts
SMALLEST_BUDGET = 1024
#: thinking budgets for the efforts that OpenAI's clients name
_BUDGETS = {"minimal": 1024, "low": 2048, "medium": 8192, "high": 16384, "xhigh": 31999}
_BUDGETS["max"] = _BUDGETS["xhigh"]
#: from 4.6 on a model thinks adaptively and takes an effort, no budget
_VERSION = re.compile(r"claude-[a-z]+-(\d+)(?:[-.](\d{1,2}))?(?!\d)")
_EFFORTS = ("low", "medium", "high", "xhigh", "max")
_EFFORTS_OF_4_6 = ("low", "medium", "high", "max")
#: kinds that check a signature; each accepts those of the others
_REAL = frozenset({"anthropic", "bedrock", "vertex-claude"})


def render_request(request: Request, provider: Provider, model: str) -> JSON:
    """Raises UpstreamError for a file that Anthropic cannot take; a field is left out."""
    foreign = request.dialect != NAME
    limit = request.max_tokens or DEFAULT_MAX_TOKENS
    if provider.max_output:
        limit = min(limit, provider.max_output)
    body: JSON = {"model": model, "max_tokens": limit}
    if system := _system(request, foreign):
        body["system"] = system
    messages = list(_messages(request, provider, foreign))
    body["messages"] = in_order(messages) if foreign else messages
    if request.tools:
        tools = [_tool(tool, foreign) for tool in request.tools if tool.kind not in _OPENAI_TOOLS]
        if tools:
            body["tools"] = tools
            if choice := _tool_choice(request, tools, foreign):
                body["tool_choice"] = choice
    # "each stop sequence must contain non-whitespace"
    if stops := [stop for stop in request.stop if stop and not stop.isspace()]:
        body["stop_sequences"] = stops
    if request.stream:
        body["stream"] = True
    _sampling(body, request, model, foreign)
    _passed_on(body, request, foreign)
    _think(body, request, provider, model, foreign)
    return body


def _passed_on(body: JSON, request: Request, foreign: bool) -> None:
    """What has no meaning for us: only between speakers of one dialect, but for the user's id."""
    metadata = dict(request.extra.get("metadata") or {}) if not foreign else {}
    if request.user:
        metadata["user_id"] = request.user
    if metadata:
        body["metadata"] = metadata
    if not foreign:
        body.update((key, value) for key, value in request.extra.items() if key != "metadata")


def signed(part: Thinking) -> bool:
    """Whether Anthropic itself signed it. What we pass on from others is tagged "kind:"."""
    return bool(part.signature) and ":" not in (part.signature or "")


def _sampling(body: JSON, request: Request, model: str, foreign: bool) -> None:
    """What of it the model takes. Claude takes one of temperature and top_p since 4.1 ("cannot both
    be specified for this model"), and none since 4.7 ("`temperature` is deprecated for this
    model"), where most clients of other dialects send them without thought."""
    since = _since(model) if foreign else (0, 0)
    if since >= (4, 7):
        return
    if request.temperature is not None:
        body["temperature"] = min(request.temperature, 1.0)
    if request.top_p is not None and not (since >= (4, 1) and "temperature" in body):
        body["top_p"] = request.top_p
    if request.top_k is not None:
        body["top_k"] = request.top_k


def _system(request: Request, foreign: bool) -> list[JSON] | str | None:
    parts = list(request.system)
    if foreign:
        # Only the top may hold a system text: those of mid-conversation join it.
        parts += [part for m in request.messages if m.role == "system" for part in m.parts]
        if (request.response_format or {}).get("type") == "json_object":
            parts.append(Text(JSON_ONLY))
    blocks = [block for part in parts if (block := block_of(part)) is not None]
    return blocks or None


def _messages(request: Request, provider: Provider, foreign: bool) -> Iterable[JSON]:
    real = provider.kind in _REAL
    for message in request.messages:
        if foreign and message.role == "system":
            continue
        content = []
        for part in message.parts:
            if real and isinstance(part, Thinking) and not signed(part):
                continue  # "Invalid signature in thinking block": another provider's thoughts
            if foreign and type(part) is Document and part.data and part.media_type not in _READS:
                raise unfit(provider, f"documents of the type {part.media_type!r}")
            if (block := block_of(part)) is not None:
                if foreign and type(part) is ToolUse:
                    block["name"] = plain(block["name"])
                content.append(block)
            elif foreign and type(part) is Opaque and part.kind in FILES:
                raise unfit(provider, f"parts of the type {part.kind!r}")
        if content:
            rest = message.extra or {} if not foreign else {}
            yield {"role": message.role, "content": content, **rest}


def block_of(part: Part) -> JSON | None:
    """One content block; None for what has no place here, and for a text without text: Anthropic
    answers 400 "text content blocks must contain non-whitespace text"."""
    if isinstance(part, RedactedThinking):
        return {"type": "redacted_thinking", "data": part.data}
    if isinstance(part, Opaque):
        return part.body if "type" in part.body and part.kind not in _OPENAI_ONLY else None
    if isinstance(part, Thinking):
        signature = part.signature or ""
        block: JSON = {"type": "thinking", "thinking": part.text, "signature": signature}
        return {**block, **(part.extra or {})}
    if isinstance(part, Text) and (not part.text or part.text.isspace()):
        return None
    block = _marked(part)
    if part.cache:
        block["cache_control"] = part.cache
    if part.extra:
        block.update((k, v) for k, v in part.extra.items() if k not in _OPENAI_KEYS)
        if cites_others(part):
            own = [one for one in block.pop("citations") if not foreign_source(one)]
            block.update({"citations": own} if own else {})
    return block


def _marked(part: Text | ToolUse | ToolResult | Image | Document) -> JSON:
    """Those that can bear a cache mark."""
    if isinstance(part, Text):
        return {"type": "text", "text": part.text}
    if isinstance(part, ToolUse):
        return {"type": "tool_use", "id": plain(part.id), "name": part.name, "input": part.input}
    if isinstance(part, Image):
        return {"type": "image", "source": _source(part.media_type or "image/png", part)}
    if isinstance(part, Document):
        return _document(part)
    block: JSON = {"type": "tool_result", "tool_use_id": plain(part.tool_use_id)}
    if content := [inner for p in part.parts if (inner := block_of(p)) is not None]:
        block["content"] = content
    if part.is_error:
        block["is_error"] = True
    return block


#: documents that it takes as base64; None: nobody said what it is
_READS = (None, "application/pdf")
#: tools of an OpenAI request that have no Anthropic form
_OPENAI_TOOLS = frozenset({"custom", "web_search", "web_search_preview"})
#: parts of an OpenAI request that have no Anthropic form
_OPENAI_ONLY = frozenset({"input_audio", "video_url", "file", "image_url"})


#: keys that only OpenAI's parts have
_OPENAI_KEYS = frozenset({"detail", "image_url", "annotations", "extra_content", "refusal"})


def cites_others(part: Part) -> bool:
    """Whether it has sources that another provider told: Anthropic refuses them."""
    told = part.extra.get("citations") if type(part) is Text and part.extra else None
    return isinstance(told, list) and any(foreign_source(one) for one in told)


def _source(media_type: str, part: Image | Document) -> JSON:
    if part.url is not None:
        return {"type": "url", "url": part.url}
    return {"type": "base64", "media_type": media_type, "data": part.data}


def _document(part: Document) -> JSON:
    if part.text is not None:
        source = {"type": "text", "media_type": part.media_type or "text/plain", "data": part.text}
    else:
        source = _source(part.media_type or "application/pdf", part)
    block: JSON = {"type": "document", "source": source}
    if part.name:
        block["title"] = part.name
    return block


def _tool(tool: Tool, foreign: bool) -> JSON:
    if tool.kind != "function":
        body: JSON = {"type": tool.kind, "name": tool.name, **(tool.extra or {})}
    else:
        body = {"name": plain(tool.name) if foreign else tool.name}
        if tool.description is not None:
            body["description"] = tool.description
        body["input_schema"] = {"type": "object", **(tool.schema or {"properties": {}})}
        body.update(tool.extra or {})
    if tool.cache:
        body["cache_control"] = tool.cache
    return body


def _tool_choice(request: Request, tools: list[JSON], foreign: bool) -> JSON | None:
    choice = request.tool_choice
    if choice is None:
        return None
    body: JSON = {"type": choice.mode}
    if choice.mode == "tool":
        body["name"] = plain(choice.name or "") if foreign else choice.name
        if foreign and not any(tool["name"] == body["name"] for tool in tools):
            body = {"type": "auto"}  # one that is not among them is refused
    if choice.parallel is not None and choice.mode != "none":
        body["disable_parallel_tool_use"] = not choice.parallel
    return body


def _think(body: JSON, request: Request, provider: Provider, model: str, foreign: bool) -> None:
    """`thinking` and `output_config`, and what must give way to them."""
    wish = request.reasoning
    config: JSON = dict(body.get("output_config") or {})
    if (form := request.response_format) and form.get("type") == "json_schema":
        schema = (form.get("json_schema") or {}).get("schema") or {"type": "object"}
        schema = _closed(schema) if foreign else schema
        config["format"] = {"type": "json_schema", "schema": schema}
    if not foreign:
        thinking = {"on": "enabled", "off": "disabled", "adaptive": "adaptive"}.get(wish.mode or "")
        if thinking and not (thinking == "enabled" and _unthought(body["messages"])):
            body["thinking"] = {"type": thinking, **(wish.extra or {})}
            if wish.budget is not None:
                body["thinking"]["budget_tokens"] = wish.budget
        if wish.effort:
            config["effort"] = wish.effort
    elif wish.mode != "off" and (wish.effort or wish.budget or wish.mode):
        if adaptive(model):
            body["thinking"] = {"type": "adaptive"}
            if wish.effort in _BUDGETS:
                known = _EFFORTS if _since(model) >= (4, 7) else _EFFORTS_OF_4_6
                config["effort"] = level(wish.effort, known)
        elif not _unthought(body["messages"]):
            _budget(body, request, provider)
    if config:
        body["output_config"] = config
    if foreign and "thinking" in body:
        _give_way(body)


def _budget(body: JSON, request: Request, provider: Provider) -> None:
    """A budget for the effort, smaller than max_tokens; no thinking where there is no room."""
    wish = request.reasoning
    budget = wish.budget or _BUDGETS.get(wish.effort or "medium", _BUDGETS["medium"])
    if request.max_tokens is None:
        body["max_tokens"] = min(
            budget + DEFAULT_MAX_TOKENS, provider.max_output or budget + DEFAULT_MAX_TOKENS
        )
    # At least a quarter of the room is for the answer itself.
    budget = min(budget, body["max_tokens"] * 3 // 4)
    if budget >= SMALLEST_BUDGET:
        body["thinking"] = {"type": "enabled", "budget_tokens": budget}


def _give_way(body: JSON) -> None:
    """Thinking allows no temperature but 1, no top_k, and no tool that must be called."""
    for field in ("temperature", "top_k", "top_p"):
        body.pop(field, None)
    if body.get("tool_choice", {}).get("type") in ("any", "tool"):
        body["tool_choice"] = {k: v for k, v in body["tool_choice"].items() if k != "name"} | {
            "type": "auto"
        }


def adaptive(model: str) -> bool:
    """Whether a Claude of this name chooses by itself how long to think."""
    return _since(model) >= (4, 6)


def _since(model: str) -> tuple[int, int]:
    """The version of a Claude by its name; (0, 0) where it tells none, as before Claude 4."""
    found = _VERSION.search(model)
    return (int(found[1]), int(found[2] or 0)) if found is not None else (0, 0)


def _unthought(messages: list[JSON]) -> bool:
    """Whether a tool loop is under way whose last turn has no thinking: with a thinking budget
    Anthropic answers 400 "Expected `thinking` … but found `tool_use`"."""
    for message in reversed(messages):
        if message["role"] == "assistant":
            kinds = [block["type"] for block in message["content"]]
            return "tool_use" in kinds and not kinds[0].endswith("thinking")
        if message["role"] == "user" and message["content"][0]["type"] != "tool_result":
            return False
    return False


def _closed(schema: JSON) -> JSON:
    """Structured output wants every object closed, as OpenAI's strict mode does."""
    closed: JSON = {}
    for key, value in schema.items():
        if isinstance(value, dict):
            closed[key] = _closed(value)
        elif isinstance(value, list):
            closed[key] = [_closed(item) if isinstance(item, dict) else item for item in value]
        else:
            closed[key] = value
    if closed.get("type") == "object":
        closed.setdefault("additionalProperties", False)
    return closed
