"""What a request is like: one quick look, before any rule. Pure; keeps no text in what it returns.

Today's Claude Code shapes what is looked for: `system` messages and reminders follow the user's own
words, images sit inside tool results, and session titles come with the main model's name.
"""

from __future__ import annotations

import re

from router.caller import Caller
from router.contract import Facts
from router.messages import JSON, Image, Message, Part, Reasoning, Request, Text, Tool, ToolResult

#: blocks that a client puts into a user's message, which are not the user's own words
REMINDER = re.compile(
    r"<(system-reminder|(?:local-)?command-[a-z]+|bash-[a-z]+)>.*?(?:</\1>|\Z)", re.DOTALL
)
#: the model that a main agent asks for a subagent, written into the subagent's prompt
SUBAGENT_TAG = re.compile(r"<CCR-SUBAGENT-MODEL>([^<]{1,300})</CCR-SUBAGENT-MODEL>")
_TAG_START = "<CCR-SUBAGENT-MODEL>"
#: in a user's message a reminder comes first, so that a tag inside of it is never seen: a CLAUDE.md
#: that tells how to write one, a hook's words
_REMINDER_OR_TAG = re.compile(f"{REMINDER.pattern}|{SUBAGENT_TAG.pattern}", re.DOTALL)

#: what Claude Code asks with max_tokens 1 to learn whether a model answers
PROBES = frozenset({"hi", "quota", "test"})
WARMUP = "warmup"
#: characters of what is told by its words
_LONGEST_SIDE_CALL = max(map(len, (WARMUP, *PROBES)))
#: the fields of a hook's verdict, which Claude Code asks for with the whole transcript
VERDICT = frozenset({"ok", "reason", "impossible"})
#: characters that are kept of what a client may write at any length
LONGEST = 300


def look_at(
    request: Request, caller: Caller, tokens: int, exact: bool, ratio: float = 1.0
) -> Facts:
    """The facts of one request. `tokens` as counted; `exact` False where that is an estimate;
    `ratio` is what this session's provider has found for each token that we count."""
    reasoning = request.reasoning
    return Facts(
        tokens=tokens if ratio == 1.0 else round(tokens * ratio),
        tokens_exact=exact,
        counted=0 if ratio == 1.0 else tokens,
        messages=len(request.messages),
        tools=len(request.tools),
        images=images_in_newest_turn(request),
        web_search=bool(request.tools) and _web_search(request.tools),
        thinking=thinking_words(reasoning),
        effort=(reasoning.effort or "")[:LONGEST],
        context=(request.context or caller.headers.get("x-pointsman-context", ""))[:LONGEST],
        subagent=subagent_tag(request)[:LONGEST],
        side_call=side_call(request),
    )


def thinking_words(reasoning: Reasoning) -> str:
    """What was asked of the model's thinking, for people: "on 31,999", "adaptive high", "off"."""
    if reasoning.mode is None:
        return ""
    words: list[str] = [reasoning.mode]
    if reasoning.budget is not None:
        words.append(f"{reasoning.budget:,}")
    if reasoning.effort and reasoning.mode != "off":
        words.append(reasoning.effort)
    return " ".join(words)


def images_in_newest_turn(request: Request) -> int:
    """Images that the model has not seen yet, those inside tool results included: in what the
    client added since the last answer. A prefill is not an answer."""
    count, prefill = 0, True
    for message in reversed(request.messages):
        if message.role == "user":
            count += _images(message.parts)
        elif message.role == "assistant" and not prefill:
            break
        prefill = False
    return count


def _images(parts: list[Part]) -> int:
    count = 0
    for part in parts:
        if type(part) is Image:
            count += 1
        elif type(part) is ToolResult:
            count += _images(part.parts)
    return count


def _web_search(tools: list[Tool]) -> bool:
    return any(tool.kind.startswith("web_search") for tool in tools)


def newest_user_texts(request: Request) -> tuple[Message | None, list[Text]]:
    """The newest message in which the user said something, and its texts.

    Tool results, `system` messages and reminders are not the user's words, so inside a tool loop
    this is still the prompt that began it.
    """
    for message in reversed(request.messages):
        if message.role != "user":
            continue
        texts: list[Text] = []
        for part in message.parts:
            if type(part) is Text and _said(part.text):
                texts.append(part)
        if texts:
            return message, texts
    return None, []


def own_words(text: str) -> str:
    """A user's text without the blocks that the client put into it."""
    return REMINDER.sub("", text) if "<" in text else text


def _said(text: str) -> bool:
    start = text.lstrip()
    if not start:
        return False
    return start[0] != "<" or bool(own_words(start).strip())


def subagent_tag(request: Request) -> str:
    """The model named by a subagent tag in the system prompt or the first user message."""
    for part in request.system:
        if type(part) is not Text or _TAG_START not in part.text:
            continue
        if found := SUBAGENT_TAG.search(part.text):
            return found[1].strip()
    for message in request.messages:
        if message.role == "user":
            return _first_tag(message.parts)
    return ""


def _first_tag(parts: list[Part]) -> str:
    for part in parts:
        if type(part) is Text and _TAG_START in part.text:
            for match in _REMINDER_OR_TAG.finditer(part.text):
                if match[2]:
                    return match[2].strip()
    return ""


def untagged(text: str) -> str:
    """A user's text without its subagent tags, but for those of reminders."""
    return _REMINDER_OR_TAG.sub(lambda match: "" if match[2] else match[0], text)


def side_call(request: Request) -> str:
    """What a client asks beside the conversation, told by its shape alone; "" for a real turn."""
    if not request.tools and request.response_format:
        fields = _fields(request.response_format)
        if fields == {"title"}:
            return "title"
        if {"ok", "reason"} <= fields <= VERDICT:
            return "hook"
    if not 0 < len(request.messages) <= 3:
        return ""
    last = request.messages[-1]
    if last.role == "assistant":
        return "topic" if not request.tools and _only_text(last) == "{" else ""
    if last.role == "user" and last.parts and _long(last.parts[-1]):
        return ""
    _, texts = newest_user_texts(request)
    words = own_words(texts[0].text).strip().lower() if len(texts) == 1 else ""
    if words == WARMUP:
        return "warmup"
    return "probe" if request.max_tokens == 1 and words in PROBES else ""


def _long(part: Part) -> bool:
    """Whether it holds more of the user's own words than any side call: nearly every prompt."""
    if type(part) is not Text or "<" in part.text:
        return False
    return len(part.text.strip()) > _LONGEST_SIDE_CALL


def _only_text(message: Message) -> str:
    part = message.parts[0] if len(message.parts) == 1 else None
    return part.text.strip() if isinstance(part, Text) else ""


def _fields(wanted: JSON) -> set[str]:
    """The names that a JSON schema asks for; none where it is none."""
    holder = wanted.get("json_schema")
    holder = holder if isinstance(holder, dict) else wanted
    schema = holder.get("schema")
    properties = schema.get("properties") if isinstance(schema, dict) else None
    return set(properties) if isinstance(properties, dict) else set()
