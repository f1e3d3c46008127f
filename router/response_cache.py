"""Answers that were given before, given again: LiteLLM's exact-match cache, in memory.

One rule: only the very same question of the very same key, at the same door, gets an old answer,
and it is said to be one: in its headers, in `why`, and in the costs as what it saved. Off unless
configured; bounded in bytes, the least recently used go first; forgotten when the router ends.
"""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import Struct

from router.call import Call, Headers
from router.contract import Look, Spend
from router.messages import Request
from router.money import Bill
from router.record import Attempt, Record
from router.rules.plan import Plan
from router.settings import ResponseCaching
from router.wishes import Controls

if TYPE_CHECKING:
    from router.exchange import Surface

#: fields that change nothing of an answer
_BESIDE = frozenset({"user", "metadata"})
#: bytes that an entry takes beside its body
OVERHEAD = 400
BILLED = "response cache"


class Kept(Struct, frozen=True, gc=False):
    body: bytes
    content_type: str
    at: float
    until: float | None
    cost: int | None  # nano-dollars that it cost


class Ticket(Struct, frozen=True):
    """What the cache has for one request, and whether its answer is to be kept."""

    key: str
    found: Kept | None
    store: bool
    ttl: float | None


class Recording(Call):
    """A call whose answer is read along, up to a number of bytes."""

    __slots__ = ("_most", "_size", "content_type", "pieces", "ticket", "whole")

    def __init__(self, call: Call, ticket: Ticket, most: int) -> None:
        self.ticket = ticket
        for name in Call.__slots__:
            setattr(self, name, getattr(call, name))
        self.pieces: list[bytes] = []
        self.content_type = ""
        self.whole = False  # it came to its end, and was not too large
        self._size, self._most = 0, most

    async def begin(
        self, status: int, content_type: str, headers: Headers = (), own: str = ""
    ) -> None:
        self.content_type = content_type
        await super().begin(status, content_type, headers, own)

    def ping(self, content_type: str, headers: Headers, own: str, ping: bytes) -> None:
        self.content_type = content_type
        super().ping(content_type, headers, own, ping)

    async def more(self, body: bytes) -> None:
        self._keep(body)
        await super().more(body)

    async def end(self, body: bytes = b"") -> None:
        self._keep(body)
        await super().end(body)
        self.whole = self._size <= self._most

    async def answer(
        self,
        status: int,
        body: bytes,
        content_type: str = "application/json",
        headers: Headers = (),
        own: str = "",
    ) -> None:
        self.content_type = content_type
        self._keep(body)
        await super().answer(status, body, content_type, headers, own)
        self.whole = status == 200 and self._size <= self._most

    def _keep(self, body: bytes) -> None:
        self._size += len(body)
        if self._size <= self._most:
            self.pieces.append(body)
        else:
            self.pieces.clear()


class ResponseCache:
    """`on`: whether it is configured, as `rules` (None: it is not). `wall` gives Unix seconds."""

    def __init__(self, wall: Callable[[], float], rules: ResponseCaching | None = None) -> None:
        self._wall = wall
        self._kept: OrderedDict[str, Kept] = OrderedDict()
        self._rules = ResponseCaching()
        self.on = False
        self.size = 0
        self.hits = self.misses = 0
        self.follow(rules)

    def __len__(self) -> int:
        return len(self._kept)

    def follow(self, rules: ResponseCaching | None) -> None:
        self.on = rules is not None
        if rules is None:
            self.flush()
            return
        self._rules = rules
        self._shrink()

    def look(self, record: Record, request: Request, surface: Surface) -> Ticket | None:
        """None: this request has nothing to do with the cache."""
        said = record.wishes.cache or Controls()
        if surface.plane != "litellm" or surface.external is not None:
            return None
        if not self._rules.default_on and not said.use:
            return None
        key, at = self._key(record, request, said), self._wall()
        found = None if said.no_cache else self._kept.get(key)
        if found is not None and found.until is not None and at >= found.until:
            self.drop(key)
            found = None
        if found is not None and said.newest is not None and at - found.at > said.newest:
            found = None
        if found is not None:
            self._kept.move_to_end(key)
            self.hits += 1
        else:
            self.misses += 1
        ttl = said.ttl if said.ttl is not None else self._rules.ttl
        return Ticket(key, found, not said.no_store, ttl)

    def _key(self, record: Record, request: Request, said: Controls) -> str:
        body: dict[str, Any] = {
            name: value for name, value in request.body.items() if name not in _BESIDE
        }
        caller = record.caller
        parts = (caller.door, record.endpoint, record.dialect, request.model, request.stream)
        wishes = (record.wishes.mock, record.wishes.tags)
        pinned = caller.headers.get("x-pointsman-model", "")
        space = said.namespace or self._rules.namespace
        named = msgspec.json.encode(
            (parts, caller.key, wishes, pinned, space, body), order="sorted"
        )
        return hashlib.sha256(named).hexdigest()

    async def recall(
        self,
        call: Call,
        surface: Surface,
        record: Record,
        request: Request,
        plan: Plan,
        now: float,
    ) -> Call | None:
        """None: it is answered. Else the call to answer, which is read along where it is to be
        kept."""
        ticket = self.look(record, request, surface)
        if ticket is None:
            return call
        if ticket.found is None:
            return Recording(call, ticket, self._rules.size // 8)
        await _recite(call, surface, record, plan, ticket.key, ticket.found, now)
        return None

    def keep(self, call: Call, record: Record) -> None:
        """Keeps an answer that came to its end."""
        if not isinstance(call, Recording):
            return
        ticket = call.ticket
        if not ticket.store or not call.whole or record.status != 200:
            return
        # embeddings have no last word: they were read whole, or they are an error
        if record.endpoint == "chat" and not record.complete:
            return
        if record.attempts[-1].candidate.other is not None:
            return  # it answers another question
        at, body = self._wall(), b"".join(call.pieces)
        until = None if ticket.ttl is None else at + ticket.ttl
        self.drop(ticket.key)
        self._kept[ticket.key] = Kept(body, call.content_type, at, until, record.cost)
        self.size += len(body) + OVERHEAD
        self._shrink()

    def drop(self, key: str) -> bool:
        gone = self._kept.pop(key, None)
        if gone is not None:
            self.size -= len(gone.body) + OVERHEAD
        return gone is not None

    def flush(self) -> None:
        self._kept.clear()
        self.size = 0

    def _shrink(self) -> None:
        while self.size > self._rules.size:
            self.drop(next(iter(self._kept)))


async def _recite(
    call: Call, surface: Surface, record: Record, plan: Plan, key: str, kept: Kept, now: float
) -> None:
    """Answers with what was kept: a row of its own, which cost nothing and says what it saved."""
    first = plan.candidates[0]
    attempt = Attempt(1, first, "response cache", record.started_at, now)
    attempt.ended, attempt.outcome, attempt.status = now, "ok", 200
    attempt.settled(Bill(0, Spend(saved=kept.cost or 0), BILLED))
    record.attempts.append(attempt)
    age = f"{record.started_at - kept.at:.0f} s old"
    record.rule, record.value = "cache", age
    record.looks = (*record.looks, Look("cache", age, hit=True, target="", note="exact match"))
    record.status, record.first_token = 200, now
    told = (("x-litellm-cache-hit", "True"), ("x-litellm-cache-key", key))
    await call.answer(200, kept.body, kept.content_type, told, surface.headers(record))
