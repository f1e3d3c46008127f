"""What one answer used, folded from its events: the one source of tokens, and of money.

The provider's figures count, the last ones it gave. Where it gave none for what was sent (it never
does, or the client left before the end), the lengths of what went by are the estimate, and it says
that it is one.
"""

from __future__ import annotations

from collections.abc import Callable

from msgspec.structs import replace

from router.contract import Apart, Tokens
from router.messages import (
    ArgumentsDelta,
    BlockStart,
    BlockStop,
    Event,
    Finish,
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


class Tally:
    """Of one attempt. `prompt` is our own count of the request, for answers without usage;
    `signed` is told what the answer's thoughts are signed with, each as it is complete."""

    __slots__ = (
        *("_characters", "_counted", "_prompt", "_seen", "_signature", "_signed", "_thought"),
        *("began", "finish"),
    )

    def __init__(self, prompt: int, signed: Callable[[str], None] | None = None) -> None:
        self._prompt = prompt
        self._signed = signed
        self._signature = ""  # of the block that is being told
        self._characters = 0  # of the answer, since the provider last told its figures
        self._thought = 0  # of those, thinking
        self._seen: Usage | None = None
        self._counted = False  # the provider told figures that are not only those of its start
        #: the first token of the answer went by
        self.began = False
        self.finish: StopReason | None = None

    def feed(self, event: Event) -> None:
        if isinstance(event, TextDelta):
            self._characters += len(event.text)
            self.began = self.began or bool(event.text)
        elif isinstance(event, ThinkingDelta):
            self._characters += len(event.text)
            self._thought += len(event.text)
            self.began = self.began or bool(event.text)
        elif isinstance(event, ArgumentsDelta):
            self._characters += len(event.json)
            self.began = True
        elif isinstance(event, UsageSeen):
            self._take(event.usage, final=True)
        elif isinstance(event, BlockStart):
            empty = isinstance(event.part, Text | Thinking) and not event.part.text
            self.began = self.began or not empty
            self._signature = _signature(event.part)
        elif isinstance(event, Finish):
            self.finish = event.reason
        elif isinstance(event, Start) and event.usage is not None:
            self._take(event.usage, final=False)
        elif isinstance(event, SignatureDelta):
            self._signature += event.signature
        elif isinstance(event, BlockStop) and self._signature and self._signed is not None:
            self._signed(self._signature)

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
            input=usage.input,
            cache_read=usage.cache_read,
            cache_write=usage.cache_write,
            cache_write_1h=usage.cache_write_1h,
            output=usage.output,
            reasoning=usage.reasoning,
            estimated=usage.estimated,
        )

    @property
    def apart(self) -> Apart | None:
        """What some prices tell apart, where the provider told it."""
        return self._seen.apart if self._seen is not None else None

    def bill(self, price: Price) -> Bill:
        """What it costs so far."""
        return bill(self.usage, price)


def _signature(part: Part) -> str:
    """What a thought is signed with that is told at once."""
    if isinstance(part, Thinking):
        return part.signature or ""
    return part.data if isinstance(part, RedactedThinking) else ""
