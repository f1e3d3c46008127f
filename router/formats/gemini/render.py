"""The canonical conversation as a body for Gemini's generateContent.

Its one rule: turns alternate, each call has its answer in the turn behind it, in the order of the
calls; and a call carries the thought signature that came with it, or the sentinel for a lost one.
"""

from __future__ import annotations

from typing import Any

from router.formats.failures import unfit
from router.formats.gemini.parse import NAME
from router.formats.gemini.schema import cleaned
from router.formats.names import plain
from router.formats.openai_chat.turns import text_of
from router.formats.openai_chat.wishes import effort_of
from router.messages import (
    FILES,
    JSON,
    Document,
    Image,
    Message,
    Opaque,
    Part,
    Reasoning,
    RedactedThinking,
    Request,
    Text,
    Thinking,
    ToolResult,
    ToolUse,
)
from router.providers import quirks
from router.settings import Provider

#: Google's documented stand-in for a signature that was lost, or never was
UNSIGNED = "skip_thought_signature_validator"
_BILLING = "x-anthropic-billing-header"
#: the largest thinking budgets of the models that take one
_MOST_BUDGET = 24_576
#: addresses that Gemini reads by itself
READS = ("gs://", "https://generativelanguage.googleapis.com/", "https://www.youtube.com/")


def render_request(request: Request, provider: Provider, model: str) -> JSON:
    """Raises UpstreamError for what Gemini cannot be told; a wish that it cannot take is left
    out."""
    own = request.dialect.startswith(NAME)
    body: JSON = {"contents": _Turns(request, provider, model).contents()}
    if system := [{"text": text} for text in _words(request.system)]:
        body["systemInstruction"] = {"parts": system}
    config = _config(request, provider, model)
    extra = dict(request.extra) if own else {}
    config = {**(extra.pop("generationConfig", None) or {}), **config}
    if more := extra.pop("toolConfig", None):
        body["toolConfig"] = more
    _tools(body, request, extra.pop("tools", None))
    if config:
        body["generationConfig"] = config
    return {**extra, **body}


def _words(parts: list[Part]) -> list[str]:
    texts = (part.text for part in parts if isinstance(part, Text))
    return [text for text in texts if text and not text.startswith(_BILLING)]


class _Turns:
    """Contents, built turn by turn. `_calls`: those of the last model's turn, not yet answered."""

    def __init__(self, request: Request, provider: Provider, model: str) -> None:
        self._request = request
        self._provider = provider
        # Gemini 3 refuses a call without a signature; older ones sign nothing.
        self._signs = not model.startswith(("gemini-1", "gemini-2", "gemma"))
        self._contents: list[JSON] = []
        self._calls: dict[str, str] = {}
        self._told: dict[str, JSON] = {}  # call → its response

    def contents(self) -> list[JSON]:
        for message in self._request.messages:
            if message.role == "assistant":
                self._answer([], [])  # what nobody answered
                self._assistant(message)
            elif message.role == "user":
                self._user(message)
            else:
                self._add("user", [{"text": text} for text in _words(message.parts)])
        self._answer([], [])
        if not self._contents or self._contents[0]["role"] != "user":
            self._contents.insert(0, {"role": "user", "parts": [{"text": "(continue)"}]})
        return self._contents

    def _add(self, role: str, parts: list[JSON]) -> None:
        if not parts:
            return
        if self._contents and self._contents[-1]["role"] == role:
            self._contents[-1]["parts"] += parts
        else:
            self._contents.append({"role": role, "parts": parts})

    def _assistant(self, message: Message) -> None:
        parts: list[JSON] = []
        signature: str | None = None
        for part in message.parts:
            if isinstance(part, Thinking):
                tag, _, told = (part.signature or "").partition(":")
                signature = told if tag == NAME and told else signature
            elif isinstance(part, ToolUse):
                first = not self._calls
                self._calls[part.id] = plain(part.name)
                call: JSON = {"functionCall": {"name": plain(part.name), "args": part.input or {}}}
                known = _signature(part) or signature
                if known or (first and self._signs):  # of parallel calls only the first has one
                    call["thoughtSignature"] = known or UNSIGNED
                signature = None
                parts.append(call)
            else:
                self._piece(part, parts)
        self._add("model", parts)

    def _user(self, message: Message) -> None:
        results = [part for part in message.parts if isinstance(part, ToolResult)]
        said: list[JSON] = []
        for part in message.parts:
            if not isinstance(part, ToolResult):
                self._piece(part, said)
        self._answer(results, said)

    def _answer(self, results: list[ToolResult], said: list[JSON]) -> None:
        """One response for each call, in the calls' order; one that answers none is dropped.

        Results of parallel calls may come in several messages (OpenAI's clients send one each):
        what is still open waits for the next of them."""
        for result in results:
            name = self._calls.get(result.tool_use_id)
            if name is None:
                continue
            shown: list[JSON] = []
            self._told[result.tool_use_id] = self._response(result, name, shown)
            said = shown + said
        if self._calls and (said or not results or self._calls.keys() <= self._told.keys()):
            self._settle()
        self._add("user", said)

    def _settle(self) -> None:
        self._add(
            "user",
            [
                self._told.get(id) or _function_response(name, {"output": "(no result)"})
                for id, name in self._calls.items()
            ],
        )
        self._calls.clear()
        self._told.clear()

    def _response(self, result: ToolResult, name: str, shown: list[JSON]) -> JSON:
        texts: list[JSON] = []
        for part in result.parts:
            self._piece(part, texts)
        words = [part["text"] for part in texts if "text" in part]
        shown += [part for part in texts if "text" not in part]
        text = "\n\n".join(words) or ("(see the attached file)" if shown else "(no output)")
        return _function_response(name, {"error" if result.is_error else "output": text})

    def _piece(self, part: Part, parts: list[JSON]) -> None:
        """Adds one part that is no call. Raises UpstreamError where Gemini has none for it."""
        match part:
            case Text(text=text):
                if text and not text.startswith(_BILLING):
                    parts.append({"text": text})
            case Image(data=str(data), media_type=kind):
                parts.append(_inline(kind or "image/png", data))
            case Document(text=str(text), name=name):
                parts.append({"text": f"{name}:\n{text}" if name else text})
            case Document(data=str(data), media_type=kind):
                parts.append(_inline(kind or "application/pdf", data))
            case Image(url=str(url), media_type=kind) | Document(url=str(url), media_type=kind):
                parts.append(self._far(url, kind))
            case Thinking() | RedactedThinking():
                pass
            case Opaque():
                self._other(part, parts)

    def _other(self, part: Opaque, parts: list[JSON]) -> None:
        """A block of one dialect: as it was, in words, or not at all; but a file is never lost."""
        match part:
            case Opaque(body={"gemini": own}):
                parts.append(own)
            case Opaque(kind="input_audio", body={"input_audio": {"data": str(data), **more}}):
                parts.append(_inline(f"audio/{more.get('format', 'wav')}", data))
            case Opaque(kind=kind):
                if said := text_of(part):
                    parts.append({"text": said})
                elif kind in FILES:
                    raise unfit(self._provider, f"parts of the type {kind!r}")

    def _far(self, url: str, kind: str | None) -> JSON:
        if not url.startswith(READS):
            raise unfit(self._provider, "a file by its address: send it as base64")
        return {"fileData": {"fileUri": url, **({"mimeType": kind} if kind else {})}}


def _inline(kind: str, data: str) -> JSON:
    return {"inlineData": {"mimeType": kind, "data": data}}


def _function_response(name: str, response: JSON) -> JSON:
    return {"functionResponse": {"name": name, "response": response}}


def _signature(use: ToolUse) -> str | None:
    """As `parse.signed` put it, or as Google's OpenAI-compatible face sent it."""
    match use.extra:
        case {"extra_content": {"google": {"thought_signature": str(signature)}}}:
            return signature or None
    return None


def _tools(body: JSON, request: Request, others: Any) -> None:
    functions: list[JSON] = []
    for tool in request.tools:
        if tool.kind != "function":
            continue
        function: JSON = {"name": plain(tool.name)}
        if tool.description:
            function["description"] = tool.description
        parameters = cleaned(tool.schema or {})
        if parameters.get("properties"):  # an object without any is refused
            function["parameters"] = {"type": "object", **parameters}
        functions.append(function)
    if functions:
        body["tools"] = [{"functionDeclarations": functions}]
    elif others:
        body["tools"] = others
    elif any(tool.kind.startswith("web_search") for tool in request.tools):
        body["tools"] = [{"googleSearch": {}}]  # which cannot stand beside functions
    choice = request.tool_choice
    if choice is None or not functions:
        return
    calling: JSON = {"mode": {"auto": "AUTO", "none": "NONE"}.get(choice.mode, "ANY")}
    if choice.mode == "tool":
        calling["allowedFunctionNames"] = [plain(choice.name or "")]
        if all(function["name"] != plain(choice.name or "") for function in functions):
            calling = {"mode": "AUTO"}  # one that is not among them is refused
    body["toolConfig"] = {**body.get("toolConfig", {}), "functionCallingConfig": calling}


def _config(request: Request, provider: Provider, model: str) -> JSON:
    limit = request.max_tokens
    if limit and provider.max_output:
        limit = min(limit, provider.max_output)
    wishes = {
        "maxOutputTokens": limit,
        "temperature": request.temperature,
        "topP": request.top_p,
        "topK": request.top_k,
        "stopSequences": request.stop[:5] or None,
        "seed": request.extra.get("seed"),
        "thinkingConfig": _thinking(request.reasoning, request, model),
    }
    config: JSON = {name: value for name, value in wishes.items() if value is not None}
    form = request.response_format
    if form is not None and form.get("type") in ("json_object", "json_schema"):
        config["responseMimeType"] = "application/json"
        schema = (form.get("json_schema") or {}).get("schema")
        if isinstance(schema, dict):
            config["responseSchema"] = cleaned(schema)
    return config


def _thinking(wish: Reasoning, request: Request, model: str) -> JSON | None:
    """2.5 takes a budget in tokens, later models a level; neither can be told the other."""
    if not (wish.mode or wish.effort or wish.budget):
        return None
    if request.dialect.startswith(NAME):
        return wish.extra
    if not quirks("gemini").takes_reasoning(model):
        return None
    shown: JSON = {"includeThoughts": True}
    if model.startswith("gemini-2"):
        if wish.mode == "off":
            return {"thinkingBudget": 128 if "pro" in model else 0}  # pro cannot be kept from it
        if wish.budget:
            shown["thinkingBudget"] = min(wish.budget, _MOST_BUDGET)
        elif wish.effort:
            budgets = {"low": 1024, "medium": 8192}
            level = _level(wish)
            shown["thinkingBudget"] = budgets.get(level, _MOST_BUDGET)
        return shown
    if wish.mode == "off":
        return {"thinkingLevel": "low" if "pro" in model else "minimal"}
    if wish.budget or wish.effort:
        level = _level(wish)
        shown["thinkingLevel"] = "high" if level == "medium" and "pro" in model else level
    return shown


def _level(wish: Reasoning) -> str:
    effort = effort_of(wish)
    return {"minimal": "low", "low": "low", "medium": "medium"}.get(effort, "high")


def complete(request: Request) -> bool:
    """Whether every turn's first call is signed, so that any Gemini takes it as it is."""
    for message in request.messages:
        first = next((part for part in message.parts if isinstance(part, ToolUse)), None)
        if first is not None and not _signature(first):
            return False
    return True
