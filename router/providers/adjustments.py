"""Named changes to a rendered request body: what CCR calls transformers. Pure functions.

A function takes the body and its options and gives a body; it never changes what it was given,
because parts of a body are shared with the client's request and with the next attempt. Where CCR's
transformer also works on the answer, that half is native to our formats (but for ON_ANSWERS).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from router.formats.exit_tool import NAME as EXIT_TOOL
from router.formats.exit_tool import SAID as EXIT_SAID
from router.providers.nested import nested
from router.settings import Adjustment, Provider

JSON = dict[str, Any]
Change = Callable[[JSON, Mapping[str, Any]], JSON]

#: DeepSeek's chat models answered at most this much when CCR's transformer was written, and its
#: users rely on the name meaning that; `["deepseek", {"max_tokens": N}]` moves it
DEEPSEEK_MOST = 8192

_LIMITS = ("max_tokens", "max_completion_tokens", "max_output_tokens")


def maxtoken(body: JSON, options: Mapping[str, Any]) -> JSON:
    """Caps the length of the answer at `max_tokens`, whatever the format calls it."""
    most: Any = options.get("max_tokens")
    if isinstance(nested := body.get("generationConfig"), dict):  # Gemini's own format
        limit: Any = nested.get("maxOutputTokens")
        if _number(limit) and _number(most) and limit > most:
            body = {**body, "generationConfig": {**nested, "maxOutputTokens": most}}
    if isinstance(nested := body.get("options"), dict):  # Ollama's
        limit = nested.get("num_predict")
        if _number(limit) and _number(most) and limit > most:
            body = {**body, "options": {**nested, "num_predict": most}}
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
    """Puts the options into the body. A field that is there stays, but inside of an object that is
    there the options win, at any depth: as CCR does."""
    merged = dict(body)
    for name, value in options.items():
        there = body.get(name)
        if name not in body:
            merged[name] = value
        elif isinstance(there, dict) and isinstance(value, Mapping):
            merged[name] = _over(there, value)
            if name == "reasoning":  # OpenRouter takes one of them, not both
                for one, other in (("effort", "max_tokens"), ("max_tokens", "effort")):
                    if one in value and other not in value:
                        merged[name].pop(other, None)
    return merged


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
    """With `enable: false`, switches thinking off in every word that servers have for it; else says
    a wish for it in both words that such servers know."""
    if options.get("enable", True):
        wanted = body.get("enable_thinking") is True and "thinking" not in body
        return {**body, "thinking": {"type": "enabled"}} if wanted else body
    changed = {n: v for n, v in body.items() if n not in ("reasoning", "reasoning_effort")}
    # -1 is CCR's own: servers that read a budget take it for "none"
    off = {"type": "disabled", "budget_tokens": -1}
    return {**changed, "thinking": off, "enable_thinking": False}


#: our own words: CCR's are its authors'
_USE_TOOLS = (
    "Tools are available, and each of your turns is a call of one. When a step can be done with a "
    f"tool, call it rather than describe it. When nothing is left to do, or no tool fits, call "
    f"{EXIT_TOOL} with your answer to the user: it is the only way to end."
)
_THINK = (
    "Before each answer, write down how you come to it between <reasoning_content> and "
    "</reasoning_content>, however simple it seems; then answer after the closing tag."
)
_EXIT = {
    "name": EXIT_TOOL,
    "description": (
        "Ends your turn with an answer to the user. Only for when the task is done, or none of "
        "the other tools can help with it."
    ),
}
_EXIT_SCHEMA = {
    "type": "object",
    "properties": {
        EXIT_SAID: {"type": "string", "description": "The answer, shown to the user as it is."}
    },
    "required": [EXIT_SAID],
}


def tooluse(body: JSON, _options: Mapping[str, Any]) -> JSON:
    """Has a model that is shy of tools call one in every turn, the one to leave by at last. A tool
    that the client itself forces stays forced. Where the format is neither OpenAI's chat nor
    Anthropic's, or Claude thinks (which forbids to force a call), there is only the reminder."""
    tools = body.get("tools")
    if not tools or not isinstance(tools, list):
        return body
    body = _told(body, _USE_TOOLS)
    forced = body.get("tool_choice")
    if "function" in tools[-1]:
        exit: JSON = {"type": "function", "function": {**_EXIT, "parameters": _EXIT_SCHEMA}}
        chosen: Any = forced if isinstance(forced, dict) or forced == "none" else "required"
    elif "input_schema" in tools[-1] and "thinking" not in body:
        exit = {**_EXIT, "input_schema": _EXIT_SCHEMA}
        kept = isinstance(forced, dict) and forced.get("type") in ("tool", "none")
        chosen = forced if kept else {"type": "any"}
    else:
        return body
    return {**body, "tools": [*tools, exit], "tool_choice": chosen}


def vertex_claude(body: JSON, _options: Mapping[str, Any]) -> JSON:
    """Vertex names the model in the address and wants the version of the wire in the body."""
    changed = {name: value for name, value in body.items() if name != "model"}
    return {"anthropic_version": "vertex-2023-10-16", **changed}


def forcereasoning(body: JSON, _options: Mapping[str, Any]) -> JSON:
    """Makes a model that has no thinking of its own think aloud, in the tags that are read as
    thinking everywhere."""
    return _told(body, _THINK)


def _told(body: JSON, words: str) -> JSON:
    """The words at the end of the system prompt: there they are the same in every turn, so that
    the prefix that a provider has cached stays what it was."""
    messages = body.get("messages")
    if not isinstance(messages, list):
        return body
    if isinstance(system := body.get("system"), list):  # Anthropic's own format
        return {**body, "system": [*system, {"type": "text", "text": words}]}
    first = messages[0] if messages else None
    content = first.get("content") if isinstance(first, dict) else None
    if not isinstance(first, dict) or first.get("role") != "system":
        return {**body, "messages": [{"role": "system", "content": words}, *messages]}
    if isinstance(content, list):
        joined: Any = [*content, {"type": "text", "text": words}]
    else:
        joined = f"{content}\n\n{words}" if content else words
    return {**body, "messages": [{**first, "content": joined}, *messages[1:]]}


def as_it_is(body: JSON, _options: Mapping[str, Any]) -> JSON:
    """For names whose work is on the answer (ON_ANSWERS)."""
    return body


#: the names that change the answer too: router.formats.changed
ON_ANSWERS = frozenset({"enhancetool", "tooluse"})

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
    "forcereasoning": forcereasoning,
    "enhancetool": as_it_is,
}

#: names whose whole work is done without them
NATIVE: Mapping[str, str] = {
    "anthropic": "the format says it",
    "openai": "the format says it",
    "gemini": "the address says it",
    "extrathinktag": "<think> text is read as thinking everywhere",
    "cerebras": "what Cerebras refuses is left out by its address",
    "vertex-gemini": "its address and sign-in say it",
    "openai-responses": "the Responses API is spoken there",
}


def adjust(body: JSON, provider: Provider, model: str) -> JSON:
    """The body as the provider's and then the model's adjustments want it. Unknown names were
    reported when the configuration was read, and change nothing here."""
    for adjustment in (*provider.adjustments, *provider.model_adjustments.get(model, ())):
        if change := CHANGES.get(adjustment.name):
            body = change(body, adjustment.options)
            if body.get("tool_choice") == "required" and not _forces(provider.kind):
                body = {**body, "tool_choice": "auto"}
    return nested(body, provider.format)


def _forces(kind: str) -> bool:
    """Whether such a provider can be told that a tool must be called."""
    from router.providers import quirks  # imported here: that package finds its kinds by this file

    return quirks(kind).tool_choice_required


def answer_changes(provider: Provider, model: str) -> tuple[str, ...]:
    """What this model's answers are to go through, each once."""
    own = (*provider.adjustments, *provider.model_adjustments.get(model, ()))
    return tuple(dict.fromkeys(one.name for one in own if one.name in ON_ANSWERS))


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


def _over(there: JSON, options: Mapping[str, Any]) -> JSON:
    merged = dict(there)
    for name, value in options.items():
        inner = there.get(name)
        if isinstance(inner, dict) and isinstance(value, Mapping):
            merged[name] = _over(inner, value)
        else:
            merged[name] = value
    return merged
