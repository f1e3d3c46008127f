"""What is up: each provider by what its last attempts showed, the roles and neighbours by probes.

Never a billed call: a provider's health is learnt from the traffic it gets; only programs on this
machine are asked, and only for their version.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping

from router.caller import public_name
from router.contract import (
    Circuit,
    Condition,
    Loaded,
    RequestView,
    ServiceChange,
    ServiceView,
)
from router.cooldowns import Cooldowns
from router.health import ollama, takeover
from router.health.passed import Passed, of_key, restored
from router.health.probes import Probes, root
from router.process.children import Child
from router.record import Attempt
from router.settings import DOORS, Generation, Provider, Role, Site


class Health:
    """`children` by name: "ssh", "simulator", "local model"; `kept` by a router before this one."""

    def __init__(
        self,
        wall: Callable[[], float],
        now: Callable[[], float],
        cooldowns: Cooldowns,
        children: Mapping[str, Child],
        kept: Iterable[tuple[str, str]] = (),
    ) -> None:
        self._wall = wall
        self._now = now
        self._cooldowns = cooldowns
        self._children = children
        #: by the role's name: what is wrong with a part of it now, "" for nothing
        self.troubles: dict[str, Callable[[], str]] = {}
        #: by the provider's name, and by `of_key`
        self._passed: dict[str, Passed] = {}
        self._served: dict[str, Passed] = {}
        for name, data in kept:
            if (passed := restored(data)) is not None:
                (self._served if name in DOORS.values() else self._passed)[name] = passed
        self.probes = Probes(wall, now)
        self._states: dict[str, Condition] = {}

    def attempted(self, attempt: Attempt, at: float) -> None:
        provider = attempt.candidate.provider
        passed = self._of(provider)
        if passed is None:
            passed = self._passed[provider.name] = Passed(provider.simulated)
        passed.attempted(attempt, at)
        if provider.slot:
            key = of_key(provider.name, provider.slot)
            self._passed.setdefault(key, Passed()).attempted(attempt, at)

    def _of(self, provider: Provider) -> Passed | None:
        """What went by of it. What stood in says nothing of the real one: it is let go."""
        passed = self._passed.get(provider.name)
        if passed is not None and passed.simulated != provider.simulated:
            del self._passed[provider.name]
            return None
        return passed

    def outcomes(self) -> dict[str, Counter[str]]:
        """Of each provider's attempts."""
        return {name: one.outcomes for name, one in self._passed.items() if "\n" not in name}

    def served(self, request: RequestView) -> None:
        """A request through a door has ended."""
        role = DOORS.get(request.door, request.door)
        passed = self._served.get(role) or self._served.setdefault(role, Passed())
        passed.served(request)

    def kept(self) -> list[tuple[str, str]]:
        """By name, as JSON: what outlives this router, where it changed since this was asked."""
        both = (*self._passed.items(), *self._served.items())
        return [(name, passed.kept()) for name, passed in both if passed.changed()]

    def changed(self, services: Iterable[ServiceView]) -> list[ServiceChange]:
        """Those whose state is another than when this was last asked."""
        at = self._wall()
        told = [
            ServiceChange(at, s.name, s.kind, s.state, self._kept(s))
            for s in services
            if self._states.get(s.name) != s.state
        ]
        self._states.update((change.service, change.state) for change in told)
        return told

    def _kept(self, service: ServiceView) -> str:
        """The reason as history keeps it. A neighbour that we run may write what people wrote: its
        words are shown while they are news, and never stored."""
        child = self._children.get(service.name) if service.kind == "neighbour" else None
        return service.reason if child is None else f"it is {child.state}"

    def views(self, generation: Generation) -> tuple[ServiceView, ...]:
        """Roles first, then providers, then neighbours, then the SSH front."""
        views = [
            self._role(generation.litellm, "LiteLLM", generation.listen.litellm_port, generation),
            self._role(generation.ccr, "CCR", generation.listen.ccr_port, generation),
        ]
        views += [self._provider(provider) for provider in generation.providers.values()]
        views += [self._site(site) for site in generation.sites]
        ssh = self._children.get("ssh")
        if ssh is not None:
            views.append(
                ServiceView(
                    name="SSH",
                    kind="ssh",
                    state="up" if ssh.state == "running" else "down",
                    address=f"ssh -p {generation.listen.ssh_port} localhost",
                    reason="" if ssh.state == "running" else ssh.trouble or ssh.state,
                )
            )
        at = self._wall()
        passed = {**self._passed, **self._served}
        return tuple(
            passed[view.name].told(view, at) if view.name in passed else view for view in views
        )

    def _keys(self, provider: Provider) -> tuple[ServiceView, ...]:
        """Each of a provider's keys, by what its own attempts showed."""
        at, now = self._wall(), self._now()
        views = []
        for one in provider.per_key:
            passed = self._passed.get(of_key(provider.name, one.slot), Passed())
            state, reason = passed.condition(at)
            until = self._cooldowns.until(provider.name, now, one.slot)
            if until is not None:
                state, reason = "degraded", passed.last_error or "resting after errors"
            view = ServiceView(
                name=f"key {one.slot}",
                kind="key",
                state=state,
                address=f"{public_name(one.key.reveal())}, weight {one.weight:g}",
                reason=reason,
                requests=passed.requests,
                errors=passed.errors,
                p50_ms=passed.p50_ms(),
                last_error=passed.last_error,
                last_error_at=passed.last_error_at,
                cooling_until=None if until is None else at + (until - now),
            )
            views.append(passed.told(view, at))
        return tuple(views)

    def _role(self, role: Role, name: str, port: int, generation: Generation) -> ServiceView:
        passed = self._served.get(name, Passed())
        if role.mode == "external":
            answered, reason, at = self.probes.of(role.url)
            if answered is False and role.found:
                reason += f"; {takeover.ADVICE}"
            return ServiceView(
                name=name,
                kind="role",
                state="unknown" if answered is None else "up" if answered else "down",
                mode="external",
                address=role.url,
                reason=reason,
                checked_at=at,
                requests=passed.requests,
                errors=passed.errors,
                p50_ms=passed.p50_ms(),
            )
        host, reached = generation.listen.host, port or generation.listen.port
        trouble = self.troubles.get(name, lambda: "")()
        return ServiceView(
            name=name,
            kind="role",
            state="degraded" if trouble else "up",
            reason=trouble,
            mode="embedded",
            address=f"http://{host}:{reached}" if reached else "",
            checked_at=self._wall(),
            requests=passed.requests,
            errors=passed.errors,
            p50_ms=passed.p50_ms(),
        )

    def _site(self, site: Site) -> ServiceView:
        """One that nobody started here, or said to run elsewhere, is not missed: it is off."""
        answered, reason, at = self.probes.of_site(site)
        child = self._children.get(site.name)
        state: Condition = "unknown" if answered is None else "up" if answered else "down"
        if answered and reason:
            state = "degraded"
        if state == "down" and child is None and (site.own or not site.configured):
            state, reason = "off", f"not running: `pointsman neighbours start {site.name}`"
        elif state == "down" and child is not None:
            reason = child.trouble or ("is starting" if child.state == "running" else child.state)
        ended = child.trouble if child is not None and child.state in ("resting", "failed") else ""
        return ServiceView(
            name=site.name,
            kind="neighbour",
            state=state,
            mode="external",
            address=site.url,
            reason=reason,
            checked_at=at,
            last_error=ended,
            place=site.path or site.host,
        )

    def _provider(self, provider: Provider) -> ServiceView:
        passed = self._of(provider) or Passed()
        answered, reason, at = self.probes.of(root(provider.url))
        cooling = self._cooldowns.until(provider.name, self._now())
        state: Condition = "unknown"
        if provider.plane is not None:
            state, reason = "up", ""
        elif answered is not None and provider.local:
            state = "up" if answered else "down"
            shown = passed.condition(self._wall())
            if answered and shown[0] == "degraded":  # it is there, and refuses
                state, reason = shown
        else:
            state, reason = passed.condition(self._wall())
            if state == "unknown" and (unset := provider.key.unset()):
                reason = f"its key, ${unset}, is not set"
        keys = self._keys(provider)
        resting = sum(key.cooling_until is not None for key in keys)
        if cooling is not None:
            state = "down" if state == "down" else "degraded"
            reason = reason if state == "down" else "resting after errors"
            if 0 < resting < len(keys):
                reason = f"{resting} of {len(keys)} keys rest after errors"
        return ServiceView(
            name=provider.name,
            kind="local" if provider.local else "provider",
            state=state,
            mode="simulated" if provider.simulated else "embedded" if provider.plane else "real",
            address="in this router" if provider.plane else root(provider.url),
            reason=reason,
            checked_at=at,
            models=provider.models,
            requests=passed.requests,
            errors=passed.errors,
            p50_ms=passed.p50_ms(),
            last_error=passed.last_error,
            last_error_at=passed.last_error_at,
            cooling_until=None if cooling is None else self._wall() + (cooling - self._now()),
            circuits=self._circuits(provider.name),
            loaded=self._loaded(provider),
            keys=keys,
        )

    def _circuits(self, name: str) -> tuple[Circuit, ...]:
        now, at = self._now(), self._wall()
        return tuple(
            Circuit(model, key, "open" if until > now else "half-open", at + until - now)
            for model, key, until in self._cooldowns.of(name)
        )

    def _loaded(self, provider: Provider) -> tuple[Loaded, ...]:
        told = self.probes.rooms.get(ollama.root(provider)) if provider.kind == "ollama" else None
        if told is None:
            return ()
        return tuple(
            Loaded(model, context, *told.held.get(model, (None, "")))
            for model, context in told.loaded.items()
        )
