"""CCR's presets: presets/NAME/manifest.json beside config.json, each a configuration of its own.

A manifest is config.json's keys with words about itself, and perhaps a form: `schema` names the
questions, `userValues` has the answers, which are put into `template` (or into the keys), into the
places of `configMappings`, and wherever an answer's own name is a path (`Providers[0].api_key`).
One that cannot be used is a finding, and its path at the doors a 404.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from router.config import ccr_json, ccr_routes, targets
from router.config.ccr_routes import WHAT
from router.config.read_json5 import read_json5
from router.contract import Finding
from router.errors import ConfigError
from router.settings import Preset

JSON = dict[str, Any]
#: words of a manifest about itself
ABOUT = frozenset(
    {
        *("name", "version", "description", "author", "homepage", "repository", "license"),
        *("keywords", "ccrVersion", "source", "sourceType", "checksum"),
    }
)
_FORM = frozenset({"schema", "template", "configMappings", "userValues"})
#: keys for whoever starts Claude Code with the preset
_FOR_COMMANDS = ("claudeCodeSettings", "noServer", "StatusLine")
_ANSWER = re.compile(r"#\{([^{}]+)\}")
_STEP = re.compile(r"([^.\[\]]+)|\[(\d+)\]")


def read(ccr: Path, env: Mapping[str, str]) -> tuple[dict[str, Preset], list[Finding]]:
    """All presets by name, and what there is to say of them."""
    made: dict[str, Preset] = {}
    findings: list[Finding] = []
    for path in sorted((ccr / "presets").glob("*/manifest.json")):
        name = path.parent.name
        try:
            document = read_json5(path)
            config = configured(document.data)
            for key in _FOR_COMMANDS:
                config.pop(key, None)
            part = ccr_json.of(replace(document, data=config), env)
        except ConfigError as error:
            findings.append(Finding(WHAT, str(path), "problem", f"preset not used: {error}"))
            continue
        findings += part.findings
        if part.routes is None:
            text = f"preset {name}: nothing to be routed by: it has no Router"
            findings.append(Finding(WHAT, str(path), "problem", text))
            continue
        if part.resolved is not None:
            named = ccr_routes.named(part.routes)
            findings += targets.doubts(WHAT, part.resolved, named, part.providers)
        providers = {n: replace(p, name=f"{n}@{name}") for n, p in part.providers.items()}
        made[name] = Preset(providers, part.routes)
    return made, findings


def configured(manifest: Mapping[str, Any]) -> JSON:
    """The configuration that a manifest stands for, its answers put in. Pure."""
    config = {k: v for k, v in manifest.items() if k not in ABOUT and k not in _FORM}
    answers = manifest.get("userValues")
    if not isinstance(answers, dict) or not answers:
        return copy.deepcopy(config)
    template = manifest.get("template")
    made: JSON = _filled(template if isinstance(template, dict) else config, answers)
    if not isinstance(template, dict):
        for question in _entries(manifest.get("schema")):
            made.pop(str(question.get("id")), None)
    for mapping in _entries(manifest.get("configMappings")):
        value, target = mapping.get("value"), mapping.get("target")
        if isinstance(target, str):
            _put(made, target, _filled(value, answers))
    for name, value in answers.items():
        if "." in name or "[" in name:
            _put(made, name, value)
    return made


def _entries(value: Any) -> list[JSON]:
    return [e for e in value if isinstance(e, dict)] if isinstance(value, list) else []


def _filled(value: Any, answers: Mapping[str, Any]) -> Any:
    """A text that is nothing but `#{name}` becomes the answer itself, of whatever type."""
    if isinstance(value, str):
        whole = _ANSWER.fullmatch(value)
        if whole and whole[1] in answers:
            return copy.deepcopy(answers[whole[1]])
        return _ANSWER.sub(lambda found: str(answers.get(found[1], found[0])), value)
    if isinstance(value, dict):
        return {key: _filled(inner, answers) for key, inner in value.items()}
    if isinstance(value, list):
        return [_filled(inner, answers) for inner in value]
    return value


def _put(config: JSON, path: str, value: Any) -> None:
    """Sets `Providers[0].api_key`; a path that leads nowhere is left alone."""
    steps: list[str | int] = [name or int(index) for name, index in _STEP.findall(path)]
    here: Any = config
    for step in steps[:-1]:
        if isinstance(here, dict) and isinstance(step, str):
            here = here.setdefault(step, {})
        elif isinstance(here, list) and isinstance(step, int) and step < len(here):
            here = here[step]
        else:
            return
    last = steps[-1] if steps else ""
    if isinstance(last, str):
        if isinstance(here, dict):
            here[last] = value
    elif isinstance(here, list) and last < len(here):
        here[last] = value
