"""A request, its attempts, and why it went where it went."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

from router.contract.usage import Apart, Spend, Tokens

#: "interrupted": the router died while the request ran
State = Literal["running", "done", "failed", "cancelled", "interrupted"]


class Look(Struct, frozen=True, gc=False, omit_defaults=True):
    """One rule that was looked at: `rule` "longContext", `value` "61,204 > 60,000", hit or not.
    As JSON without what is usual, as Facts: they are the most of a request's row."""

    rule: str
    value: str
    hit: bool = False
    target: str = ""  # "provider,model", when it hit
    note: str = ""  # why a hit was not followed, or what was done about it


class AttemptView(Struct, frozen=True, gc=False):
    """One upstream call. `outcome` is "ok", or an errors.Kind, or "" while it runs."""

    number: int  # from 1, within its request
    provider: str
    model: str
    started_at: float
    simulated: bool = False
    status: int | None = None  # HTTP status of the provider; None: it gave none
    outcome: str = ""
    error: str = ""
    first_byte_ms: float | None = None
    duration_ms: float | None = None
    tokens: Tokens = Tokens()
    cost: int | None = None
    reason: str = ""  # why this candidate: "rule default", "fallback", "retry 1"
    spend: Spend = Spend()  # of `cost`
    price: str = ""  # where the price came from: "config", "genai-prices 0.2.3, above 200,000"
    apart: Apart | None = None
    #: fields of the request without a place there ("seed", "extra_headers.host"); "answer.…": what
    #: of the answer the client's dialect has no form for
    dropped: tuple[str, ...] = ()


class RequestView(Struct, frozen=True, gc=False):
    """One client request, as a row shows it. `id` is also the x-request-id of its answer."""

    id: str
    started_at: float
    state: State
    door: str  # "litellm", "ccr", "claude-code"
    dialect: str  # the client's format
    client: str = ""  # "claude-cli/2.1.330"
    session: str = ""
    agent: str = ""
    key: str = ""  # a short public name of the client's key, never the key
    endpoint: str = "chat"  # "chat", "embeddings", …
    asked: str = ""  # the model the client named
    provider: str = ""
    model: str = ""
    simulated: bool = False
    rule: str = ""  # the rule that decided
    value: str = ""  # …and the value it saw
    stream: bool = False
    status: int | None = None  # HTTP status sent to the client
    tokens: Tokens = Tokens()
    cost: int | None = None
    attempts: int = 0
    ttft_ms: float | None = None  # to the first token of the answer
    duration_ms: float | None = None
    error: str = ""
    project: str = ""
    team: str = ""
    user: str = ""  # a short public name of the caller's own user, never what it sent
    sent_id: str = ""  # the x-request-id that the client sent: need not be its alone
    passed: str = ""  # "provider,model": the first choice, not asked since it rested or was full
    tags: tuple[str, ...] = ()
    seq: int = 0  # grows by one with each request since the ledger began; 0 while not yet stored

    @property
    def tokens_per_second(self) -> float | None:
        """Output tokens per second: of a stream after its first token, of a whole answer in all.
        None when it cannot be told."""
        if self.duration_ms is None or self.tokens.output < 2:
            return None
        waited = self.ttft_ms if self.stream else 0.0
        if waited is None or self.duration_ms - waited <= 1:
            return None
        return self.tokens.output / (self.duration_ms - waited) * 1000


class Facts(Struct, frozen=True, gc=False, omit_defaults=True):
    """What the rules looked at, kept so that a decision can be explained and replayed. No text."""

    tokens: int = 0
    tokens_exact: bool = False
    #: as we count; 0 where that is `tokens` itself, else `tokens` is it by the session's ratio
    counted: int = 0
    messages: int = 0
    tools: int = 0
    images: int = 0
    web_search: bool = False
    thinking: str = ""  # "on 31,999", "adaptive high", "off"
    effort: str = ""
    context: str = ""
    subagent: str = ""
    side_call: str = ""  # "title", "topic", "probe", … where the request's shape says so


class RequestDetail(Struct, frozen=True, gc=False):
    """All that is known of one request."""

    request: RequestView
    looks: tuple[Look, ...] = ()
    attempts: tuple[AttemptView, ...] = ()
    facts: Facts = Facts()
