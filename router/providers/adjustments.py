"""Named changes to a rendered request body: what CCR calls transformers. Pure functions.

A function takes the body and its options and gives a body; it never changes what it was given,
because parts of a body are shared with the client's request and with the next attempt. Where CCR's
transformer also works on the answer, that half is either native to our formats or said to be
missing in UNDONE.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from router.providers.nested import nested
from router.settings import Adjustment, Provider

JSON = dict[str, Any]
Change = Callable[[JSON, Mapping[str, Any]], JSON]

#: DeepSeek's chat models answered at most this much when CCR's transformer was written, and its
#: users rely on the name meaning that; `["deepseek", {"max_tokens": N}]` moves it
DEEPSEEK_MOST = 8192

_LIMITS = ("max_tokens", "max_completion_tokens", "max_output_tokens")


def maxtoken(body: JSON, options: Mapping[str, Any]) -> JSON:
    """Caps the length of the answer at `max_tokens`."""
    most = options.get("max_tokens")
    over = [name for name in _LIMITS if _number(body.get(name)) and _number(most)]
    lowered = {name: most for name in over if body[name] > most}
    return {**body, **lowered} if lowered else body


def maxcompletiontokens(body: JSON, _options: Mapping[str, Any]) -> JSON:
    """Says max_completion_tokens where the body says max_tokens."""
    if "max_tokens" not in body:
        return body
    changed = {name: value for name, value in body.items() if name != "max_tokens"}
    return {**changed, "max_completion_tokens": body["max_tokens"]}


def sampling(body: JSON, options: Mapping[str, Any]) -> JSON:
    """Caps max_tokens, and sets the sampling fields that are named."""
    names = ("temperature", "top_p", "top_k", "repetition_penalty")
    return {**maxtoken(body, options), **{n: options[n] for n in names if n in options}}


def cleancache(body: JSON, _options: Mapping[str, Any]) -> JSON:
    """Takes every cache_control mark out: of messages, their parts, tools and the system."""
    changed = {}
    for name in ("system", "messages", "tools"):
        entries = body.get(name)
        if isinstance(entries, list) and (clean := _unmarked(entries)) is not entries:
            changed[name] = clean
    marked = "cache_control" in body
    if not changed and not marked:
        return body
    return {k: v for k, v in {**body, **changed}.items() if k != "cache_control"}


def streamoptions(body: JSON, _options: Mapping[str, Any]) -> JSON:
    """Asks for usage at the end of a stream."""
    if not body.get("stream"):
        return body
    return {**body, "stream_options": {**(body.get("stream_options") or {}), "include_usage": True}}


def customparams(body: JSON, options: Mapping[str, Any]) -> JSON:
    """Merges the options into the body, at any depth; what the body already says stays."""
    return _under(options, body)


def deepseek(body: JSON, options: Mapping[str, Any]) -> JSON:
    """Caps the length of the answer as DeepSeek's API did."""
    return maxtoken(body, {"max_tokens": DEEPSEEK_MOST, **options})


def openrouter(body: JSON, options: Mapping[str, Any]) -> JSON:
    """Takes cache marks out for models that are not Claude's, and puts the options into the body
    (`{"provider": {"only": […]}}`)."""
    if "claude" not in str(body.get("model", "")).lower():
        body = cleancache(body, {})
    return {**body, **options} if options else body


def groq(body: JSON, _options: Mapping[str, Any]) -> JSON:
    """Takes cache marks out, and `$schema` out of the tools, which Groq refuses."""
    body = cleancache(body, {})
    return {**body, "tools": _without(body["tools"], "$schema")} if body.get("tools") else body


def reasoning(body: JSON, options: Mapping[str, Any]) -> JSON:
    """With `enable: false`, switches thinking off in every word that servers have for it."""
    if options.get("enable", True):
        return body
    changed = {n: v for n, v in body.items() if n not in ("reasoning", "reasoning_effort")}
    return {**changed, "thinking": {"type": "disabled"}, "enable_thinking": False}


#: our own words; CCR's transformer also forces a tool call and adds a tool to leave by
_USE_TOOLS = (
    "Tools are available. When a step can be done with one of them, call it rather than describe "
    "it. When nothing is left to do, answer in plain text."
)


def tooluse(body: JSON, _options: Mapping[str, Any]) -> JSON:
    """Reminds a model that is shy of tools that it has them. It stays free to answer in text:
    forcing a call on every turn needs a made-up tool to end a conversation, which CCR's clients
    then see as an unfinished turn."""
    if not body.get("tools") or not isinstance(body.get("messages"), list):
        return body
    return {**body, "messages": [*body["messages"], {"role": "system", "content": _USE_TOOLS}]}


def vertex_claude(body: JSON, _options: Mapping[str, Any]) -> JSON:
    """Vertex names the model in the address and wants the version of the wire in the body."""
    changed = {name: value for name, value in body.items() if name != "model"}
    return {"anthropic_version": "vertex-2023-10-16", **changed}


#: CCR's names; its users write them in any case
CHANGES: Mapping[str, Change] = {
    "maxtoken": maxtoken,
    "maxcompletiontokens": maxcompletiontokens,
    "sampling": sampling,
    "cleancache": cleancache,
    "streamoptions": streamoptions,
    "customparams": customparams,
    "deepseek": deepseek,
    "openrouter": openrouter,
    "vercel": openrouter,
    "groq": groq,
    "reasoning": reasoning,
    "tooluse": tooluse,
    "vertex-claude": vertex_claude,
}

#: names whose whole work is done without them
NATIVE: Mapping[str, str] = {
    "anthropic": "the format says it",
    "openai": "the format says it",
    "gemini": "the address says it",
    "extrathinktag": "<think> text is read as thinking everywhere",
    "cerebras": "what Cerebras refuses is left out by its address",
    "enhancetool": "tool arguments are passed on as the model wrote them, streamed",
    "vertex-gemini": "its address and sign-in say it",
    "openai-responses": "chat/completions of the same server is used",
}

#: names that are known and not done, with what that means
UNDONE: Mapping[str, str] = {
    "forcereasoning": "thinking by prompt is not done: the model answers as it would anyway",
}


def adjust(body: JSON, provider: Provider, model: str) -> JSON:
    """The body as the provider's and then the model's adjustments want it. Unknown names were
    reported when the configuration was read, and change nothing here."""
    for adjustment in (*provider.adjustments, *provider.model_adjustments.get(model, ())):
        if change := CHANGES.get(adjustment.name):
            body = change(body, adjustment.options)
    return nested(body, provider.format)


def read(use: Any) -> Adjustment | None:
    """One entry of CCR's `use` list, `"name"` or `["name", {options}]`; None if it is neither."""
    match use:
        case str(name) if name:
            return Adjustment(name.lower())
        case [str(name)] if name:
            return Adjustment(name.lower())
        case [str(name), dict(options)] if name:
            return Adjustment(name.lower(), options)
    return None


def _number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _unmarked(entries: list[Any]) -> list[Any]:
    """Messages, parts or tools without their cache marks; the same list where there are none.

    Looks only where a mark can stand, not into texts, arguments and schemas: this is on the path of
    each request, and a long conversation has thousands of those."""
    made = None
    for index, entry in enumerate(entries):
        if not isinstance(entry, dict):
            continue
        inner: JSON = {}
        if isinstance(content := entry.get("content"), list):
            clean = _unmarked(content)
            if clean is not content:
                inner["content"] = clean
        if isinstance(function := entry.get("function"), dict) and "cache_control" in function:
            inner["function"] = {k: v for k, v in function.items() if k != "cache_control"}
        if inner or "cache_control" in entry:
            made = list(entries) if made is None else made
            made[index] = {k: v for k, v in {**entry, **inner}.items() if k != "cache_control"}
    return entries if made is None else made


def _without(value: Any, name: str) -> Any:
    """`value` without that key at any depth; the same object where it holds none."""
    if isinstance(value, dict):
        inner = {k: _without(v, name) for k, v in value.items() if k != name}
        same = len(inner) == len(value) and all(inner[k] is value[k] for k in inner)
        return value if same else inner
    if isinstance(value, list):
        entries = [_without(v, name) for v in value]
        return value if all(a is b for a, b in zip(entries, value, strict=True)) else entries
    return value


def _under(defaults: Mapping[str, Any], body: JSON) -> JSON:
    merged = dict(body)
    for name, value in defaults.items():
        if name not in body:
            merged[name] = value
        elif isinstance(body[name], dict) and isinstance(value, Mapping):
            merged[name] = _under(value, body[name])
    return merged
