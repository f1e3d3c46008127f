"""What a file of CCR's or LiteLLM's becomes here: what maps, what differs, what is ignored.

One rule: it is told from the very reading that a router would do, so that the two cannot disagree.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from router.config import ccr_hooks, ccr_json, ccr_routes, litellm_yaml, targets
from router.config.part import Part
from router.config.unfollowed import became
from router.contract import Finding, Imported, ImportLine
from router.settings import Listen, Provider, Routes
from router.wishes import Other

NOT_USED = "not used: "
_COMMANDS = "`ccr code` and its kin go by it, as before"
#: what becomes of the settings of config.json that make no provider and no route
_SETTINGS: Mapping[str, str] = {
    **dict.fromkeys(ccr_json.FOR_COMMANDS, _COMMANDS),
    **dict.fromkeys(ccr_json.PROXIES, "leads to providers, unless the environment names another"),
    "PORT": "the port of the Claude Code Router role",
    "HOST": "this machine alone, as here",
    "TIMEOUT": "the time that a whole answer has",
    "LOG": "there is a log, of no prompt",
    "LOG_LEVEL": "`[log] level` of pointsman.toml decides",
    "CUSTOM_ROUTER_PATH": "decides before the rules do",
    "CUSTOM_ROUTER_TIMEOUT_MS": "the time that it has",
    "REWRITE_SYSTEM_PROMPT": "replaces Claude Code's",
    "forceUseImageAgent": "pictures are described once, by the image route",
    "strict": "the rules are CCR's to the letter",
}
#: the tables of LiteLLM's settings, what of them has lines of its own, and what is not shown
_TABLES = ("router_settings", "litellm_settings", "general_settings")
_OWN_LINES = ("fallbacks", "model_group_alias", "master_key")
_SECRET = re.compile("key|secret|password|token|url|host")


def report(kind: str, path: Path, env: Mapping[str, str]) -> Imported:
    """`kind` "ccr" or "litellm". Raises ConfigError where the file cannot be read at all."""
    part = (
        ccr_json.read(path, env)
        if kind == "ccr"
        else litellm_yaml.read(path, env, frozenset(), Listen())
    )
    differs: list[ImportLine] = []
    ignored: list[ImportLine] = []
    for finding in part.findings:
        if finding.detail.startswith(NOT_USED):
            for name in finding.detail.removeprefix(NOT_USED).split(", "):
                value, line = _said(part, name)
                words, other = became(name, value)
                (differs if other else ignored).append(ImportLine(name, words, line))
        elif finding.state == "problem":
            differs.append(_difference(path, finding))
    if part.routes is not None and part.document is not None:
        named = ccr_routes.named(part.routes)
        wrong = targets.doubts(ccr_routes.WHAT, part.document, named, part.providers)
        differs += [_difference(path, finding) for finding in wrong]
    if kind == "ccr":
        differs += _of_hooks(path, part, env)
    lost = {line.key for line in differs if line.key in _SETTINGS}
    told = [line.key for line in (*differs, *ignored)]
    settings = _settings(part) if kind == "ccr" else _followed(part, told)
    maps = (line for line in (*_maps(part), *settings) if line.key not in lost)
    return Imported(tuple(maps), tuple(differs), tuple(ignored))


def _said(part: Part, name: str) -> tuple[Any, int | None]:
    """What the file says of "litellm_settings.callbacks" or "Providers[0].stream", and its line."""
    if part.document is None:
        return None, None
    path = [int(one) if one.isdecimal() else one for one in re.split(r"[.\[\]]+", name) if one]
    value: Any = part.document.data
    for one in path:
        try:
            value = value[one]
        except (KeyError, IndexError, TypeError):
            return None, None
    return value, part.document.lines.get(tuple(path))


def _of_hooks(path: Path, part: Part, env: Mapping[str, str]) -> list[ImportLine]:
    """What is wrong with the files that this one names, or that are beside it."""
    routes = part.routes or Routes({})
    _, findings, _ = ccr_hooks.read(path.parent, part.resolved, env, routes, part.providers)
    return [_difference(path, finding) for finding in findings if finding.state == "problem"]


def _followed(part: Part, told: Sequence[str]) -> Iterator[ImportLine]:
    """The settings of LiteLLM's file that are taken as they are; `told`: of what is told else."""
    data = part.document.data if part.document is not None else {}
    for table in _TABLES:
        said = data.get(table)
        for name, value in said.items() if isinstance(said, dict) else ():
            key = f"{table}.{name}"
            else_told = any(re.match(rf"{re.escape(key)}(?:[.\[]|$)", one) for one in told)
            if value is not None and name not in _OWN_LINES and not else_told:
                yield ImportLine(key, _shown(name, value))


def _shown(name: str, value: Any) -> str:
    """A setting's value in a few words; of a table the names alone, and never a secret."""
    if isinstance(value, list):
        return ", ".join(_shown(name, one) for one in value) or "empty"
    if isinstance(value, dict):
        return ", ".join(map(str, value)) or "empty"
    if isinstance(value, str) and _SECRET.search(name):
        return "as it is"
    return str(value).lower() if isinstance(value, bool) else str(value)


def _settings(part: Part) -> Iterator[ImportLine]:
    said = part.document.data if part.document is not None else {}
    for key, what in _SETTINGS.items():
        if said.get(key) not in (None, "", False):
            yield ImportLine(key, what)


def _difference(path: Path, finding: Finding) -> ImportLine:
    """ "config.json:7: Providers[1]" without the file, which is known."""
    place = finding.where.removeprefix(str(path)).lstrip(":")
    line, colon, key = place.partition(": ")
    if not (colon and line.isdecimal()):
        return ImportLine(place.strip(": ") or path.name, finding.detail)
    return ImportLine(key, finding.detail, int(line))


def _maps(part: Part) -> Iterator[ImportLine]:
    for provider in part.providers.values():
        yield ImportLine(f"provider {provider.name}", _told(provider))
    if part.routes is not None:
        # a route to nobody does not map; of a fallback's chain the rest does
        known = {name.casefold() for name in part.providers}
        for scenario, target in part.routes.targets.items():
            if target.provider.casefold() not in known:
                continue
            yield ImportLine(f"Router.{scenario}", str(target))
        for scenario, others in part.routes.fallback.items():
            yield ImportLine(f"fallback.{scenario}", " → ".join(map(str, others)))
    if part.groups is not None:
        for name, deployments in part.groups.deployments.items():
            yield ImportLine(f"model {name}", ", ".join(str(one.target) for one in deployments))
        for name, alias in part.groups.aliases.items():
            yield ImportLine(f"alias {name}", str(alias))
        for name, names in part.groups.fallbacks.items():
            yield ImportLine(f"fallbacks of {name}", ", ".join(map(_chosen, names)))
    if part.key:
        yield ImportLine("client key", "clients must show it, as before")


def _chosen(one: str | Other) -> str:
    if isinstance(one, str):
        return one
    return f"{one.model} with its own {', '.join(one.fields) or 'wishes'}"


def _told(provider: Provider) -> str:
    words = [f"{provider.url} ({provider.format})"]
    if provider.models:
        words.append(f"{len(provider.models)} model{'s' * (len(provider.models) != 1)}")
    words += [adjustment.name for adjustment in provider.adjustments]
    for model, own in provider.model_adjustments.items():
        words.append(f"{model}: {' + '.join(adjustment.name for adjustment in own)}")
    return ", ".join(words)
