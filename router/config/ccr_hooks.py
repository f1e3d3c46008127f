"""What CCR's config.json asks for before its rules: Router files of projects and sessions, a custom
router, a system prompt of one's own, presets.

A hook that cannot work is a finding with its line; requests are then served without it.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

import msgspec

from router.config import ccr_personal, ccr_presets
from router.config.ccr_routes import WHAT
from router.config.document import Document, read_text
from router.config.part import problem
from router.contract import Finding
from router.errors import ConfigError
from router.settings import CustomRouter, Hooks, Provider, Routes

#: what a custom router may take at most, in seconds
LONGEST = 30.0
_LANGUAGES: Mapping[str, Literal["python", "javascript"]] = {
    ".py": "python",
    ".js": "javascript",
    ".cjs": "javascript",
    ".mjs": "javascript",
}


def read(
    ccr: Path,
    document: Document | None,
    env: Mapping[str, str],
    routes: Routes,
    providers: Mapping[str, Provider],
) -> tuple[Hooks | None, list[Finding], tuple[str, ...]]:
    """The hooks, what there is to say of them, and the files and folders to be watched for them.

    `document` is config.json with its variables put in.
    """
    personal, findings = ccr_personal.read(ccr, routes, providers)
    folders = [ccr, *ccr_personal.folders(ccr), ccr / "presets", *(ccr / "presets").glob("*/")]
    follows = [str(folder) for folder in folders if folder.is_dir()]
    custom, prompt = None, None
    if document is not None:
        if path := _path(document, "CUSTOM_ROUTER_PATH", ccr):
            follows.append(str(path))
            custom, said = _custom(document, path, env)
            findings.append(said)
        if path := _path(document, "REWRITE_SYSTEM_PROMPT", ccr):
            follows.append(str(path))
            try:
                prompt = read_text(path)
            except ConfigError as error:
                said = problem(WHAT, document, str(error), "REWRITE_SYSTEM_PROMPT")
                findings.append(said)
    presets, said_of_presets = ccr_presets.read(ccr, env)
    findings += said_of_presets
    agent = document is not None and document.data.get("forceUseImageAgent") is True
    if agent and "image" not in routes.targets and document is not None:
        text = "has no effect: the Router names no image model"
        findings.append(problem(WHAT, document, text, "forceUseImageAgent"))
        agent = False
    hooks = Hooks(personal, custom, prompt, presets or None, agent)
    return (None if hooks == Hooks() else hooks), findings, tuple(follows)


def _path(document: Document, key: str, ccr: Path) -> Path | None:
    """Relative to config.json's own folder."""
    text = document.data.get(key)
    if not text:
        return None
    if not isinstance(text, str):
        raise document.error("should be the path of a file", key)
    return ccr / Path(text).expanduser()


def _custom(
    document: Document, path: Path, env: Mapping[str, str]
) -> tuple[CustomRouter | None, Finding]:
    key = "CUSTOM_ROUTER_PATH"
    language = _LANGUAGES.get(path.suffix)
    if language is None:
        return None, problem(WHAT, document, "should be a .py or a .js file: it is not run", key)
    try:
        text = read_text(path)
        state = path.stat()
    except (ConfigError, OSError) as error:
        return None, problem(WHAT, document, f"is not run: {error}", key)
    # it is run as this user: who may write it may do all that this user may
    if state.st_mode & 0o002 or state.st_uid not in (os.getuid(), 0):
        text = "is not run: any user of this machine may write it: chmod o-w, or make it your own"
        return None, problem(WHAT, document, text, key)
    if language == "python":
        try:
            compile(text, str(path), "exec")
        except (SyntaxError, ValueError) as error:
            where = f"line {error.lineno}: " if isinstance(error, SyntaxError) else ""
            return None, problem(WHAT, document, f"is not run: {where}{error}", key)
    elif shutil.which("node", path=env.get("PATH")) is None:
        text = "is not run: there is no node on the PATH; install it, or write the router in Python"
        return None, problem(WHAT, document, text, key)
    seconds = document.data.get("CUSTOM_ROUTER_TIMEOUT_MS", 2_000)
    if not isinstance(seconds, int | float) or not 0 < seconds <= LONGEST * 1_000:
        raise document.error(
            f"should be milliseconds, at most {LONGEST * 1_000:.0f}", "CUSTOM_ROUTER_TIMEOUT_MS"
        )
    made = CustomRouter(
        path=str(path),
        language=language,
        stamp=f"{state.st_mtime_ns}:{state.st_size}",
        config=msgspec.json.encode(document.data),
        seconds=seconds / 1_000,
    )
    name = {"python": "Python", "javascript": "JavaScript"}[language]
    return made, Finding(WHAT, str(path), "found", f"custom router in {name}")
