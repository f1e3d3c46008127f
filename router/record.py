"""One request's life while it is lived: filled in by the exchange, shown as contract views."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Literal

from msgspec import Struct

from router.caller import Caller
from router.contract import (
    AttemptView,
    Facts,
    Look,
    RequestDetail,
    RequestView,
    Spend,
    State,
    Tokens,
)
from router.errors import RequestError
from router.formats import Writer
from router.messages import Request
from router.money import Bill
from router.prices import UNKNOWN
from router.rules.plan import Candidate
from router.settings import Price
from router.tally import Tally
from router.wishes import NO_WISHES, Wishes

if TYPE_CHECKING:
    from router.border import Border
    from router.spending.cashier import Entry
    from router.spending.register import Key

#: seconds that a request runs until it is written down: with service.TICK and the writer's own
#: wait, nothing older than a second is lost with a router that is killed
KEPT_AFTER = 0.5
#: names of what was left out that are kept, and characters of each: a client makes them up
MOST_NAMES, LONGEST_NAME = 40, 100

StoppedBy = Literal["", "client", "operator", "router"]

_NOTHING = Bill(0, Spend(), "")
#: what is shown of a request that nobody was asked for: it cost nothing
_NO_ATTEMPT = AttemptView(0, "", "", 0.0, cost=0)


class Attempt(Struct, eq=False):
    """One upstream call. Times of the monotonic clock, but for `started_at`."""

    number: int
    candidate: Candidate
    reason: str
    started_at: float
    started: float
    first_byte: float | None = None
    #: when a whole answer was read, though it may not be sent yet; of any other, when all was over
    ended: float | None = None
    status: int | None = None
    outcome: str = ""
    error: str = ""
    #: headers of a success that tell of the provider's limits
    limits: Sequence[tuple[str, str]] = ()
    answered: bool = False  # a success began to arrive: from here on it may be billed
    price: Price = UNKNOWN
    tally: Tally | None = None
    #: fields of the client's that its provider has no place for; "answer.…": the other way
    dropped: tuple[str, ...] = ()
    #: what it was sent, where a fallback asks otherwise than its request
    asked: Request | None = None
    #: headers that tell its provider of the trace that it belongs to, where one is made
    traced: tuple[tuple[str, str], ...] = ()
    _bill: Bill | None = None  # once it has ended

    @property
    def tokens(self) -> Tokens:
        """What it used so far; none before an answer began to arrive, as nobody can tell then."""
        return self.tally.tokens() if self.tally is not None and self.answered else Tokens()

    @property
    def cost(self) -> int | None:
        """Nano-dollars of `tokens`; None when they cannot be told."""
        return self.bill.cost

    @property
    def bill(self) -> Bill:
        """Of `tokens`; nothing before an answer began to arrive."""
        if self._bill is not None:
            return self._bill
        if self.tally is None or not self.answered:
            return _NOTHING
        made = self.tally.bill(self.price)
        if self.ended is not None:
            self._bill = made
        return made

    def settled(self, bill: Bill) -> None:
        """Billed without a provider: an answer that was kept."""
        self._bill = bill

    def view(self) -> AttemptView:
        bill, provider, started = self.bill, self.candidate.provider, self.started
        return AttemptView(
            number=self.number,
            provider=provider.name,
            model=self.candidate.model,
            started_at=self.started_at,
            simulated=provider.simulated,
            status=self.status,
            outcome=self.outcome,
            error=self.error,
            first_byte_ms=None if self.first_byte is None else (self.first_byte - started) * 1000,
            duration_ms=None if self.ended is None else (self.ended - started) * 1000,
            tokens=self.tokens,
            cost=bill.cost,
            reason=self.reason,
            spend=bill.spend,
            price=bill.price,
            apart=self.tally.apart if self.tally is not None else None,
            dropped=self.dropped
            and tuple(name[:LONGEST_NAME] for name in self.dropped[:MOST_NAMES]),
        )


class Record(Struct, eq=False):
    """What is known of one request so far."""

    id: str
    caller: Caller
    dialect: str
    endpoint: str
    started_at: float
    started: float
    #: when it is next written to the ledger while it runs, by the monotonic clock
    keep_at: float
    ended: float | None = None
    first_token: float | None = None
    asked: str = ""
    stream: bool = False
    state: State = "running"
    status: int | None = None
    error: str = ""
    user: str = ""  # the caller's own user
    rule: str = ""
    value: str = ""
    #: the first choice, where another was asked in its place
    passed: str = ""
    looks: tuple[Look, ...] = ()
    problems: tuple[str, ...] = ()
    facts: Facts = Facts()
    attempts: list[Attempt] = []
    #: its row says that it has used nothing, and a budget counts it: with its first cost it is
    #: written again at once, since a killed router would forget that
    kept_unused: bool = False
    #: who ended it early; set before `task` is cancelled
    stopped_by: StoppedBy = ""
    #: writes the client's stream, once one has begun
    writer: Writer | None = None
    #: pings its client while a stream has not begun; None where nobody waits for one
    border: Border | None = None
    #: when that was last done, by the monotonic clock: the head was sent, and nothing of any
    #: answer. 0.0: it was not, or an answer has begun since
    pinged: float = 0.0
    #: what it asks of its own routing
    wishes: Wishes = NO_WISHES
    #: the key that LiteLLM's API made, where one was shown; and what is held for this request
    holder: Key | None = None
    entry: Entry | None = None
    task: asyncio.Task[object] | None = None

    @property
    def simulated(self) -> bool:
        return bool(self.attempts) and self.attempts[-1].candidate.provider.simulated

    @property
    def complete(self) -> bool:
        """The provider's answer came to its end."""
        tally = self.attempts[-1].tally if self.attempts else None
        return tally is not None and tally.finish is not None

    @property
    def ends(self) -> tuple[str, ...]:
        """Why the answer of each attempt ended, "" where it did not come to its end."""
        return tuple((a.tally.finish or "") if a.tally is not None else "" for a in self.attempts)

    @property
    def billed(self) -> list[Attempt]:
        """All attempts, since each may be billed. Where the request moved from a real provider to
        a simulated one or back, only those of the last one's kind: the two are never added."""
        simulated = self.simulated
        return [a for a in self.attempts if a.candidate.provider.simulated is simulated]

    @property
    def tokens(self) -> Tokens:
        """Of all that is billed."""
        if len(self.attempts) == 1:
            return self.attempts[0].tokens
        used = [attempt.tokens for attempt in self.billed]
        return used[0] if len(used) == 1 else summed(used)

    @property
    def cost(self) -> int | None:
        """Of all that is billed; None when one of them is unpriced."""
        if len(self.attempts) == 1:
            return self.attempts[0].cost
        total = 0
        for attempt in self.billed:
            if (cost := attempt.cost) is None:
                return None
            total += cost
        return total

    def stop(self, by: StoppedBy) -> None:
        """Ends the exchange where it stands; what was used so far is still billed."""
        if self.task is not None and not self.stopped_by:
            self.stopped_by = by
            self.task.cancel()

    def pass_over(self, first: Candidate, taken: Candidate) -> None:
        """`first` rests, or is full: `taken` is asked. Another key of the same is the same."""
        if (first.provider.name, first.model) != (taken.provider.name, taken.model):
            self.passed = f"{first.provider.name},{first.model}"

    def refuse(self, error: RequestError) -> None:
        """The request ends in `error`, which the client is told."""
        self.state = "cancelled" if error.kind == "cancelled" else "failed"
        self.error = error.noted

    def view(self) -> RequestView:
        return self._view_of([attempt.view() for attempt in self.attempts])

    def detail(self) -> RequestDetail:
        attempts = [attempt.view() for attempt in self.attempts]
        return RequestDetail(self._view_of(attempts), self.looks, tuple(attempts), self.facts)

    def _view_of(self, attempts: Sequence[AttemptView]) -> RequestView:
        caller, started = self.caller, self.started
        last = attempts[-1] if attempts else _NO_ATTEMPT
        if len(attempts) < 2:
            tokens, cost = last.tokens, last.cost
        else:
            tokens, cost = self.tokens, self.cost
        return RequestView(
            id=self.id,
            started_at=self.started_at,
            state=self.state,
            door=caller.door,
            dialect=self.dialect,
            client=caller.client,
            session=caller.session,
            agent=caller.agent,
            key=caller.key,
            endpoint=self.endpoint,
            asked=self.asked,
            provider=last.provider,
            model=last.model,
            simulated=last.simulated,
            rule=self.rule,
            value=self.value,
            stream=self.stream,
            status=self.status,
            tokens=tokens,
            cost=cost,
            attempts=len(attempts),
            ttft_ms=None if self.first_token is None else (self.first_token - started) * 1000,
            duration_ms=None if self.ended is None else (self.ended - started) * 1000,
            error=self.error,
            project=caller.project,
            team=caller.team,
            user=self.user,
            tags=self.wishes.tags,
            sent_id=caller.sent_id,
            passed=self.passed,
        )


def summed(parts: Iterable[Tokens]) -> Tokens:
    total = Tokens()
    for part in parts:
        total = Tokens(
            input=total.input + part.input,
            cache_read=total.cache_read + part.cache_read,
            cache_write=total.cache_write + part.cache_write,
            cache_write_1h=total.cache_write_1h + part.cache_write_1h,
            output=total.output + part.output,
            reasoning=total.reasoning + part.reasoning,
            estimated=total.estimated or part.estimated,
        )
    return total
