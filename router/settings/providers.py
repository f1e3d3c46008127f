"""An upstream: where it is, what it speaks, what it serves and what that costs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from msgspec import Struct

from router.settings.secrets import NO_KEY, Secret

#: how a provider is shown who calls: a header that holds the key ("both": x-api-key and bearer, to
#: a server in Anthropic's format of which it is not known which one it reads), or a cloud's sign-in
#: ("aws", "google", "azure"), which an extra makes
Auth = Literal[
    "bearer", "x-api-key", "x-goog-api-key", "api-key", "both", "none", "aws", "google", "azure"
]
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
        if "," not in text or len(text) > 2 * LONGEST_NAME:
            return None
        provider, _, model = text.partition(",")
        provider, model = provider.strip(), model.strip()
        return cls(provider, model) if provider and model else None


class Price(Struct, frozen=True):
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
