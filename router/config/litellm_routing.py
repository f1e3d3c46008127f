"""How LiteLLM's file routes: router_settings and litellm_settings as Groups and a RetryPolicy.

Either section may hold a key; router_settings wins. What is not followed is told, by its name.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import AliasChoices, BaseModel, ConfigDict, Field

from router.config.document import Document
from router.config.part import Part, problem
from router.config.response_cache import CacheParams
from router.contract import Finding
from router.errors import CallerError
from router.settings import Deployment, Groups, Strategy
from router.wishes import Chain
from router.wishes.fields import fallback

WHAT = "LiteLLM config"

STRATEGIES: dict[str, Strategy] = {
    "simple-shuffle": "simple-shuffle",
    "least-busy": "least-busy",
    "latency-based-routing": "latency",
    "usage-based-routing": "usage",
    "usage-based-routing-v2": "usage",
    "cost-based-routing": "cost",
}
#: errors.Kind of LiteLLM's exception classes, less the "Error" that some of them end in
CLASSES: dict[str, tuple[str, ...]] = {
    "BadRequestError": ("caller", "too_long"),
    "AuthenticationError": ("credential",),
    "TimeoutError": ("timeout",),
    "RateLimitError": ("quota",),
    "ContentPolicyViolationError": ("refused",),
    "InternalServerError": ("upstream", "connect"),
    "BadGatewayError": ("upstream",),
    "ServiceUnavailableError": ("overload",),
    "NotFoundError": ("missing",),
    "Default": (
        *("caller", "too_long", "credential", "timeout", "quota", "refused", "upstream"),
        *("connect", "overload", "missing"),
    ),
}
#: checks before a call that have bounds of a deployment kept
_KEEPS_LIMITS = "enforce_model_rate_limits"

#: a group's fallbacks: names, or a model with fields of its own
_Chain = list[str | dict[str, Any]]
_Chains = list[dict[str, _Chain]]


class ProviderBudget(BaseModel):
    """LiteLLM's two names for each of the two are taken."""

    model_config = ConfigDict(extra="allow")

    budget_limit: float | None = Field(
        default=None, ge=0, validation_alias=AliasChoices("budget_limit", "max_budget")
    )
    time_period: str | None = Field(
        default=None, validation_alias=AliasChoices("time_period", "budget_duration")
    )


class Settings(BaseModel):
    """What we follow of router_settings and litellm_settings."""

    model_config = ConfigDict(extra="allow", protected_namespaces=())

    num_retries: int | None = Field(default=None, ge=0)
    retry_after: float | None = Field(default=None, ge=0)
    retry_policy: dict[str, int | None] = {}
    model_group_retry_policy: dict[str, dict[str, int | None]] = {}
    allowed_fails: int | None = Field(default=None, ge=0)
    allowed_fails_policy: dict[str, int | None] = {}
    cooldown_time: float | None = Field(default=None, ge=0)
    disable_cooldowns: bool = False
    fallbacks: _Chains = []
    context_window_fallbacks: _Chains = []
    content_policy_fallbacks: _Chains = []
    default_fallbacks: _Chain = []
    max_fallbacks: int | None = Field(default=None, ge=0)
    model_group_alias: dict[str, Any] = {}
    routing_strategy: str = "simple-shuffle"
    routing_strategy_args: dict[str, Any] = {}
    timeout: float | None = Field(default=None, gt=0)
    request_timeout: float | None = Field(default=None, gt=0)
    stream_timeout: float | None = Field(default=None, gt=0)
    max_budget: float | None = Field(default=None, gt=0)
    budget_duration: str | None = None
    #: by LiteLLM's provider: {"openai": {"budget_limit": dollars, "time_period": "1d"}}
    provider_budget_config: dict[str, ProviderBudget] = {}
    #: dollars, of each whom a request's own `user` names
    max_end_user_budget: float | None = Field(default=None, gt=0)
    cache: bool = False
    cache_params: CacheParams = CacheParams()
    default_max_parallel_requests: int | None = Field(default=None, ge=1)
    enable_pre_call_checks: bool = False
    optional_pre_call_checks: list[str] = []
    enable_tag_filtering: bool = False
    tag_filtering_match_any: bool = True
    #: unless it is switched off, a field without a place at a provider is left out, and named;
    #: where it is on, also what a provider is known to refuse in its own format
    drop_params: bool | None = None
    #: a conversation that a provider would refuse for its form is mended here in any case
    modify_params: bool = True


class Routing:
    """The two sections of one file, read together."""

    def __init__(self, part: Part, document: Document, first: Settings, second: Settings) -> None:
        self._part = part
        self._document = document
        self._sections = {"router_settings": first, "litellm_settings": second}

    def said(self, name: str) -> Any:
        """The value of router_settings, else of litellm_settings, else the usual one."""
        return getattr(self._sections[self._section(name)], name)

    def _section(self, name: str) -> str:
        """Where it stands that counts."""
        said = name in self._sections["router_settings"].model_fields_set
        return "router_settings" if said else "litellm_settings"

    @property
    def timeout(self) -> float | None:
        seconds: float | None = self.said("timeout") or self.said("request_timeout")
        return seconds

    @property
    def keeps_limits(self) -> bool:
        """Whether rpm and tpm bound a deployment, and are not its weight alone."""
        return (
            self.said("enable_pre_call_checks")
            or _KEEPS_LIMITS in self.said("optional_pre_call_checks")
            or self.strategy() == "usage"
        )

    def strategy(self) -> Strategy:
        return STRATEGIES.get(self.said("routing_strategy"), "simple-shuffle")

    def groups(self, deployments: Mapping[str, tuple[Deployment, ...]]) -> Groups:
        """Raises ConfigError for an alias that is no name."""
        self._doubt_strategy()
        aliases, hidden = self._aliases()
        chains = {
            name: self._chains(name, {*deployments, *aliases})
            for name in ("fallbacks", "context_window_fallbacks", "content_policy_fallbacks")
        }
        buffer = self.said("routing_strategy_args").get("lowest_latency_buffer", 0)
        most = self.said("max_fallbacks")
        return Groups(
            deployments,
            aliases,
            chains["fallbacks"],
            self._chain(
                self.said("default_fallbacks"),
                (self._section("default_fallbacks"), "default_fallbacks"),
            ),
            context_fallbacks=chains["context_window_fallbacks"],
            content_fallbacks=chains["content_policy_fallbacks"],
            max_fallbacks=5 if most is None else most,
            hidden=hidden,
            strategy=self.strategy(),
            latency_buffer=float(buffer) if isinstance(buffer, int | float) else 0.0,
            tag_filtering=self.said("enable_tag_filtering"),
            tags_all=not self.said("tag_filtering_match_any"),
            source=self._document.file,
            from_file=True,
        )

    def retry(self) -> dict[str, Any]:
        """Fields of RetryPolicy that the file sets."""
        groups = self.said("model_group_retry_policy")
        fields: dict[str, Any] = {
            "retries": self.said("num_retries"),
            "allowed_fails": self.said("allowed_fails"),
            "cooldown": 0.0 if self.said("disable_cooldowns") else self.said("cooldown_time"),
            "backoff": self.said("retry_after") or None,
            "retries_by": self._by_kind("retry_policy", self.said("retry_policy"), "Retries"),
            "fails_by": self._by_kind(
                "allowed_fails_policy", self.said("allowed_fails_policy"), "AllowedFails"
            ),
            "group_retries_by": {
                group: self._by_kind(f"model_group_retry_policy.{group}", policy, "Retries")
                for group, policy in groups.items()
            },
        }
        return {name: value for name, value in fields.items() if value not in (None, {})}

    def _doubt_strategy(self) -> None:
        named = self.said("routing_strategy")
        if named not in STRATEGIES:
            text = f"{named} is not done: deployments are picked by weight (simple-shuffle)"
            self._say(text, self._section("routing_strategy"), "routing_strategy")

    def _aliases(self) -> tuple[dict[str, str], frozenset[str]]:
        aliases: dict[str, str] = {}
        hidden: set[str] = set()
        for alias, value in self.said("model_group_alias").items():
            model = value.get("model") if isinstance(value, dict) else value
            if not isinstance(model, str):
                place = (self._section("model_group_alias"), "model_group_alias", alias)
                raise self._document.error("should be a model's name, or { model: name }", *place)
            aliases[alias] = model
            if isinstance(value, dict) and value.get("hidden"):
                hidden.add(alias)
        return aliases, frozenset(hidden)

    def _chains(self, name: str, known: set[str]) -> dict[str, Chain]:
        chains: dict[str, Chain] = {}
        for section in reversed(self._sections):
            for index, entry in enumerate(getattr(self._sections[section], name)):
                chains |= {
                    group: self._chain(chain, (section, name, index, group))
                    for group, chain in entry.items()
                }
        wild = any("*" in one for one in known)
        named = {
            one if isinstance(one, str) else one.model for chain in chains.values() for one in chain
        }
        loose = named - known
        if loose and not wild:
            words = ", ".join(sorted(loose))
            text = f"{name} name models that are not in model_list: {words}"
            self._part.findings.append(Finding(WHAT, self._document.file, "problem", text))
        return chains

    def _chain(self, entries: _Chain, at: tuple[str | int, ...]) -> Chain:
        """Raises ConfigError for a fallback whose own fields are none."""
        try:
            return tuple(fallback(one, str(at[1])) for one in entries)
        except CallerError as error:
            raise self._document.error(error.message, *at) from None

    def _by_kind(self, where: str, policy: Mapping[str, int | None], suffix: str) -> dict[str, int]:
        """By errors.Kind, of {"RateLimitErrorRetries": 3}; a named class before the default."""
        kinds: dict[str, int] = {}
        odd = []
        for name, count in sorted(policy.items(), key=lambda item: not item[0].startswith("Def")):
            found = CLASSES.get(name.removesuffix(suffix)) if name.endswith(suffix) else None
            if found is None:
                odd.append(name)
            elif count is not None:
                kinds |= dict.fromkeys(found, max(0, count))
        if odd:
            known = ", ".join(f"{name}{suffix}" for name in CLASSES)
            self._say(
                f"no class is named {', '.join(odd)} (known: {known})", "router_settings", where
            )
        return kinds

    def _say(self, text: str, *path: str | int) -> None:
        self._part.findings.append(problem(WHAT, self._document, text, *path))
