"""What a front was told at its start: one immutable object that all its parts read.

Its rule: nothing here is decided twice. Ports of 0 are switched off.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from storage.home import Home

#: of the development password. "auto": only where the owner of the client's socket can be told;
#: "on": also where it cannot; "own": only passwords set by `pointsman ssh passwd`; "off": none
PasswordMode = Literal["auto", "on", "own", "off"]

#: -P keeps a folder named `console` in the user's home from being taken for ours
CONSOLE = (sys.executable, "-P", "-m", "console")


@dataclass(frozen=True, slots=True)
class Options:
    """`home_given` is POINTSMAN_HOME for the children, "" where the platform's folders are used."""

    home: Home
    home_given: str
    user_home: Path
    host: str = "127.0.0.1"
    port: int = 2222
    router_port: int = 5000
    litellm_port: int = 4000
    ccr_port: int = 3456
    password: PasswordMode = "auto"  # noqa: S105 - a mode, not a password
    agent: bool = False  # whether a shell may use the client's agent
    console: tuple[str, ...] = CONSOLE

    @property
    def router_ports(self) -> frozenset[int]:
        """The only ports that a tunnel may reach."""
        return frozenset({self.router_port, self.litellm_port, self.ccr_port} - {0})
