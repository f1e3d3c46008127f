"""All of it together, as one request sees it from its start to its end."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from router.contract import Finding
from router.settings.groups import Groups, RetryPolicy
from router.settings.providers import Price, Provider, Target
from router.settings.routes import Hooks, Routes
from router.settings.secrets import NO_KEY, Secret
from router.settings.serving import Budget, Limits, Listen, Otlp, ResponseCaching, Role, Site

if TYPE_CHECKING:
    from router.prices.map import PriceMap


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
    #: the smallest number of tokens that changes a decision: below it an estimate will do
    nearest_bound: int = field(init=False, compare=False, repr=False)
    #: what routes and model groups lead to: whether a name is among them is asked for each request
    #: of a name that nobody wrote down
    led_to: frozenset[Target] = field(init=False, compare=False, repr=False)
    #: by a model group's name or alias: the plan that router.rules makes, where it is the same for
    #: every request; filled in by the first of them
    standing: dict[str, Any] = field(init=False, compare=False, repr=False, default_factory=dict)

    def __post_init__(self) -> None:
        contexts = [c for p in self.providers.values() for c in p.context.values() if c > 0]
        nearest = min(self.routes.long_context_threshold, *contexts, 1 << 40)
        object.__setattr__(self, "nearest_bound", nearest)
        deployments = (one for group in self.groups.deployments.values() for one in group)
        chains = (self.routes.targets.values(), *self.routes.fallback.values())
        led_to = {one.target for one in deployments}.union(*chains)
        object.__setattr__(self, "led_to", frozenset(led_to))

    def provider(self, name: str) -> Provider | None:
        """By name; exact first, then without regard to case."""
        return self.providers.get(name) or self._folded(name.casefold())

    def targets(self) -> list[str]:
        """Every "provider,model" that can be named, in the configured order."""
        return [f"{one.name},{model}" for one in self.providers.values() for model in one.models]

    def simulated_only(self) -> bool:
        """Whether no answer is a real one."""
        return all(one.simulated or one.plane for one in self.providers.values())

    def _folded(self, name: str) -> Provider | None:
        return next((p for p in self.providers.values() if p.name.casefold() == name), None)
