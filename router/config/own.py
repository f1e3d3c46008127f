"""pointsman.toml: every key there is. A key that is not here is an error with its line."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, field_validator, model_validator

from router.config.endpoints import problem_of
from router.config.part import Key
from router.contract import AlertKind
from router.settings import LiteLLMVersion, Scenario, Target
from router.spending.period import parse

#: what a budget may be of; of some, each one by itself may have it
SCOPES = ("key", "team", "user", "project", "session", "door", "provider", "model")
EACH = ("key", "team", "user", "project", "session")

Port = Annotated[int, Field(ge=0, le=65535)]
Seconds = Annotated[float, Field(gt=0)]


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


def address(text: str) -> str:
    """Refuses what is not an address of an HTTP server."""
    if text and (problem := problem_of(text)):
        raise ValueError(problem)
    return text


def one_or_many(value: Any) -> Any:
    """A single string where a list is wanted is a list of one."""
    return (value,) if isinstance(value, str) else value


Words = Annotated[tuple[str, ...], BeforeValidator(one_or_many)]


class ListenTable(_Table):
    host: str | None = None
    port: Port | None = None
    litellm_port: Port | None = None
    ccr_port: Port | None = None
    ssh_port: Port | None = None
    hosts: Words = ()
    origins: Words = ()


class RoleTable(_Table):
    mode: Literal["auto", "embedded", "external"] = "auto"
    url: str = ""
    keys: Words | None = None
    host: str = ""

    _address = field_validator("url")(address)


class CcrTable(RoleTable):
    #: read by `ccr install` alone: the address of a marketplace's index
    presets: str = ""

    _index = field_validator("presets")(address)


class LiteLLMTable(RoleTable):
    errors: LiteLLMVersion = "1.80"


class SshTable(_Table):
    password: Literal["auto", "on", "own", "off"] = "auto"  # noqa: S105 - a switch, not a password
    agent: bool = False

    @field_validator("password", mode="before")
    @classmethod
    def _switch(cls, value: Any) -> Any:
        if value not in ("auto", True, False, "on", "own", "off"):
            raise ValueError('should be "auto", "own", true or false')
        return {True: "on", False: "off"}.get(value, value) if isinstance(value, bool) else value


class LogTable(_Table):
    level: Literal["debug", "info", "warning", "error"] | None = None


class RetentionTable(_Table):
    days: Annotated[int, Field(ge=1, le=3650)] = 30
    size_mb: Annotated[float, Field(ge=10)] | None = None


class LimitsTable(_Table):
    body_mb: Annotated[float, Field(gt=0, le=1024)] = 64
    header_kb: Annotated[int, Field(ge=4, le=1024)] = 32
    header_seconds: Seconds = 10
    body_seconds: Seconds = 60
    connections: Annotated[int, Field(ge=1)] = 2048
    socket_seconds: Seconds = 3600
    unread_seconds: Seconds = 300


class RetryTable(_Table):
    retries: Annotated[int, Field(ge=0, le=10)] | None = None
    backoff: Seconds | None = None
    longest_wait: Annotated[float, Field(ge=0)] | None = None
    allowed_fails: Annotated[int, Field(ge=0)] | None = None
    cooldown: Annotated[float, Field(ge=0)] | None = None


Dollars = Annotated[float, Field(ge=0)]


class PriceTable(_Table):
    """Dollars per million tokens."""

    input: Dollars | None = None
    output: Dollars | None = None
    cache_read: Dollars | None = None
    cache_write: Dollars | None = None
    cache_write_1h: Dollars | None = None
    reasoning: Dollars | None = None
    audio_in: Dollars | None = None
    audio_out: Dollars | None = None
    image_in: Dollars | None = None
    image_out: Dollars | None = None
    #: dollars per answer, and per thousand web searches
    request: Dollars | None = None
    searches: Dollars | None = None
    #: prompt tokens → what longer prompts cost; tier ("batch", "flex", "priority") → what it costs
    above: dict[int, PriceTable] = {}
    services: dict[str, PriceTable] = {}


class TimeoutsTable(_Table):
    connect: Seconds = 10
    first_byte: Seconds = 300
    idle: Seconds = 120
    total: Seconds = 3600


class ProviderTable(_Table):
    """`kind` alone is enough for a provider that we know; else `url` (full) or `base`."""

    kind: str = ""
    url: str = ""
    base: str = ""
    key: str = ""
    #: more keys: text, or { key = …, weight = … }
    keys: tuple[str | Key, ...] = ()
    format: (
        Literal["openai_chat", "openai_responses", "anthropic_messages", "ollama_chat", "gemini"]
        | None
    ) = None
    auth: Literal["bearer", "x-api-key", "x-goog-api-key", "api-key", "none"] | None = None
    cloud: dict[str, str] = {}
    models: Words = ()
    local: bool | None = None
    headers: dict[str, str] = {}
    adjust: tuple[Any, ...] = ()
    adjust_model: dict[str, tuple[Any, ...]] = {}
    prices: dict[str, PriceTable] = {}
    context: dict[str, Annotated[int, Field(gt=0)]] = {}
    max_output: Annotated[int, Field(gt=0)] | None = None
    timeouts: TimeoutsTable = TimeoutsTable()

    _addresses = field_validator("url", "base")(address)


class TelemetryTable(_Table):
    """OTLP; without an endpoint, the OTEL_… variables of the environment count."""

    endpoint: str = ""
    protocol: Literal["http/protobuf", "grpc"] | None = None  # by the port
    headers: dict[str, str] = {}
    service: str = ""
    signals: tuple[Literal["traces", "metrics", "logs"], ...] | None = None  # all of them

    _address = field_validator("endpoint")(address)


class NeighbourTimeouts(TimeoutsTable):
    """An event stream may be silent for long; how long one lasts is not ours to say."""

    idle: Seconds = 3600


class NeighbourTable(_Table):
    """Another program's pages behind the front door: `path`, `host` or both lead to `url`."""

    enabled: bool = True
    title: str = ""
    url: str = ""
    path: str | None = None
    host: str | None = None
    strip: bool = True
    health: str = ""
    command: Words = ()
    env: dict[str, str] = {}
    directory: str = ""
    start: bool = False
    hint: str = ""
    timeouts: NeighbourTimeouts = NeighbourTimeouts()

    _address = field_validator("url")(address)


def _target(text: str) -> str:
    if text and Target.parse(text) is None:
        raise ValueError("should be written provider,model")
    return text


class RoutesTable(_Table):
    """Scenario → "provider,model"; each replaces what CCR's file or the default says, "" clears."""

    targets: dict[Scenario, Annotated[str, BeforeValidator(_target)]] = {}
    long_context_threshold: Annotated[int, Field(gt=0)] | None = None
    think_budget: Annotated[int, Field(ge=0)] | None = None
    think_efforts: Words | None = None
    strict: bool | None = None
    fallback: dict[Scenario, tuple[Annotated[str, BeforeValidator(_target)], ...]] = {}


class BudgetTable(_Table):
    """Dollars; `per` is "day", "month", "30d", …"""

    scope: str
    limit: Dollars | None = None
    soft: Dollars | None = None
    per: str = "day"
    cheaper: Annotated[str, BeforeValidator(_target)] = ""

    @field_validator("scope")
    @classmethod
    def _scope(cls, scope: str) -> str:
        kind, _, name = scope.partition(":")
        if scope == "house" or (kind in SCOPES and (name or kind in EACH)):
            return scope
        raise ValueError(
            f"should be house, one of {', '.join(EACH)} for each by itself, or"
            f" {'|'.join(SCOPES)}:NAME"
        )

    @field_validator("per")
    @classmethod
    def _per(cls, per: str) -> str:
        parse(per)
        return per

    @model_validator(mode="after")
    def _bounds(self) -> BudgetTable:
        if self.limit is None and self.soft is None:
            raise ValueError("needs a limit, or a soft one")
        return self


class CacheTable(_Table):
    """Answers that are kept. `ttl` in seconds, 0: as long as there is room."""

    enabled: bool = True
    ttl: Annotated[float, Field(ge=0)] = 3600
    size_mb: Annotated[float, Field(gt=0, le=16_384)] = 64
    namespace: str = ""
    mode: Literal["default_on", "default_off"] = "default_on"


class AlertsTable(_Table):
    """The address is a secret: who knows a chat's webhook may write there."""

    webhook: str = ""
    kinds: tuple[AlertKind, ...] = ("budget", "provider", "unpriced")

    _address = field_validator("webhook")(address)


class PointsmanToml(_Table):
    listen: ListenTable = ListenTable()
    litellm: LiteLLMTable = LiteLLMTable()
    ccr: CcrTable = CcrTable()
    ssh: SshTable = SshTable()
    log: LogTable = LogTable()
    retention: RetentionTable = RetentionTable()
    limits: LimitsTable = LimitsTable()
    retry: RetryTable = RetryTable()
    prices: dict[str, PriceTable] = {}
    budgets: tuple[BudgetTable, ...] = ()
    alerts: AlertsTable = AlertsTable()
    cache: CacheTable | None = None
    routes: RoutesTable = RoutesTable()
    providers: dict[str, ProviderTable] = {}
    neighbours: dict[str, NeighbourTable] = {}
    telemetry: TelemetryTable = TelemetryTable()
