"""The Router files of single projects and sessions, beside CCR's config.json.

    PROJECT/config.json     for the sessions of a project, PROJECT being its folder's name
    PROJECT/SESSION.json    for one session                 under ~/.claude/projects

Each holds a `Router`, which replaces the whole of config.json's, but for `background` and `image`:
those CCR reads from config.json alone. Here they count where the file has none of its own. A file
that cannot be read is a finding and counts as absent: one project must not stop all others.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from router.config.ccr_routes import WHAT, RouterKeys, named, routes
from router.config.read_json5 import read_json5
from router.config.targets import doubts
from router.contract import Finding
from router.errors import ConfigError
from router.settings import Personal, Provider, Routes, Scenario

#: folders beside config.json that are no projects
NOT_PROJECTS = frozenset({"logs", "plugins", "presets", "node_modules"})
#: files that are read at most: more are a mistake, and a start that waits for them would be one too
MOST = 500
#: what CCR takes from config.json even for such a project or session
_FROM_ABOVE: tuple[Scenario, ...] = ("background", "image")


class _File(BaseModel):
    model_config = ConfigDict(extra="allow")

    Router: RouterKeys | None = None


def folders(ccr: Path) -> list[Path]:
    """The projects' folders, whether they hold a Router file or not."""
    try:
        found = sorted(entry for entry in ccr.iterdir() if entry.is_dir())
    except OSError:
        return []
    return [f for f in found if f.name not in NOT_PROJECTS and not f.name.startswith(".")]


def read(
    ccr: Path, above: Routes, providers: Mapping[str, Provider]
) -> tuple[Personal | None, list[Finding]]:
    """All such files as Routes, and what is wrong with them. None where there are none."""
    projects: dict[str, Routes] = {}
    sessions: dict[str, Routes] = {}
    findings: list[Finding] = []
    for number, path in enumerate(_files(ccr)):
        if number >= MOST:
            text = f"holds more than {MOST} Router files: the rest are not read"
            findings.append(Finding(WHAT, str(ccr), "problem", text))
            break
        try:
            made, wrong = _one(path, above, providers)
        except ConfigError as error:
            findings.append(Finding(WHAT, str(path), "problem", f"not used: {error}"))
            continue
        findings += wrong
        if made is None:
            continue
        if path.name == "config.json":
            projects[path.parent.name] = made
        else:
            sessions[path.stem] = made
    if not projects and not sessions:
        return None, findings
    return Personal(projects, sessions), findings


def _files(ccr: Path) -> Iterator[Path]:
    for folder in folders(ccr):
        yield from sorted(path for path in folder.glob("*.json") if path.is_file())


def _one(
    path: Path, above: Routes, providers: Mapping[str, Provider]
) -> tuple[Routes | None, list[Finding]]:
    document = read_json5(path)
    file = document.fit(_File)
    unused = ", ".join(file.model_extra or {})
    odd = [Finding(WHAT, str(path), "found", f"not used: {unused}")] if unused else []
    if file.Router is None:
        return None, odd
    made, wrong = routes(document, file.Router, {}, strict=above.strict)
    wrong += doubts(WHAT, document, named(made), providers)
    if extra := file.Router.model_extra:
        odd.append(Finding(WHAT, str(path), "found", f"not used: Router.{', Router.'.join(extra)}"))
    shared = {s: above.targets[s] for s in _FROM_ABOVE if s in above.targets}
    targets = {**made.targets, **shared} if above.strict else {**shared, **made.targets}
    if above.strict:
        targets = {s: t for s, t in targets.items() if s not in _FROM_ABOVE or s in shared}
    whose = "session" if path.name != "config.json" else "project"
    found = Finding(WHAT, str(path), "found", f"Router of the {whose} {path.parent.name}")
    made = replace(
        made,
        targets=targets,
        fallback=above.fallback,
        named=above.named,
        thrown=above.targets.get("default"),
        personal=True,
    )
    return made, [found, *odd, *wrong]
