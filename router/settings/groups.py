"""The LiteLLM plane: which deployments a name stands for, and how often each is tried."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from router.settings.providers import Target
from router.wishes import Chain, Chains


@dataclass(frozen=True, slots=True)
class Deployment:
    """One entry of LiteLLM's model_list: a group's name and what serves it."""

    group: str
    target: Target
    weight: float = 1.0
    params: Mapping[str, Any] = field(default_factory=dict)  # defaults put into the body
    id: str = ""  # as LiteLLM's model_info.id: given, or made of what it is
    #: LiteLLM's own name of it, "provider/model": its litellm_params.model
    called: str = ""
    #: the lowest is tried first; the next ones only when it failed
    order: int = 1
    tags: tuple[str, ...] = ()
    tag_patterns: tuple[str, ...] = ()  # of "User-Agent: …"
    access_groups: tuple[str, ...] = ()  # names under which a key may be allowed it
    info: Mapping[str, Any] = field(default_factory=dict)  # model_info, told to who asks for it
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
    #: a field without a place at the provider is an error, and not left out
    strict: bool = False
    #: what its provider is known to refuse is left out of a body in its own format, too
    lax: bool = False


Strategy = Literal["simple-shuffle", "least-busy", "latency", "usage", "cost"]


@dataclass(frozen=True, slots=True)
class Groups:
    """The LiteLLM plane: model names → deployments."""

    deployments: Mapping[str, tuple[Deployment, ...]] = field(default_factory=dict)
    aliases: Mapping[str, str] = field(default_factory=dict)
    fallbacks: Chains = field(default_factory=dict)
    default_fallbacks: Chain = ()
    #: where a prompt did not fit, or was refused for what it says: these come before `fallbacks`
    context_fallbacks: Chains = field(default_factory=dict)
    content_fallbacks: Chains = field(default_factory=dict)
    max_fallbacks: int = 5  # how deep fallbacks of fallbacks go
    hidden: frozenset[str] = frozenset()  # aliases that are not listed
    strategy: Strategy = "simple-shuffle"
    #: latency: those within this share of the fastest count as fast as it
    latency_buffer: float = 0.0
    tag_filtering: bool = False
    tags_all: bool = False  # a deployment needs all tags of a request, not one of them
    #: model names beginning with this go to the CCR plane ("ccr-claude-sonnet")
    ccr_prefix: str = "ccr-"
    source: str = "the usage guide"
    from_file: bool = False  # a person's own, not made of what stands in or of keys
    #: single deployments by their ids, and by what each is `called`
    by_id: Mapping[str, tuple[Deployment, ...]] = field(init=False, compare=False, repr=False)
    by_call: Mapping[str, tuple[Deployment, ...]] = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        ids: dict[str, tuple[Deployment, ...]] = {}
        calls: dict[str, tuple[Deployment, ...]] = {}
        for deployment in (one for group in self.deployments.values() for one in group):
            if "*" in deployment.called:
                continue  # a pattern says only with its group's name which model it is
            ids[deployment.id] = (deployment,)
            calls[deployment.called] = (*calls.get(deployment.called, ()), deployment)
        ids.pop("", None)
        calls.pop("", None)
        object.__setattr__(self, "by_id", ids)
        object.__setattr__(self, "by_call", calls)


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
