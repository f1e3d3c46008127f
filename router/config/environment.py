"""Provider keys in the environment: each makes a real provider of its kind."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlsplit

from router.config.endpoints import from_base, leads_here, problem_of
from router.contract import Finding
from router.providers import KINDS, Kind
from router.settings import Listen, Provider, Secret

WHAT = "provider key"

#: who serves what no rule takes, when several keys are there: the first of these
ORDER = ("anthropic", "openai", "openrouter", "deepseek", "gemini", "groq", "mistral", "xai")


def kinds_with_keys() -> tuple[Kind, ...]:
    """All kinds whose key can be in the environment, in the order of preference."""
    named = [KINDS[name] for name in ORDER]
    others = (k for k in KINDS.values() if k.keys and not k.needs and k.name not in ORDER)
    return (*named, *others)


def read(env: Mapping[str, str], listen: Listen) -> tuple[dict[str, Provider], list[Finding]]:
    """Providers by their kind's name, best first, and what was looked for."""
    providers: dict[str, Provider] = {}
    findings: list[Finding] = []
    absent: list[str] = []
    for kind in kinds_with_keys():
        name = next((key for key in kind.keys if env.get(key, "").strip()), None)
        if name is None:
            absent += kind.keys[:1]
            continue
        base, note = _base(kind, env, listen)
        if note:
            findings.append(Finding(WHAT, kind.base_env, "problem", note))
        endpoint = from_base(base, kind.format)
        providers[kind.name] = Provider(
            name=kind.name,
            format=endpoint.format,
            url=endpoint.url,
            base=endpoint.base,
            key=Secret(env[name].strip()),
            auth=kind.auth,
            models=kind.offered,
            kind=kind.name,
            source=name,
            stream_url=endpoint.stream_url,
        )
        at = "" if base == kind.base else f" at {base}"
        findings.append(Finding(WHAT, name, "found", f"{kind.title}{at}"))
    if absent:
        text = f"not set: {', '.join(absent)}"
        findings.append(Finding(WHAT, "environment", "absent", text))
    return providers, findings


def _base(kind: Kind, env: Mapping[str, str], listen: Listen) -> tuple[str, str]:
    """The base to use, and why the vendor's own variable for it is not followed."""
    moved = env.get(kind.base_env, "").strip() if kind.base_env else ""
    if not moved:
        return kind.base, ""
    if wrong := problem_of(moved):
        return kind.base, f"{wrong}: {kind.title}'s usual address is used"
    if leads_here(moved, listen):
        host = urlsplit(moved).netloc
        return kind.base, f"points at this router ({host}): {kind.title}'s usual address is used"
    return moved.rstrip("/"), ""
