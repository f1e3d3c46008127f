"""Claude Code Router's presets: a folder with a `manifest.json`, kept below `presets/` of its home.

One rule: a manifest is data that strangers wrote. A name never leaves the folder, a file it names
is not run, and what is exported holds no secret unless that was asked for.
"""

from __future__ import annotations

import json
import re
import shutil
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from console.quick_json5 import parsed
from storage.home import Home

Manifest = dict[str, Any]

MANIFEST = "manifest.json"
#: what describes a preset; all else of a manifest is configuration
ABOUT = (
    *("name", "version", "description", "author", "homepage", "repository", "license"),
    *("keywords", "ccrVersion", "source", "sourceType", "checksum"),
)
#: how the answers to its questions become configuration
_ANSWERS = ("schema", "template", "configMappings", "userValues")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_SECRET = re.compile(
    r"api_?key|api_?secret|secret|token|passw(or)?d|private_?key|access_?key", re.I
)
_VARIABLE = re.compile(r"\$\{?[A-Z_][A-Z0-9_]*\}?")
_SLOT = re.compile(r"#\{(\w+)\}")


class PresetError(Exception):
    """A preset is not there, or not one. The message says which and what to do."""


def folder(home: Home, name: str) -> Path:
    """Where `name` is kept. Raises PresetError for what is no name."""
    if not _NAME.fullmatch(name):
        raise PresetError(f"{name!r} is no preset's name: letters, digits, . _ and -")
    return home.ccr / "presets" / name


def installed(home: Home) -> list[str]:
    base = home.ccr / "presets"
    return sorted(path.name for path in base.glob("*") if (path / MANIFEST).is_file())


def load(path: Path) -> Manifest:
    """The manifest in a folder. Raises PresetError."""
    try:
        return parsed((path / MANIFEST).read_text("utf-8-sig"))
    except OSError as error:
        raise PresetError(f"{path} has no {MANIFEST}: {error.strerror}") from error
    except ValueError as error:
        raise PresetError(f"{path / MANIFEST}: {error}") from error


def save(home: Home, name: str, manifest: Manifest) -> Path:
    place = folder(home, name)
    place.mkdir(parents=True, exist_ok=True, mode=0o700)
    text = json.dumps(manifest, indent=2, ensure_ascii=False) + "\n"
    path = place / MANIFEST
    path.touch(0o600)
    path.chmod(0o600)  # one that was copied from elsewhere has the mode it had there
    path.write_text(text, "utf-8")
    return place


def install(
    home: Home, source: str, name: str, ask: Callable[[Mapping[str, Any]], Any], market: str = ""
) -> tuple[str, Path, Manifest]:
    """From wherever it is (console/presets/sources.py), or (a name) one that is installed, to be
    configured anew. `ask` answers the questions of its schema; `market`: the index of the
    marketplace, "" for the original's. Raises PresetError."""
    if source in installed(home):
        manifest = load(folder(home, source))
        _answer(manifest, ask)
        return source, save(home, source, manifest | {"name": source}), manifest
    # imported here: httpx, which few commands on presets need
    from console.presets.sources import MARKET, found

    with found(source, market or MARKET) as origin:
        name = name or origin.name
        place = folder(home, name)
        if name in installed(home):
            raise PresetError(
                f"{name} is installed already: `ccr preset install {name}` configures it anew, "
                f"`ccr preset delete {name}` removes it"
            )
        manifest = load(origin.folder)
        _answer(manifest, ask)
        place.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        shutil.copytree(origin.folder, place)
    return name, save(home, name, manifest | {"name": name, **origin.about}), manifest


def _answer(manifest: Manifest, ask: Callable[[Mapping[str, Any]], Any]) -> None:
    """Puts the answers to a manifest's questions into it."""
    answers: dict[str, Any] = {}
    for question in manifest.get("schema") or ():
        if isinstance(question, dict) and _asked(question, answers):
            answers[str(question.get("id"))] = ask(question)
    if answers:
        manifest["userValues"] = answers


def powers(config: Mapping[str, Any]) -> list[str]:
    """What a preset reaches for, in words for who installs a stranger's: where requests would go,
    and what it has Claude Code do."""
    providers = [one for one in config.get("Providers") or () if isinstance(one, dict)]
    hosts = [urlsplit(str(one.get("api_base_url") or "")).hostname for one in providers]
    words = []
    if named := ", ".join(dict.fromkeys(host for host in hosts if host)):
        words.append(f"Requests go to: {named}")
    settings = config.get("claudeCodeSettings")
    if isinstance(settings, dict) and settings:
        words.append(f"It sets for Claude Code: {', '.join(map(str, settings))}")
    if "scriptPath" in json.dumps(config.get("StatusLine") or {}):
        words.append("Its status line runs scripts of its own")
    return words


def _asked(question: Mapping[str, Any], answers: Mapping[str, Any]) -> bool:
    """Whether its `when` holds for the answers so far."""
    when = question.get("when") or []
    conditions: list[Mapping[str, Any]] = when if isinstance(when, list) else [when]
    for one in conditions:
        value, wanted = answers.get(str(one.get("field"))), one.get("value")
        match one.get("operator", "eq"):
            case "eq" if value != wanted:
                return False
            case "ne" if value == wanted:
                return False
            case "in" if value not in (wanted or ()):
                return False
            case "exists" if value is None:
                return False
    return True


def configuration(manifest: Manifest) -> dict[str, Any]:
    """What a manifest sets, with the answers to its questions put in."""
    answers = manifest.get("userValues") or {}
    config = {k: v for k, v in manifest.items() if k not in ABOUT and k not in _ANSWERS}
    if isinstance(manifest.get("template"), dict):
        config = manifest["template"]
    filled = _filled(config, answers)
    for rule in manifest.get("configMappings") or ():
        if isinstance(rule, dict) and _asked({"when": rule.get("when")}, answers):
            _put(filled, str(rule.get("target")), _filled(rule.get("value"), answers))
    return filled if isinstance(filled, dict) else {}


def _filled(value: Any, answers: Mapping[str, Any]) -> Any:
    if isinstance(value, dict):
        return {key: _filled(inner, answers) for key, inner in value.items()}
    if isinstance(value, list):
        return [_filled(inner, answers) for inner in value]
    if not isinstance(value, str):
        return value
    whole = _SLOT.fullmatch(value)
    if whole and whole[1] in answers:
        return answers[whole[1]]
    return _SLOT.sub(lambda found: str(answers.get(found[1], found[0])), value)


def merged(config: dict[str, Any], preset: Mapping[str, Any]) -> dict[str, Any]:
    """`config` with what a preset sets: its providers replace those of the same name, its routes
    those of the same scenario."""
    whole = {**config, **{k: v for k, v in preset.items() if k not in ("Providers", "Router")}}
    ours = {each.get("name"): each for each in config.get("Providers") or () if each}
    theirs = {each.get("name"): each for each in preset.get("Providers") or () if each}
    if both := {**ours, **theirs}:
        whole["Providers"] = list(both.values())
    if routes := {**(config.get("Router") or {}), **(preset.get("Router") or {})}:
        whole["Router"] = routes
    return whole


def apply(home: Home, name: str, *, force: bool) -> Path:
    """Writes an installed preset into config.json. Returns where the file as it was is kept. Raises
    PresetError, also (unless `force`) where comments would be lost."""
    path = home.ccr_json
    try:
        before = path.read_text("utf-8-sig")
    except FileNotFoundError:
        before = "{}"
    try:
        config = parsed(before)
    except ValueError as error:
        raise PresetError(f"{path} cannot be read: {error}; `pointsman doctor`") from error
    try:
        json.loads(before)
    except ValueError:
        if not force:
            raise PresetError(f"{path} has comments, which would be lost: --force") from None
    made = merged(config, configuration(load(folder(home, name))))
    stamp = time.strftime("%Y-%m-%dT%H-%M-%S", time.gmtime())
    backup = path.with_name(f"{path.name}.{stamp}.bak")
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    for place, text in (
        (backup, before),
        (path, json.dumps(made, indent=2, ensure_ascii=False) + "\n"),
    ):
        place.touch(0o600)
        place.write_text(text, "utf-8")
    return backup


def _put(config: Any, path: str, value: Any) -> None:
    """Sets "Providers[0].api_key" and the like; a way that does not exist is left alone."""
    steps = [int(s) if s.isdigit() else s for s in re.findall(r"[^.\[\]]+", path)]
    try:
        for step in steps[:-1]:
            config = config[step]
        config[steps[-1]] = value
    except (LookupError, TypeError):
        return


def without_secrets(value: Any, owner: str = "config") -> tuple[Any, int]:
    """Each secret as `${OWNER_KEY}`, and how many there were; variables stay as they are."""
    count = 0
    if isinstance(value, dict):
        owner = value["name"] if isinstance(value.get("name"), str) else owner
        clean = {}
        for key, inner in value.items():
            if isinstance(inner, str) and _SECRET.search(key):
                if inner and not _VARIABLE.fullmatch(inner.strip()):
                    inner = f"${{{re.sub(r'[^A-Z0-9]', '_', f'{owner}_{key}'.upper())}}}"
                    count += 1
                clean[key] = inner
            else:
                clean[key], more = without_secrets(inner, owner)
                count += more
        return clean, count
    if isinstance(value, list):
        found = [without_secrets(inner, owner) for inner in value]
        return [inner for inner, _ in found], sum(more for _, more in found)
    return value, 0
