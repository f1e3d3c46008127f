"""The configuration as the router uses it: immutable, resolved, one object per generation.

`router.config` builds a Generation from files and the environment; a reload builds the next one
beside it and swaps the reference. A request keeps the generation it began with. Nothing here knows
about files, JSON or YAML.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from router.contract import Finding

if TYPE_CHECKING:
    from router.price_map import PriceMap

Scenario = Literal[
    "default",
    "background",
    "think",
    "longContext",
    "webSearch",
    "image",
    "tool",
    "coder",
    "simple",
    "complex",
]
SCENARIOS: tuple[Scenario, ...] = Scenario.__args__  # type: ignore[attr-defined]

#: how a provider is shown who calls: a header that holds the key, or a sign-in of a cloud
#: ("aws", "google", "azure"), which an extra makes
Auth = Literal["bearer", "x-api-key", "x-goog-api-key", "api-key", "none", "aws", "google", "azure"]


class Secret(str):
    """A credential. Its repr and format are masked so that no log or traceback can carry it."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "Secret(…)"

    def __format__(self, spec: str) -> str:
        return "…"

    def __str__(self) -> str:
        return "…"

    def reveal(self) -> str:
        return str.__str__(self)


NO_KEY = Secret("")

#: characters of a model's name; the longest real ones (paths at Hugging Face) have about 120
LONGEST_NAME = 300


@dataclass(frozen=True, slots=True)
class Target:
    """A model at a provider, as people write it: `provider,model`."""

    provider: str
    model: str

    def __str__(self) -> str:
        return f"{self.provider},{self.model}"

    @classmethod
    def parse(cls, text: str) -> Target | None:
        """`provider,model`, split at the first comma; None if either side is empty or too long."""
        provider, comma, model = text.partition(",")
        provider, model = provider.strip(), model.strip()
        named = comma and provider and model and len(text) <= 2 * LONGEST_NAME
        return cls(provider, model) if named else None


@dataclass(frozen=True, slots=True)
class Price:
    """Nano-dollars per token, of each kind: $1 per million is 1,000, and $0.0375 is 37.5. None:
    unknown, which is never the same as free (0)."""

    input: float | None = None
    output: float | None = None
    cache_read: float | None = None
    cache_write: float | None = None
    cache_write_1h: float | None = None
    source: str = ""  # "config", "guide", "genai-prices 0.2.3, above 200,000"
    #: of tokens inside input, cache_read and output; None: they cost what those do
    reasoning: float | None = None
    audio_in: float | None = None
    audio_cached: float | None = None
    audio_out: float | None = None
    image_in: float | None = None
    image_out: float | None = None
    #: nano-dollars per answer, and per web search
    request: float | None = None
    search: float | None = None
    #: (tokens, price): of prompts longer than that, all of their tokens; rising
    above: tuple[tuple[int, Price], ...] = ()
    #: (tier, price): "batch", "flex", "priority", "fast"
    services: tuple[tuple[str, Price], ...] = ()


@dataclass(frozen=True, slots=True)
class Adjustment:
    """A named change to the body for one provider (CCR's transformer): see router/providers."""

    name: str
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Seconds. `idle` is between two reads of a streaming answer."""

    connect: float = 10.0
    first_byte: float = 300.0
    idle: float = 120.0
    total: float = 3600.0


@dataclass(frozen=True, slots=True)
class Provider:
    """One upstream. `url` is the full address of its completion endpoint; `base` is what other
    endpoints (embeddings, models) are appended to, without a trailing slash."""

    name: str
    format: str  # a name of router.formats
    url: str
    base: str
    key: Secret = NO_KEY
    auth: Auth = "bearer"
    #: model names people may write; empty: any name is passed on
    models: tuple[str, ...] = ()
    kind: str = "openai"  # the data file in router/providers that describes it
    simulated: bool = False
    local: bool = False  # on this machine: free, and slow to the first byte
    #: a plane of this router instead of an upstream: "litellm" (in-process, no HTTP)
    plane: str | None = None
    adjustments: tuple[Adjustment, ...] = ()
    model_adjustments: Mapping[str, tuple[Adjustment, ...]] = field(default_factory=dict)
    prices: Mapping[str, Price] = field(default_factory=dict)
    #: tokens a model can hold, where known; model "" stands for all of the provider's
    context: Mapping[str, int] = field(default_factory=dict)
    #: upper bound put on max_tokens
    max_output: int | None = None
    headers: tuple[tuple[str, str], ...] = ()
    timeouts: Timeouts = Timeouts()
    source: str = ""  # where it was configured, for people
    #: where streams are asked for, if not at `url`; in both, `{model}` stands for the model's name
    stream_url: str = ""
    #: tokens that a model is loaded with now, where that is known (Ollama)
    loaded: Mapping[str, int] = field(default_factory=dict)
    #: what a sign-in of a cloud needs: "region", "project", "location", "profile", …
    cloud: Mapping[str, str] = field(default_factory=dict)
    #: with several keys: each with its weight, and the provider once per key, as `slot` 1, 2…
    keys: tuple[tuple[Secret, float], ...] = ()
    per_key: tuple[Provider, ...] = ()
    slot: int = 0
    weight: float = 1.0


@dataclass(frozen=True, slots=True)
class Routes:
    """The CCR plane: a target per scenario. `strict` follows CCR 1.x/2.x to the letter."""

    targets: Mapping[Scenario, Target] = field(default_factory=dict)
    long_context_threshold: int = 60_000
    #: `think` needs at least this budget or effort "high": today's clients always ask for thinking
    think_budget: int = 16_000
    think_efforts: tuple[str, ...] = ("high", "max", "xhigh")
    strict: bool = False
    fallback: Mapping[Scenario, tuple[Target, ...]] = field(default_factory=dict)
    #: model-name prefix → provider that serves those models under their own names
    named: Mapping[str, str] = field(default_factory=dict)
    source: str = "embedded default"
    #: these are a project's or a session's own
    personal: bool = False
    #: strict: where a request goes that CCR's rules throw at, if that is not the default here
    thrown: Target | None = None


@dataclass(frozen=True, slots=True)
class Personal:
    """Routes of single projects, by the name of their folder, and of single sessions, by id."""

    projects: Mapping[str, Routes]
    sessions: Mapping[str, Routes]


@dataclass(frozen=True, slots=True)
class Preset:
    """A configuration of its own, at /preset/NAME. `providers` by the name that `routes` call them
    by; their own names say whose they are ("deepseek@NAME")."""

    providers: Mapping[str, Provider]
    routes: Routes


@dataclass(frozen=True, slots=True)
class CustomRouter:
    """A person's own routing function. `stamp` differs whenever the file was written; `config` is
    CCR's config.json as JSON, which the function is handed."""

    path: str
    language: Literal["python", "javascript"]
    stamp: str
    config: bytes = field(repr=False)  # it holds keys
    seconds: float = 2.0  # it may take


@dataclass(frozen=True, slots=True)
class Hooks:
    """What CCR's config.json asks for before the rules. Nothing of it: there is no Hooks."""

    personal: Personal | None = None
    custom: CustomRouter | None = None
    #: REWRITE_SYSTEM_PROMPT: the text itself
    system_prompt: str | None = None
    presets: Mapping[str, Preset] | None = None
    #: forceUseImageAgent: pictures are put into words by the Router's image model
    image_agent: bool = False


@dataclass(frozen=True, slots=True)
class Deployment:
    """One entry of LiteLLM's model_list: a group's name and what serves it."""

    group: str
    target: Target
    weight: float = 1.0
    params: Mapping[str, Any] = field(default_factory=dict)  # defaults put into the body
    id: str = ""  # as LiteLLM's model_info.id: given, or made of what it is
    #: the lowest is tried first; the next ones only when it failed
    order: int = 1
    tags: tuple[str, ...] = ()
    tag_patterns: tuple[str, ...] = ()  # of "User-Agent: …"
    access_groups: tuple[str, ...] = ()  # names under which a key may be allowed it
    #: bounds that are kept: of a minute (requests, tokens), and at once
    rpm: float | None = None
    tpm: float | None = None
    parallel: int | None = None
    #: whether what runs on it is counted: its strategy or a bound needs that
    counted: bool = False
    retries: int | None = None
    cooldown: float | None = None  # seconds
    stream_timeout: float | None = None  # seconds
    #: fields that are not sent, as dotted paths ("response_format", "tools.strict")
    drops: tuple[str, ...] = ()
    mock: str = ""  # answers with this text instead of asking anyone


Strategy = Literal["simple-shuffle", "least-busy", "latency", "usage", "cost"]


@dataclass(frozen=True, slots=True)
class Groups:
    """The LiteLLM plane: model names → deployments."""

    deployments: Mapping[str, tuple[Deployment, ...]] = field(default_factory=dict)
    aliases: Mapping[str, str] = field(default_factory=dict)
    fallbacks: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    default_fallbacks: tuple[str, ...] = ()
    #: where a prompt did not fit, or was refused for what it says: these come before `fallbacks`
    context_fallbacks: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    content_fallbacks: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    max_fallbacks: int = 5  # how deep fallbacks of fallbacks go
    hidden: frozenset[str] = frozenset()  # aliases that are not listed
    strategy: Strategy = "simple-shuffle"
    #: latency: those within this share of the fastest count as fast as it
    latency_buffer: float = 0.0
    tag_filtering: bool = False
    tags_all: bool = False  # a deployment needs all tags of a request, not one of them
    #: model names beginning with this go to the CCR plane ("ccr-claude-sonnet")
    ccr_prefix: str = "ccr-"
    source: str = "embedded default"


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How often one candidate is tried again, and how long a failing one rests (seconds)."""

    retries: int = 2
    backoff: float = 0.5  # first delay; doubles, with jitter handed in
    longest_wait: float = 8.0  # a Retry-After beyond this moves on to the next candidate
    allowed_fails: int = 3
    cooldown: float = 5.0
    #: by errors.Kind; where one stands here it goes before `retries`, and before `allowed_fails`
    retries_by: Mapping[str, int] = field(default_factory=dict)
    fails_by: Mapping[str, int] = field(default_factory=dict)
    #: a model group's own `retries_by`
    group_retries_by: Mapping[str, Mapping[str, int]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Role:
    """One of the two tools we stand in for. `url` is set when a real one plays it."""

    name: Literal["litellm", "ccr"]
    mode: Literal["embedded", "external"] = "embedded"
    url: str = ""
    #: keys that clients must show (Bearer or x-api-key); empty: none is asked for
    keys: tuple[Secret, ...] = ()
    #: the name under which an external one's own pages are reached
    host: str = ""


@dataclass(frozen=True, slots=True)
class Listen:
    """Where the router listens. A port of 0 switches that listener off."""

    host: str = "127.0.0.1"
    port: int = 5000
    litellm_port: int = 4000
    ccr_port: int = 3456
    ssh_port: int = 2222
    #: names a client may use in Host, besides loopback names
    hosts: tuple[str, ...] = ()
    #: web origins that may call us from a browser; empty: none
    origins: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Site:
    """Another program's pages behind the front door: under a path, or under a name of its own for
    one that cannot live under a path. With both, the path leads to the name."""

    name: str
    title: str
    url: str  # "http://127.0.0.1:5678", without a trailing slash
    path: str = ""  # "/n8n"
    host: str = ""  # "chat.localhost"
    strip: bool = True  # whether `path` is taken off before the program is asked
    health: str = "/"  # what of it is asked for, to know whether it runs
    #: what an answer to `health` must hold: tells the program from another on its usual port
    marker: str = ""
    #: named in pointsman.toml; else it is only served where it was recognised
    configured: bool = False
    #: the door that its requests go through all the same, to be metered: "litellm", "ccr"
    door: str = ""
    timeouts: Timeouts = Timeouts()
    #: starts it (`pointsman neighbours start`); empty: it is started by hand, as `hint` says
    command: tuple[str, ...] = ()
    env: Mapping[str, str] = field(default_factory=dict)
    start: bool = False  # whether it runs whenever the router does
    hint: str = ""


@dataclass(frozen=True, slots=True)
class Otlp:
    """Where OpenTelemetry's signals are sent: an OTLP/HTTP endpoint, without /v1/…."""

    endpoint: str
    headers: Mapping[str, Secret] = field(default_factory=dict)
    service: str = "pointsman"


@dataclass(frozen=True, slots=True)
class Budget:
    """A bound on what is spent in a period. `scope`: "house" for all of it; "key", "team", "user",
    "project", "session" for each one by itself; "KIND:NAME" (also "model:", "provider:", "door:")
    for all together whose names match. Money in nano-dollars."""

    scope: str
    limit: int | None = None
    soft: int | None = None  # from here on people are warned…
    period: str = "day"  # as router/spending/period.py reads it
    cheaper: Target | None = None  # …and requests go to this model


@dataclass(frozen=True, slots=True)
class ResponseCaching:
    """Answers that are kept, to be given again. `default_on` False: only to who asks for it."""

    ttl: float | None = 3600.0  # seconds; None: until there is no room
    size: int = 64 * 1024 * 1024  # bytes
    namespace: str = ""
    default_on: bool = True


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds on what a client may send."""

    body_bytes: int = 64 * 1024 * 1024
    header_bytes: int = 32 * 1024
    header_seconds: float = 10.0
    body_seconds: float = 60.0
    connections: int = 2048


@dataclass(frozen=True, slots=True)
class Generation:
    """Everything the router was told, resolved. `number` counts reloads from 1."""

    number: int
    providers: Mapping[str, Provider]
    routes: Routes
    groups: Groups
    litellm: Role
    ccr: Role
    listen: Listen = Listen()
    limits: Limits = Limits()
    retry: RetryPolicy = RetryPolicy()
    #: other programs behind the front door, and those of them with a host name of their own
    sites: tuple[Site, ...] = ()
    hosts: Mapping[str, Site] = field(default_factory=dict)
    #: taken at the start
    otlp: Otlp | None = None
    findings: tuple[Finding, ...] = ()
    #: model → Price for models priced in config, wherever they are served
    prices: Mapping[str, Price] = field(default_factory=dict)
    #: LiteLLM's price map, where one was given: before the catalogue, after all else
    price_map: PriceMap | None = None
    budgets: tuple[Budget, ...] = ()
    #: None: no answer is kept
    cache: ResponseCaching | None = None
    #: where alerts are told, and which kinds of them
    webhook: Secret = NO_KEY
    webhook_for: frozenset[str] = frozenset()
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    retention_days: int = 30
    #: bytes that the ledger may take; None: as many as the days make
    retention_bytes: int | None = None
    #: the development password over SSH; "auto": only where the client's Unix user can be told;
    #: "own": only passwords of `pointsman ssh passwd`; "off": no password at all
    ssh_password: Literal["auto", "on", "own", "off"] = "auto"  # noqa: S105 - a mode
    #: whether a shell over SSH may use the client's agent
    ssh_agent: bool = False
    hooks: Hooks | None = None
    #: the proxy that a configuration names; the environment's wins. Taken at start
    proxy: Secret = NO_KEY
    #: files and folders beside the usual ones that this was made from, to be watched as well
    follows: tuple[str, ...] = ()

    def provider(self, name: str) -> Provider | None:
        """By name; exact first, then without regard to case."""
        found = self.providers.get(name)
        if found is None:
            folded = name.casefold()
            found = next((p for p in self.providers.values() if p.name.casefold() == folded), None)
        return found
