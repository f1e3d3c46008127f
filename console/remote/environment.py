"""The environment of what a session runs, built from nothing.

Its rule: an allow list on both sides. asyncssh takes every variable that a client sends, LD_PRELOAD
too, and the router's own environment holds provider keys: neither reaches a child unnamed here.
"""

from __future__ import annotations

import os
import pwd
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from console import claude
from console.remote.options import Options
from router.contract import ClientKeys

_FROM_CLIENT = re.compile(r"LANG|LC_[A-Z]+|COLORTERM|NO_COLOR|TZ|TERM_PROGRAM")
#: decides where files are (storage.home, tempfile), which editor `pointsman` opens, or the language
_FROM_SERVER = (
    "LANG",
    "TMPDIR",
    "XDG_CONFIG_HOME",
    "XDG_DATA_HOME",
    "XDG_STATE_HOME",
    "XDG_RUNTIME_DIR",
    "EDITOR",
    "VISUAL",
)
_VALUE = re.compile(r"[ -~]{0,200}")
_TERM = re.compile(r"[A-Za-z0-9.+_-]{1,64}")
#: SDKs refuse to start without some key; the router asks for none unless it was told to
_NO_KEY = "pointsman"

#: host and port
Address = tuple[str, int]


@dataclass(frozen=True, slots=True)
class Account:
    """The Unix user who runs us, and so every session."""

    name: str
    shell: str
    home: Path

    @classmethod
    def own(cls, home: Path) -> Account:
        try:
            entry = pwd.getpwuid(os.getuid())
        except KeyError:  # a container may run us under a number without a name
            return cls(str(os.getuid()), "/bin/sh", home)
        return cls(entry.pw_name, entry.pw_shell or "/bin/sh", home)


def build(
    options: Options,
    account: Account,
    user: str,
    ends: tuple[Address, Address],
    sent: Mapping[str, str],
    term: str | None,
    keys: ClientKeys | None = None,
) -> dict[str, str]:
    """All that a child sees. `ends`: the client's address and ours; `sent`: the client's wishes;
    `keys`: what clients of the router show, where it told."""
    (client, client_port), (own, own_port) = ends
    env = {"LANG": "C.UTF-8"}
    env |= {name: os.environ[name] for name in _FROM_SERVER if name in os.environ}
    env |= {
        name: value
        for name, value in sent.items()
        if _FROM_CLIENT.fullmatch(name) and _VALUE.fullmatch(value)
    }
    env |= {
        "PATH": f"{programs()}{os.pathsep}{os.environ.get('PATH') or os.defpath}",
        "HOME": str(account.home),
        "USER": account.name,
        "LOGNAME": account.name,
        "SHELL": account.shell,
        "SSH_CONNECTION": f"{client} {client_port} {own} {own_port}",
        "SSH_CLIENT": f"{client} {client_port} {own_port}",
        "POINTSMAN_SSH_USER": "".join(c for c in user if c.isprintable())[:64],
    }
    if term is not None:
        env["TERM"] = term if _TERM.fullmatch(term) else "xterm-256color"
    if options.home_given:
        env["POINTSMAN_HOME"] = options.home_given
    return env | _addresses(options, keys or ClientKeys())


def programs() -> str:
    """The folder with this install's `pointsman` and `ccr`."""
    return str(Path(sys.executable).parent)


def _addresses(options: Options, keys: ClientKeys) -> dict[str, str]:
    """Lets any tool started in the session go through the router; ports of 0 are off."""
    found = {}
    if options.router_port:
        front = f"http://localhost:{options.router_port}"
        found = {
            "ANTHROPIC_BASE_URL": f"{front}/claude-code",
            "OPENAI_BASE_URL": f"{front}/litellm/v1",
        }
    else:
        if options.ccr_port:
            found["ANTHROPIC_BASE_URL"] = f"http://localhost:{options.ccr_port}"
        if options.litellm_port:
            found["OPENAI_BASE_URL"] = f"http://localhost:{options.litellm_port}/v1"
    if "ANTHROPIC_BASE_URL" in found:
        key = keys.ccr or claude.settings(options.home).key  # the file's, where no router runs yet
        found["ANTHROPIC_AUTH_TOKEN"] = key or _NO_KEY
    if "OPENAI_BASE_URL" in found:
        found["OPENAI_API_KEY"] = keys.litellm or _NO_KEY
    return found
