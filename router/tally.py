"""What one answer used, folded from its events: the one source of tokens, and of money.

The provider's figures count, the last ones it gave. Where it gave none for what was sent (it never
does, or the client left before the end), the lengths of what went by are the estimate, and it says
that it is one.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from router.contract import Apart, Tokens
from router.formats.untold import MOST, held
from router.messages import (
    ArgumentsDelta,
    BlockStart,
    BlockStop,
    Cited,
    Event,
    Finish,
    Image,
    Opaque,
    OpaqueEvent,
    Part,
    RedactedThinking,
    SignatureDelta,
    Start,
    StopReason,
    Text,
    TextDelta,
    Thinking,
    ThinkingDelta,
    Usage,
    UsageSeen,
)
from router.money import Bill, bill
from router.settings import Price
from router.tokens import estimate


class Tally(Struct):
    """Of one attempt. `prompt` is our own count of the request, for answers without usage;
    `signed` is told what the answer's thoughts are signed with, each as it is complete."""

    _prompt: int
    _signed: Callable[[str], None] | None = None
    _signature: str = ""  # of the block that is being told
    _characters: int = 0  # of the answer, since the provider last told its figures
    _thought: int = 0  # of those, thinking
    _seen: Usage | None = None
    _counted: bool = False  # the provider told figures that are not only those of its start
    #: the first token of the answer went by
    began: bool = False
    finish: StopReason | None = None
    #: what was in it that not every dialect has a form for, and those that do
    held: dict[str, frozenset[str]] | None = None

    def feed(self, event: Event) -> None:
        if type(event) is TextDelta:  # nearly every one of a stream
            self._characters += len(event.text)
            self.began = self.began or bool(event.text)
        elif (told := _TOLD.get(type(event))) is not None:
            told(self, event)

    def _thinks(self, event: ThinkingDelta) -> None:
        self._characters += len(event.text)
        self._thought += len(event.text)
        self.began = self.began or bool(event.text)

    def _calls(self, event: ArgumentsDelta) -> None:
        self._characters += len(event.json)
        self.began = True

    def _uses(self, event: UsageSeen) -> None:
        self._take(event.usage, final=True)

    def _opens(self, event: BlockStart) -> None:
        part = event.part
        if type(part) is Text:
            self.began = self.began or bool(part.text)
            self._signature = ""
        else:
            self.began = self.began or type(part) is not Thinking or bool(part.text)
            self._signature = _signature(part)
            if type(part) is Image or type(part) is Opaque:
                self._holds(event)

    def _holds(self, event: BlockStart | Cited | OpaqueEvent) -> None:
        if (known := held(event)) is not None:
            self.held = self.held or {}
            if len(self.held) < MOST:
                self.held.setdefault(*known)

    def _signs(self, event: SignatureDelta) -> None:
        self._signature += event.signature

    def _closes(self, event: BlockStop) -> None:
        if self._signature and self._signed is not None:
            self._signed(self._signature)

    def _starts(self, event: Start) -> None:
        if event.usage is not None:
            self._take(event.usage, final=False)

    def _ends(self, event: Finish) -> None:
        self.finish = event.reason

    def _take(self, usage: Usage, *, final: bool) -> None:
        """Servers that report nothing but zeros have not counted: that is no figure. Nor is no
        output at all for words that went by, as Gemini's first chunks tell it."""
        if not (usage.prompt or usage.output):
            return
        self._seen = usage
        if usage.output or not self._characters:
            self._counted = final
            self._characters = self._thought = 0

    @property
    def usage(self) -> Usage:
        """The figures so far; `estimated` where one of them is ours."""
        seen, said = self._seen, self._characters
        if seen is None:
            output = estimate(said)
            return Usage(
                input=self._prompt,
                output=output,
                reasoning=min(output, estimate(self._thought)),
                estimated=True,
            )
        if not said or (self._counted and self.finish is not None):
            return seen
        thought = estimate(self._thought)
        return replace(
            seen,
            output=seen.output + estimate(said),
            reasoning=seen.reasoning + thought,
            estimated=True,
        )

    def tokens(self) -> Tokens:
        usage = self.usage
        return Tokens(
            usage.input,
            usage.cache_read,
            usage.cache_write,
            usage.cache_write_1h,
            usage.output,
            usage.reasoning,
            usage.estimated,
        )

    @property
    def apart(self) -> Apart | None:
        """What some prices tell apart, where the provider told it."""
        return self._seen.apart if self._seen is not None else None

    def bill(self, price: Price) -> Bill:
        """What it costs so far."""
        return bill(self.usage, price)


_TOLD: dict[type[Any], Callable[[Tally, Any], None]] = {
    ThinkingDelta: Tally._thinks,
    ArgumentsDelta: Tally._calls,
    UsageSeen: Tally._uses,
    BlockStart: Tally._opens,
    SignatureDelta: Tally._signs,
    BlockStop: Tally._closes,
    Start: Tally._starts,
    Finish: Tally._ends,
    Cited: Tally._holds,
    OpaqueEvent: Tally._holds,
}


def _signature(part: Part) -> str:
    """What a thought is signed with that is told at once."""
    if isinstance(part, Thinking):
        return part.signature or ""
    return part.data if isinstance(part, RedactedThinking) else ""
