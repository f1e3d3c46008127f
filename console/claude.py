"""What Claude Code is told so that it goes through the router: its environment and its arguments.

One rule: nothing here starts anything or talks to anyone; what a person set in their environment or
in their config.json wins over what we would choose.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from console.options import ports
from console.quick_json5 import parsed
from router.contract import Snapshot
from storage.home import Home

#: the name today's Claude Code itself gives its small model. Behind a custom base URL it uses one
#: only where this is set; without it the background route never fires (seen with 2.1.330).
SMALL_MODEL = "claude-haiku-5-5"
#: no key is asked for where none is configured, but Claude Code wants one to send
NO_KEY = "test"
DEFAULT_TIMEOUT_MS = "600000"
USUAL_PORT = 3456

_VARIABLE = re.compile(r"\$(?:\{([A-Z_][A-Z0-9_]*)\}|([A-Z_][A-Z0-9_]*))")
#: a prompt that begins with `/model provider,model`; the rest of it is the prompt proper
_PINNED = re.compile(r"\s*(/model[ \t]+[^\s,]+,\S+)(?:\s+(.*))?\Z", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Settings:
    """What CCR's config.json says to `ccr` itself rather than to the router."""

    key: str = field(default="", repr=False)
    claude: str = "claude"
    timeout_ms: str = DEFAULT_TIMEOUT_MS
    small_model: str = ""
    non_interactive: bool = False
    status_line: bool = False
    #: where the CCR role will be when no router runs that could tell
    port: int = USUAL_PORT
    problem: str = ""
    #: False: straight to a provider, which need not know the name of any small model
    routed: bool = True


def settings(home: Home, env: Mapping[str, str] = os.environ) -> Settings:
    """From config.json, leniently: what cannot be read is `problem`, never an exception."""
    try:
        text = home.ccr_json.read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError):
        text = ""
    problem = ""
    config: dict[str, Any] = {}
    if text.strip():
        try:
            config = parsed(text)
        except ValueError:
            problem = f"{home.ccr_json} cannot be read: `pointsman doctor` names the line"
    return Settings(
        key=_text(config, "APIKEY", env) or _toml_key(home, env),
        claude=env.get("CLAUDE_PATH") or _text(config, "CLAUDE_PATH", env) or "claude",
        timeout_ms=_text(config, "API_TIMEOUT_MS", env) or DEFAULT_TIMEOUT_MS,
        small_model=_text(config, "ANTHROPIC_SMALL_FAST_MODEL", env),
        non_interactive=config.get("NON_INTERACTIVE_MODE") is True,
        status_line=wants_status_line(config),
        port=_port(config, home, env),
        problem=problem,
    )


def base_url(snapshot: Snapshot) -> str:
    """Where the CCR role is: its own port, else below the front door. "" where it is nowhere."""
    # loopback always: the router may listen everywhere, but this client is beside it
    listens = ports(snapshot)
    if "CCR" in listens:
        return f"http://127.0.0.1:{listens['CCR']}"
    return f"http://127.0.0.1:{listens['front door']}/ccr" if "front door" in listens else ""


def environment(
    url: str, chosen: Settings, env: Mapping[str, str] = os.environ
) -> dict[str, str | None]:
    """What to set, and (None) what to unset, for a Claude Code that goes to `url`."""
    small = env.get("ANTHROPIC_DEFAULT_HAIKU_MODEL") or chosen.small_model
    variables: dict[str, str | None] = {
        "ANTHROPIC_BASE_URL": url,
        "ANTHROPIC_AUTH_TOKEN": chosen.key or NO_KEY,
        "NO_PROXY": _without_proxy(env.get("NO_PROXY") or env.get("no_proxy", "")),
        "DISABLE_TELEMETRY": "true",
        "DISABLE_COST_WARNINGS": "true",
        "API_TIMEOUT_MS": env.get("API_TIMEOUT_MS") or chosen.timeout_ms,
        "CLAUDE_CODE_USE_BEDROCK": None,
        "CLAUDE_CODE_USE_VERTEX": None,
    }
    if small or chosen.routed:
        variables["ANTHROPIC_DEFAULT_HAIKU_MODEL"] = small or SMALL_MODEL
    if chosen.small_model:
        variables["ANTHROPIC_SMALL_FAST_MODEL"] = chosen.small_model
    if chosen.non_interactive:
        variables |= {"CI": "true", "FORCE_COLOR": "0", "NODE_NO_READLINE": "1", "TERM": "dumb"}
    return variables


def wants_status_line(config: Mapping[str, Any]) -> bool:
    """Whether a config.json (or a preset) asks for Claude Code's status line to be ours."""
    given = config.get("StatusLine")
    return isinstance(given, dict) and given.get("enabled") is True


def status_line(preset: str = "") -> dict[str, Any]:
    """The setting that has Claude Code ask us for its status line."""
    words = shlex.join(["ccr", "statusline", *([preset] if preset else [])])
    return {"statusLine": {"type": "command", "command": words, "padding": 0}}


def with_settings(words: Sequence[str], settings: Mapping[str, Any]) -> list[str]:
    """`words` with settings for this one run; a person's own `--settings` stands instead."""
    before = words[: words.index("--")] if "--" in words else words
    if not settings or any(word.partition("=")[0] == "--settings" for word in before):
        return list(words)
    return ["--settings", json.dumps(settings), *words]


def with_headers(
    variables: dict[str, str | None], context: str, project: str, env: Mapping[str, str]
) -> None:
    """Adds ours, for what is named, to the headers that Claude Code sends: one `Name: value` per
    line. A person's own stand."""
    before = env.get("ANTHROPIC_CUSTOM_HEADERS", "").strip()
    lines = [before] if before else []
    for name, value in (("x-pointsman-context", context), ("x-pointsman-project", project)):
        if value and f"{name}:" not in before.casefold():
            lines.append(f"{name}: {value}")
    if lines:
        variables["ANTHROPIC_CUSTOM_HEADERS"] = "\n".join(lines)


def project_of(folder: Path, home: Path) -> str:
    """What sessions and costs are called by: the name of the repository's folder, or of `folder`
    itself; "" where that says nothing, and for what no header can hold."""
    above = (one for one in (folder, *folder.parents) if one != home)
    found = next((one for one in above if (one / ".git").exists()), folder)
    plain = found.name.isascii() and found.name.isprintable()
    return found.name if plain and found != home else ""


def take_context(words: Sequence[str]) -> tuple[str, list[str]]:
    """The value of our own `--context NAME`, looked for before `--`, and the words without it."""
    context, kept = "", []
    rest = iter(words)
    for word in rest:
        if word == "--":
            kept += [word, *rest]
        elif word == "--context":
            context = next(rest, "")
        elif word.startswith("--context="):
            context = word.partition("=")[2]
        else:
            kept.append(word)
    return context, kept


def shield(word: str) -> str:
    """A prompt that begins with `/model p,m` would be Claude Code's own slash command, which probes
    the rest of the line as a model name. On a line of its own at the end it is text to Claude Code,
    and still the router's `/model`: that acts at the start of any line of the newest user text."""
    match = _PINNED.match(word)
    if match is None or not (match[2] or "").strip():
        return word
    return f"{match[2].rstrip()}\n{match[1]}"


def pinned_alone(word: str) -> str:
    """ "p,m" where the word is nothing but `/model p,m`, else ""."""
    match = _PINNED.match(word)
    return match[1].split()[1] if match and not (match[2] or "").strip() else ""


def arguments(words: Sequence[str]) -> list[str]:
    """Claude Code's arguments: as given, but for what it would take for its own `/model`."""
    shielded: list[str] = []
    for word in words:
        alone = pinned_alone(word)
        shielded += ["--model", alone] if alone else [shield(word)]
    return shielded


def program(chosen: Settings) -> str | None:
    """The path of the `claude` to run; None where none is installed.

    An older installer puts it where only a shell alias finds it.
    """
    return shutil.which(os.path.expanduser(chosen.claude)) or (
        shutil.which(os.path.expanduser("~/.claude/local/claude"))
        if chosen.claude == "claude"
        else None
    )


def _text(config: Mapping[str, Any], key: str, env: Mapping[str, str]) -> str:
    return filled(config.get(key), env)


def filled(value: Any, env: Mapping[str, str] = os.environ) -> str:
    """A string (or number) with `$VAR` and `${VAR}` filled in; an unknown one stays as it is."""
    if isinstance(value, bool) or not isinstance(value, str | int):
        return ""
    return _VARIABLE.sub(lambda found: env.get(found[1] or found[2], found[0]), str(value))


def preset_market(home: Home) -> str:
    """Where the index of presets is that was configured; "" for the original's own."""
    return os.environ.get("POINTSMAN_PRESET_MARKET") or str(_toml(home, "ccr", "presets") or "")


def _toml_key(home: Home, env: Mapping[str, str]) -> str:
    keys = _toml(home, "ccr", "keys")
    first = keys[0] if isinstance(keys, list) and keys else keys
    return _text({"key": first}, "key", env)


def _port(config: Mapping[str, Any], home: Home, env: Mapping[str, str]) -> int:
    """As a router that is started now would choose it."""
    for found in (
        env.get("POINTSMAN_CCR_PORT", ""),
        str(_toml(home, "listen", "ccr_port") or ""),
        _text(config, "PORT", env),
    ):
        if found.isdecimal() and 0 < int(found) < 65536:
            return int(found)
    return USUAL_PORT


def _toml(home: Home, *path: str) -> Any:
    import tomllib

    try:
        found: Any = tomllib.loads(home.toml.read_text("utf-8"))
        for key in path:
            found = found[key]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return found


def _without_proxy(hosts: str) -> str:
    listed = [host.strip() for host in hosts.split(",") if host.strip()]
    return ",".join([*listed, *(h for h in ("127.0.0.1", "localhost") if h not in listed)])
