"""Where LiteLLM's own variables say that a provider is: OLLAMA_API_BASE, AZURE_API_BASE, …

One rule: they hold where an entry names no address, and never lead back to this router.
ANTHROPIC_BASE_URL, which LiteLLM reads too, is what points Claude Code at us: it is not followed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from router.config.endpoints import leads_here, problem_of
from router.providers import Kind
from router.settings import Listen


@dataclass(frozen=True, slots=True)
class Moved:
    """An address of the environment's: "" where there is none, or `problem` says what is wrong."""

    base: str = ""
    variable: str = ""
    problem: str = ""


def moved(kind: Kind, env: Mapping[str, str], listen: Listen) -> Moved:
    for name in variables(kind):
        base = env.get(name, "").strip()
        if not base:
            continue
        if wrong := problem_of(base):
            return Moved(variable=name, problem=f"{name} {wrong}")
        if leads_here(base, listen):
            return Moved(variable=name, problem=f"{name} points at this router")
        return Moved(base, name)
    return Moved()


def variables(kind: Kind) -> tuple[str, ...]:
    """In LiteLLM's order of preference."""
    own = (kind.base_env,) if kind.base_env else ()
    named = (f"{prefix.upper().replace('-', '_')}_API_BASE" for prefix in kind.litellm)
    short = (f"{kind.name.upper()}_API_BASE",) if kind.litellm else ()  # FIREWORKS_API_BASE
    return tuple(dict.fromkeys((*own, *named, *short)))
