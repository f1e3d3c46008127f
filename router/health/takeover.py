"""When a real LiteLLM or CCR that was found as we started has gone: who plays its part then.

One rule: this router does so where it reads the same file that the other one had. Else a refusal,
which clients try again, is better than a model that nobody knows or a simulated answer. Pure.
"""

from __future__ import annotations

from collections.abc import Callable

from router.settings import Generation, Role

#: seconds of refused connections: a LiteLLM that is restarted takes about twenty
GONE = 30.0
#: for people, where this router does not do so by itself
ADVICE = "`pointsman restart` has this router play its part"


def due(generation: Generation, gone: Callable[[str], bool]) -> list[Role]:
    """The roles to be played from now on. `gone`: whether nobody listens at an address any more."""
    found = (role for role in (generation.litellm, generation.ccr) if role.found)
    return [role for role in found if gone(role.url) and _known(generation, role)]


def _known(generation: Generation, role: Role) -> bool:
    """Whether its own file is read here, and leads to real providers."""
    if role.name == "ccr":
        routes = generation.routes
        return routes.from_file and all(
            _real(generation, one.provider) for one in routes.targets.values()
        )
    groups = generation.groups
    deployments = [one for group in groups.deployments.values() for one in group]
    return groups.from_file and all(_real(generation, one.target.provider) for one in deployments)


def _real(generation: Generation, name: str) -> bool:
    provider = generation.provider(name)
    return provider is not None and not provider.simulated
