"""What the simulator answers: a tool call, JSON, or a few sentences of its own. Pure.

One rule: the same request gets the same answer, and every answer in words says it is simulated.
"""

from __future__ import annotations

import re
from hashlib import blake2b
from typing import Any, Literal

import msgspec
from msgspec import Struct, field

from router.simulator.instance import Unfillable, instance
from router.simulator.prompt import Offer, Prompt
from router.simulator.tokens import count, pieces

COMMAND = "echo hello from the simulator"
#: tokens that a tool call costs besides its arguments
CALL = 8

_SHELLS = re.compile(r"bash|shell|exec|terminal|command|cmd", re.IGNORECASE)
_LOOKS = re.compile(r"read|list|get|search|find|view|look|fetch|time", re.IGNORECASE)
_COMMAND_FIELDS = ("command", "cmd", "script", "code")

_OPENINGS = (
    "This is a simulated answer: no model was asked and nothing was billed.",
    "A simulated reply, made on this machine: no provider has seen your prompt.",
    "You are talking to the built-in simulator, which stands in for {model}.",
)
_MIDDLES = (
    "Your prompt is about {tokens} tokens long.",
    "It counted {tokens} tokens on the way in.",
    "I was sent roughly {tokens} tokens.",
)
_CLOSINGS = (
    "Everything else is as it would be: the route, the stream, the usage, the ledger.",
    "Add a provider's key, and the same request goes to a real model instead.",
    "The words mean nothing; the path they took to you is the real one.",
    "Watch the console: this request is there, with the rule that sent it here.",
    "A real model would be slower to start, dearer, and better informed.",
)


class Call(Struct, frozen=True):
    name: str
    input: Any

    @property
    def arguments(self) -> str:
        return msgspec.json.encode(self.input).decode()


class Answer(Struct):
    """`thinking` and `text` are lists of tokens. `end`: "stop" is a stop sequence, `sequence`."""

    text: list[str] = field(default_factory=list)
    thinking: list[str] = field(default_factory=list)
    call: Call | None = None
    end: Literal["end", "length", "stop", "tool"] = "end"
    sequence: str | None = None

    @property
    def tokens(self) -> int:
        """All that is billed as output."""
        call = CALL + count(self.call.arguments) if self.call else 0
        return len(self.thinking) + len(self.text) + call


def answer(prompt: Prompt) -> Answer:
    thinking = pieces(_thoughts(prompt)) if prompt.think else []
    if prompt.schema is not None:
        return _bounded(Answer(pieces(_json(prompt)), thinking), prompt)
    call = _call(prompt)
    if call is not None:
        made = Answer(pieces(f"I will use {call.name} once."), thinking, call, "tool")
        if prompt.max_tokens is None or made.tokens <= prompt.max_tokens:
            return made
    return _bounded(Answer(pieces(_words(prompt)), thinking), prompt)


def _bounded(made: Answer, prompt: Prompt) -> Answer:
    """Ends it at a stop sequence or at max_tokens, whichever comes first."""
    text = "".join(made.text)
    hits = [(text.find(stop), stop) for stop in prompt.stop if stop in text]
    if hits:
        place, made.sequence = min(hits)
        made.text, made.end = pieces(text[:place]), "stop"
    if prompt.max_tokens is not None and made.tokens > prompt.max_tokens:
        made.thinking = made.thinking[: prompt.max_tokens]
        made.text = made.text[: prompt.max_tokens - len(made.thinking)]
        made.end, made.sequence = "length", None
    return made


# ── words ─────────────────────────────────────────────────────────────────────────────────────────


def _words(prompt: Prompt) -> str:
    if prompt.result is not None:
        return (
            f"Simulated: the tool ran and said “{_short(prompt.result)}”. "
            f"A real model would go on from here; the simulator stops."
        )
    if prompt.prefill.rstrip().endswith("{"):  # old Claude Code asks for JSON by beginning it
        return f'"isNewTopic": true, "title": "{_title(prompt)}"}}'
    seed = blake2b("\0".join((prompt.model, prompt.words)).encode("utf-8", "replace")).digest()
    sentences = [_OPENINGS[seed[0] % len(_OPENINGS)], _MIDDLES[seed[1] % len(_MIDDLES)]]
    if prompt.words.strip():
        sentences.append(f"It ends with “{_short(prompt.words, last=True)}”.")
    first, more = seed[2], seed[3] % 4
    sentences += [_CLOSINGS[(first + place) % len(_CLOSINGS)] for place in range(1 + more)]
    return " ".join(sentences).format(model=_plain(prompt.model), tokens=f"{prompt.tokens:,}")


def _thoughts(prompt: Prompt) -> str:
    return (
        f"The request: {prompt.tokens:,} tokens; tools on offer: {len(prompt.tools)}. "
        f"I am a simulator, so I do not think further."
    )


def _short(text: str, last: bool = False) -> str:
    """At most eight words and 60 signs of it, from the beginning or the end."""
    words = text.split()
    some = " ".join(words[-8:] if last else words[:8])
    return _plain(some[-60:] if last else some[:60])


def _plain(text: str) -> str:
    """Without what str.format would act on."""
    return text.replace("{", "(").replace("}", ")")


# ── JSON and tools ────────────────────────────────────────────────────────────────────────────────


def _json(prompt: Prompt) -> str:
    texts = {"title": _title(prompt), "answer": "This is a simulated answer."}
    if not prompt.schema:
        return msgspec.json.encode({"simulated": True, **texts}).decode()
    try:
        return msgspec.json.encode(instance(prompt.schema, texts)).decode()
    except Unfillable as error:
        return msgspec.json.encode({"simulated": True, "problem": str(error)}).decode()


def _title(prompt: Prompt) -> str:
    return f"Simulated: {_short(prompt.words).translate({34: None, 92: None}) or 'no words'}"[:50]


def _call(prompt: Prompt) -> Call | None:
    if prompt.choice == "none" or not prompt.tools:
        return None
    if prompt.forced is not None:
        return _filled([one for one in prompt.tools if one.name == prompt.forced])
    if prompt.result is not None and prompt.choice != "any":
        return None
    return _filled(sorted(prompt.tools, key=_rank))


def _rank(offer: Offer) -> int:
    """A shell first, since it gets a command that does nothing; then what sounds like looking."""
    return 0 if _SHELLS.search(offer.name) else 1 if _LOOKS.search(offer.name) else 2


def _filled(offers: list[Offer]) -> Call | None:
    """A call of the first whose required fields can be filled; a shell's with COMMAND."""
    for offer in offers:
        try:
            made = instance(offer.schema, {}) if offer.schema else {}
        except Unfillable:
            continue
        if isinstance(made, dict):
            command = _command(offer.schema) if _SHELLS.search(offer.name) else {}
            return Call(offer.name, made | command)
    return None


def _command(schema: Any) -> dict[str, Any]:
    """COMMAND in the field that takes it, as text or as a list of words."""
    properties = schema.get("properties") if isinstance(schema, dict) else None
    for name in _COMMAND_FIELDS:
        field = properties.get(name) if isinstance(properties, dict) else None
        if isinstance(field, dict):
            return {name: COMMAND.split() if field.get("type") == "array" else COMMAND}
    return {}
