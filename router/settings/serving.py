"""What the router is to the world: where it listens, whom it stands in for, its bounds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from router.settings.providers import Target, Timeouts
from router.settings.secrets import Secret

#: what the front door serves at paths of these names (router/app.py), and as which role, "" for
#: none
DOORS: Mapping[str, str] = {
    "litellm": "LiteLLM",
    "ollama": "LiteLLM",
    "gemini": "LiteLLM",
    "ccr": "CCR",
    "claude-code": "CCR",
    "console": "",
}
#: whose shapes of errors LiteLLM's clients are told
LiteLLMVersion = Literal["1.80", "1.109"]


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
    #: of LiteLLM's alone
    errors: LiteLLMVersion = "1.80"
    #: the status of a request over its budget; None: the version's own
    over_budget: int | None = None
    #: an external one that was found as we started, not configured
    found: bool = False

    @property
    def title(self) -> str:
        """The tool, for people."""
        return "LiteLLM" if self.name == "litellm" else "Claude Code Router"


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
class Limits:
    """Bounds on what a client may send."""

    body_bytes: int = 64 * 1024 * 1024
    header_bytes: int = 32 * 1024
    header_seconds: float = 10.0
    body_seconds: float = 60.0
    connections: int = 2048
    #: that a WebSocket may stay open
    socket_seconds: float = 3600.0
    #: that a client may take nothing of what waits for it
    unread_seconds: float = 300.0


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
    #: whether pointsman.toml says how to start it here: it is not missed before that was asked for
    own: bool = False
    #: the door that its requests go through all the same, to be metered: "litellm", "ccr"
    door: str = ""
    timeouts: Timeouts = Timeouts()
    #: starts it (`pointsman neighbours start`); empty: it is started by hand, as `hint` says
    command: tuple[str, ...] = ()
    env: Mapping[str, str] = field(default_factory=dict)
    directory: str = ""  # that it runs in; "": its folder among our data
    start: bool = False  # whether it runs whenever the router does
    hint: str = ""
    about: str = ""  # "workflows"
    #: the console's screen that `path` leads to while nobody configured or started it
    stand_in: str = ""


#: OpenTelemetry's; many a backend takes traces alone
Signal = Literal["traces", "metrics", "logs"]


@dataclass(frozen=True, slots=True)
class Otlp:
    """Where OpenTelemetry's signals are sent: an OTLP endpoint, without /v1/…. `protocol`:
    "http/protobuf" or "grpc"."""

    endpoint: str
    protocol: str = "http/protobuf"
    headers: Mapping[str, Secret] = field(default_factory=dict)
    service: str = "pointsman"
    signals: tuple[Signal, ...] = ("traces", "metrics", "logs")


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
