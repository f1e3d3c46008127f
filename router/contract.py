"""What a router shows and takes: the words that router, ledger and consoles share.

Imports nothing of ours, so that a console can import it alone. Everything here is a msgspec Struct:
it goes over the control socket as JSON and is decoded into the same types on the other side. They
are trees of values, never rings: the garbage collector need not look at them (gc=False).

Four verbs:
    snapshot()  all that a console needs to draw at once                    GET  /snapshot
    watch()     a bounded stream of changes; drops, and says so             GET  /watch   (NDJSON)
    query()     pages of history: read from the ledger itself, see storage/readers.py
    act()       one typed action, one typed result                          POST /act

A front that lets people in (SSH, the browser) announces each of them by a call of POST /visit that
lasts as long as their visit: its first line is a Visitor, and a second one means that they were
dismissed.

Money is in integer nano-dollars, None where a price is unknown. Times are Unix seconds (float,
UTC); durations are milliseconds and end in `_ms`. Text from outside is raw here: a terminal gets it
only through console.text.clean.
"""

from __future__ import annotations

from typing import Literal

from msgspec import Struct, field

VERSION = "0.1.0"
#: bumped when a console and a router of different versions could misunderstand each other
PROTOCOL = 1

#: spans of a service's history, and how long each is, in seconds
CELLS = 30
SPAN = 120.0

Condition = Literal["up", "degraded", "down", "unknown", "off"]
State = Literal["running", "done", "failed", "cancelled", "interrupted"]
#: "interrupted": the router died while the request ran
#: what a visitor may do, each also what those before it may: "view" looks, "operate" overrides and
#: cancels, "admin" changes and stops the router, "shell" is the Unix user itself
Role = Literal["view", "operate", "admin", "shell"]


class Tokens(Struct, frozen=True, gc=False):
    """As router.messages.Usage: the four kinds of input and the output never overlap."""

    input: int = 0
    cache_read: int = 0
    cache_write: int = 0
    cache_write_1h: int = 0
    output: int = 0
    reasoning: int = 0  # inside output
    estimated: bool = False

    @property
    def prompt(self) -> int:
        return self.input + self.cache_read + self.cache_write + self.cache_write_1h


class Spend(Struct, frozen=True, gc=False):
    """What a cost consists of, in nano-dollars. `saved` is no part of it: what the same tokens
    would have cost more without a cache; below 0 where writing it cost more than reading saved."""

    input: int = 0  # uncached
    cache_read: int = 0
    cache_write: int = 0  # of both ages
    output: int = 0
    fees: int = 0  # per request and per web search
    saved: int = 0


class Apart(Struct, frozen=True, gc=False, omit_defaults=True):
    """What few answers have and some prices tell apart. Token counts are inside those of Tokens:
    `audio_in` and `image_in` inside input, `audio_cached` inside cache_read, the rest inside
    output."""

    audio_in: int = 0
    audio_cached: int = 0
    audio_out: int = 0
    image_in: int = 0
    image_out: int = 0
    searches: int = 0  # web searches that the provider made
    service: str = ""  # "batch", "flex", "priority", …: the tier it was served at


class Look(Struct, frozen=True, gc=False):
    """One rule that was looked at: `rule` "longContext", `value` "61,204 > 60,000", hit or not."""

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


class Facts(Struct, frozen=True, gc=False):
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


class Circuit(Struct, frozen=True, gc=False):
    """A model that failed too often: "open" rests until `until`; "half-open" may be probed once."""

    model: str
    key: int  # which of the provider's keys, from 0
    state: Literal["open", "half-open"]
    until: float


class Loaded(Struct, frozen=True, gc=False):
    """A model that a local server holds in memory. `expires` as the server writes it (ISO)."""

    model: str
    context: int | None = None
    vram: int | None = None  # bytes
    expires: str = ""


class ServiceView(Struct, frozen=True, gc=False):
    """Health of a role, a provider or a neighbour. `reason` says why it is not "up"."""

    name: str
    kind: Literal["router", "role", "provider", "local", "ssh", "neighbour"]
    state: Condition
    mode: Literal["embedded", "external", "simulated", "real", ""] = ""
    address: str = ""
    reason: str = ""
    checked_at: float | None = None
    models: tuple[str, ...] = ()
    requests: int = 0  # attempts since the router started
    errors: int = 0
    p50_ms: float | None = None  # time to first byte
    last_error: str = ""
    last_error_at: float | None = None
    cooling_until: float | None = None
    p95_ms: float | None = None  # time to first byte
    took_p50_ms: float | None = None  # the whole answer
    took_p95_ms: float | None = None
    #: what went by in each of the last CELLS spans, oldest first: (requests, errors)
    history: tuple[tuple[int, int], ...] = ()
    circuits: tuple[Circuit, ...] = ()  # of what rests or is being probed
    loaded: tuple[Loaded, ...] = ()  # of an Ollama


class ServiceChange(Struct, frozen=True, gc=False):
    """A service's state from `at` on, until its next change."""

    at: float
    service: str
    kind: str
    state: Condition
    reason: str = ""


class OverrideView(Struct, frozen=True, gc=False):
    """A switch the operator set. `scope` is "everywhere", "session:ID", "key:NAME" or
    "scenario:NAME"; `forced` puts it before every other rule."""

    id: str
    scope: str
    target: str  # "provider,model"
    set_at: float
    expires_at: float | None = None
    set_by: str = ""
    forced: bool = False
    served: int = 0
    problem: str = ""  # why it cannot be honoured now; loud in red


class Finding(Struct, frozen=True, gc=False):
    """One thing that start-up looked for. `what` "CCR config", `where` its path or address."""

    what: str
    where: str
    state: Literal["found", "absent", "problem", "made"]
    detail: str = ""  # what was taken from it, or what is wrong and what to do


class ImportLine(Struct, frozen=True, gc=False):
    """A key of somebody's file, and what becomes of it here."""

    key: str
    detail: str
    line: int | None = None


class Imported(Struct, frozen=True, gc=False):
    """What a file of CCR's or LiteLLM's becomes: nothing of it is lost without a line."""

    maps: tuple[ImportLine, ...]
    differs: tuple[ImportLine, ...]
    ignored: tuple[ImportLine, ...]


class Listener(Struct, frozen=True, gc=False):
    name: str  # "front door", "LiteLLM", "CCR", "SSH", "control"
    address: str  # "http://127.0.0.1:5000"


class Arrival(Struct, frozen=True, gc=False):
    """Someone who came in over SSH or the browser, as its front announces them (POST /visit).

    `by` names them in the log ("ssh:ana"). Who shows `token` acts as them, with their role.
    """

    by: str
    role: Role
    origin: str  # the address they came from
    doing: str  # "console", "shell", "sftp", or the first word of a command
    since: float
    token: str


class Visitor(Struct, frozen=True, gc=False):
    """An Arrival that is still here, as a row shows it."""

    id: str
    by: str
    role: Role
    origin: str
    doing: str
    since: float


class Totals(Struct, frozen=True, gc=False):
    """Sums of real traffic; `simulated_*` are kept apart and never added to them."""

    requests: int = 0
    errors: int = 0
    tokens: Tokens = Tokens()
    cost: int = 0
    unpriced: int = 0  # attempts whose price is unknown: cost is then a lower bound
    simulated_requests: int = 0
    simulated_cost: int = 0


class BudgetView(Struct, frozen=True, gc=False):
    """What somebody may spend, and has. Money in nano-dollars."""

    scope: str  # "house", "key", "team", "user", "model", "session", …
    name: str  # of it; "" for the house
    period: str  # "day", "30d", "forever"
    limit: int | None
    soft: int | None
    spent: int
    held: int  # for requests that run
    resets_at: float | None
    per_hour: int = 0  # in this period so far
    #: when it is spent at that rate, where that is before it resets
    runs_out_at: float | None = None
    state: Literal["ok", "soft", "over"] = "ok"


class Beat(Struct, frozen=True, tag=True, gc=False):
    """Twice a second at most, to each watcher."""

    at: float
    running: int
    per_second: float  # requests per second over the last 10 s
    p95_ms: float | None  # duration over the last minute
    error_rate: float  # 0…1 over the last minute
    today: Totals
    requests: tuple[RequestView, ...] = ()  # every request that changed since the last beat
    budgets: tuple[BudgetView, ...] = ()  # the fullest first


class Snapshot(Struct, frozen=True, gc=False):
    version: str
    protocol: int
    pid: int
    started_at: float
    home: str
    generation: int
    simulated_only: bool  # no real provider is configured
    listeners: tuple[Listener, ...]
    findings: tuple[Finding, ...]
    services: tuple[ServiceView, ...]
    overrides: tuple[OverrideView, ...]
    running: tuple[RequestView, ...]
    recent: tuple[RequestView, ...]  # newest first, at most 200
    beat: Beat
    targets: tuple[str, ...] = ()  # every "provider,model" that an override may name
    paused: tuple[str, ...] = ()  # sessions whose new requests are refused until they are resumed
    scenarios: dict[str, str] = field(default_factory=dict)  # scenario → target, as configured
    config_error: str = ""  # why the newest edit of a config file was not taken
    visitors: tuple[Visitor, ...] = ()  # oldest first


# ── watch(): one of these per line ────────────────────────────────────────────────────────────────


class ServicesChanged(Struct, frozen=True, tag=True, gc=False):
    services: tuple[ServiceView, ...]


class OverridesChanged(Struct, frozen=True, tag=True, gc=False):
    overrides: tuple[OverrideView, ...]


class PausedChanged(Struct, frozen=True, tag=True, gc=False):
    paused: tuple[str, ...]


class Reloaded(Struct, frozen=True, tag=True, gc=False):
    """A config file was edited: taken (`error` empty) or refused. Ask for a new snapshot."""

    generation: int
    error: str = ""


class VisitorsChanged(Struct, frozen=True, tag=True, gc=False):
    visitors: tuple[Visitor, ...]


class Dropped(Struct, frozen=True, tag=True, gc=False):
    """The watcher was too slow: `count` changes are missing. Ask for a new snapshot."""

    count: int


Change = (
    Beat | ServicesChanged | OverridesChanged | PausedChanged | VisitorsChanged | Reloaded | Dropped
)


# ── act() ─────────────────────────────────────────────────────────────────────────────────────────


class SetOverride(Struct, frozen=True, tag=True, gc=False):
    """Replaces an override of the same scope. `seconds` None: until cleared."""

    scope: str
    target: str
    seconds: float | None = None
    forced: bool = False
    by: str = ""


class ClearOverride(Struct, frozen=True, tag=True, gc=False):
    """`id` of one override, or "all"."""

    id: str
    by: str = ""


class Cancel(Struct, frozen=True, tag=True, gc=False):
    """Stops a running request: its upstream is closed, what it used so far is billed."""

    id: str
    by: str = ""


class Pause(Struct, frozen=True, tag=True, gc=False):
    """New requests of a session are refused, in their dialect, until it is resumed. Those that run
    go on. Forgotten when the router ends."""

    session: str
    by: str = ""


class Resume(Struct, frozen=True, tag=True, gc=False):
    """`session` by name, or "all"."""

    session: str
    by: str = ""


class ClearCooldown(Struct, frozen=True, tag=True, gc=False):
    """A provider that rests after errors may be tried again at once."""

    provider: str
    by: str = ""


class ListModels(Struct, frozen=True, tag=True, gc=False):
    """Every model that can be named, with its price and size: answered with Models."""


class ShowRoutes(Struct, frozen=True, tag=True, gc=False):
    """The rules as they stand: answered with Routes."""


class ReplayRoutes(Struct, frozen=True, tag=True, gc=False):
    """What the newest `last` requests would have got under edited routes: answered with Replayed.
    `targets` is scenario → "provider,model", "" for none; those not named stay."""

    targets: dict[str, str]
    last: int = 200


class EditRoutes(Struct, frozen=True, tag=True, gc=False):
    """Writes the edited targets into pointsman.toml and takes them at once: answered with Edited.
    `dry`: only says what would be written."""

    targets: dict[str, str]
    dry: bool = True
    by: str = ""


class UndoRoutes(Struct, frozen=True, tag=True, gc=False):
    """Takes the newest edit of the routes back: answered with Edited."""

    by: str = ""


class StartNeighbour(Struct, frozen=True, tag=True, gc=False):
    """Has the router run a program behind the front door, and keep it running."""

    name: str
    by: str = ""


class StopNeighbour(Struct, frozen=True, tag=True, gc=False):
    name: str
    by: str = ""


class Reload(Struct, frozen=True, tag=True, gc=False):
    """Reads the config files again now."""

    by: str = ""


class Recost(Struct, frozen=True, tag=True, gc=False):
    """Prices history anew, at the prices as they are now: requests begun at or after `since`, those
    that follow the request number `after`. Does a part at a time: ask again while `next` is set."""

    since: float = 0.0
    after: int = 0
    dry_run: bool = False
    by: str = ""


class Explain(Struct, frozen=True, tag=True, gc=False):
    """A dry run: which model would this request body get, and why. Nothing is sent."""

    body: str
    door: Literal["litellm", "ccr", "claude-code"] = "ccr"
    headers: dict[str, str] = field(default_factory=dict)


class Stop(Struct, frozen=True, tag=True, gc=False):
    """Drains and ends the router. `again`: another one is about to take its place, so people who
    are here over SSH may stay."""

    by: str = ""
    again: bool = False


class Dismiss(Struct, frozen=True, tag=True, gc=False):
    """Ends the visits of `who`: a Visitor's id, or all of one `by`."""

    who: str
    by: str = ""


class Invite(Struct, frozen=True, tag=True, gc=False):
    """Asks for a ticket to the console in a browser: answered with Invited. `once`: for one
    browser, within minutes; else for any number, until the router ends."""

    role: Role = "admin"
    once: bool = True
    by: str = ""


class Redeem(Struct, frozen=True, tag=True, gc=False):
    """A browser shows its ticket, or a client's key in its place: answered with Invitation. For the
    front that lets browsers in."""

    ticket: str = ""
    key: str = ""


Action = (
    SetOverride
    | ClearOverride
    | Cancel
    | Pause
    | Resume
    | ClearCooldown
    | ListModels
    | ShowRoutes
    | ReplayRoutes
    | EditRoutes
    | UndoRoutes
    | Recost
    | Reload
    | Explain
    | Stop
    | Dismiss
    | StartNeighbour
    | StopNeighbour
    | Invite
    | Redeem
)


class Done(Struct, frozen=True, tag=True, gc=False):
    message: str = ""
    override: OverrideView | None = None


class Recosted(Struct, frozen=True, tag=True, gc=False):
    """What a Recost found of real money, in nano-dollars. `next`: where the next part begins."""

    requests: int = 0
    changed: int = 0
    before: int = 0
    after: int = 0
    unpriced_before: int = 0  # attempts
    unpriced_after: int = 0
    next: int | None = None


class PriceLine(Struct, frozen=True, gc=False):
    """A price in force. `rates`: nano-dollars per token of each kind that is known (and per
    "request", per "search"); `tier` "" is the usual one, else "above 200,000", "batch", …"""

    target: str  # "provider,model"
    tier: str
    rates: dict[str, float]
    source: str


class Explained(Struct, frozen=True, tag=True, gc=False):
    """`candidates` in the order they would be tried; empty when the request would be refused, and
    then `error` says why."""

    candidates: tuple[str, ...]
    rule: str
    looks: tuple[Look, ...]
    facts: Facts
    error: str = ""


class Refused(Struct, frozen=True, tag=True, gc=False):
    """The action was not done. `message` says why and what to do."""

    message: str


class ModelView(Struct, frozen=True, gc=False):
    """A model that a route or an override may name. Prices are nano-dollars per token."""

    target: str  # "provider,model"
    input: float | None = None
    output: float | None = None
    cache_read: float | None = None
    cache_write: float | None = None
    source: str = ""  # of the price
    context: int | None = None  # tokens it can hold, where known
    simulated: bool = False


class Models(Struct, frozen=True, tag=True, gc=False):
    models: tuple[ModelView, ...]


class RuleView(Struct, frozen=True, gc=False):
    """One rule, in the order they are asked. `scenario` is "" where it has no target of its own."""

    name: str
    when: str  # "more than 60,000 tokens"
    scenario: str = ""
    target: str = ""  # as configured; "" for none
    override: str = ""  # what an operator's override of this scenario sends it to instead


class Routes(Struct, frozen=True, tag=True, gc=False):
    """`source` is where they were configured, `file` where an edit would be written."""

    rules: tuple[RuleView, ...]
    strict: bool
    source: str
    file: str
    undo: str = ""  # what UndoRoutes would take back; "" when there is nothing


class Move(Struct, frozen=True, gc=False):
    """Requests that would go elsewhere. Costs are of all of them, None where one is unknown."""

    rule: str
    before: str
    after: str
    requests: int
    cost_before: int | None
    cost_after: int | None


class Replayed(Struct, frozen=True, tag=True, gc=False):
    """`requests` were looked at; of those `moved` would go elsewhere, `pinned` were chosen by hand
    and stay, `unclear` depend on a prompt that is not kept. `difference` is the money of those that
    move and whose price is known before and after; `unpriced` move without that."""

    requests: int
    moved: int
    pinned: int
    unclear: int
    refused: int  # would get no model at all
    difference: int
    unpriced: int
    moves: tuple[Move, ...]


class Edited(Struct, frozen=True, tag=True, gc=False):
    """`diff` in the usual form, of the file named; `applied` says whether it was written."""

    file: str
    diff: tuple[str, ...]
    applied: bool
    message: str = ""


class Invited(Struct, frozen=True, tag=True, gc=False):
    ticket: str
    expires_at: float | None


class Invitation(Struct, frozen=True, tag=True, gc=False):
    """Whom a ticket lets in. `by`: who asked for it."""

    role: Role
    by: str


Result = (
    Done
    | Explained
    | Recosted
    | Models
    | Routes
    | Replayed
    | Edited
    | Invited
    | Invitation
    | Refused
)


# ── query(): what the ledger answers ──────────────────────────────────────────────────────────────


class CostLine(Struct, frozen=True, gc=False):
    """Sums over one group. Simulated and real traffic never share a line.

    Tokens and money are those of every attempt under its own model, so that a provider's line is
    its bill; a request is counted with its last attempt. The sums over all lines of any grouping
    are the same.
    """

    name: str  # "provider,model" or what it was grouped by
    simulated: bool
    requests: int
    errors: int
    tokens: Tokens
    cost: int
    unpriced: int  # attempts whose price is unknown
    attempts: int = 0
    spend: Spend = Spend()  # of `cost`

    @property
    def coverage(self) -> float | None:
        """The share of attempts whose price is known, 0…1; None where there were none."""
        return (self.attempts - self.unpriced) / self.attempts if self.attempts else None


class CostPoint(Struct, frozen=True, gc=False):
    """A line of one step of time, which begins at `at`."""

    at: float
    line: CostLine


class BranchLine(Struct, frozen=True, gc=False):
    """What one session (`agent` "") or one of its subagents used of one model."""

    session: str
    agent: str
    first_at: float
    last_at: float
    used: CostLine  # its name is the "provider,model"


class LogLine(Struct, frozen=True, gc=False):
    """One line of the router's own log."""

    id: int
    at: float
    level: Literal["debug", "info", "warning", "error"]
    source: str  # "exchange", "config", "ssh", …
    message: str
    request: str = ""  # a request id, where it is about one
    simulated: bool = False


class RequestFilter(Struct, frozen=True, gc=False):
    """What a page of history must match; None or "" matches all."""

    since: float | None = None
    until: float | None = None
    text: str = ""  # part of id, asked, provider, model, rule, session, client or error
    provider: str = ""
    model: str = ""
    session: str = ""
    door: str = ""
    status_from: int | None = None
    simulated: bool | None = None


class LogFilter(Struct, frozen=True, gc=False):
    since: float | None = None
    level: Literal["debug", "info", "warning", "error"] = "debug"  # this one and worse
    text: str = ""
    source: str = ""
    request: str = ""
    words: tuple[str, ...] = ()  # each in the message or the source
    without: tuple[str, ...] = ()  # none of them there
    #: of the request that a line is about
    status_from: int | None = None
    model: str = ""  # part of its provider,model
    session: str = ""  # the beginning of it
