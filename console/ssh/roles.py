"""What each role may open over SSH: a pure table.

One rule: only `shell` gets the Unix user's rights. The others get our own programs, started from a
list of words and never through a shell; what those may then do, the router decides by the role.
"""

from __future__ import annotations

import shlex

from console.ssh.users import ROLES
from router.contract import Role

#: `pointsman WORD`: the least role that may run it where there is no shell
COMMANDS: dict[str, Role] = {
    "costs": "view",
    "health": "view",
    "logs": "view",
    "models": "view",
    "requests": "view",
    "status": "view",
    "why": "view",
    "cancel": "operate",
    "override": "operate",
    "session": "operate",
    "wake": "operate",
    "reload": "admin",
    "restart": "admin",
    "ssh": "admin",
    "stop": "admin",
}


def at_least(role: Role, needed: Role) -> bool:
    return ROLES.index(role) >= ROLES.index(needed)


def may_tunnel(role: Role) -> bool:
    """Through a tunnel a client spends money."""
    return at_least(role, "operate")


def words_of(command: str, role: Role) -> list[str] | str:
    """The words of a `pointsman` command that `role` may run; else why it may not."""
    try:
        words = shlex.split(command)
    except ValueError as error:
        return f"cannot be read: {error}"
    if words[:1] == ["pointsman"]:
        words = words[1:]
    needed = COMMANDS.get(words[0]) if words else None
    if needed is None:
        known = ", ".join(name for name, least in COMMANDS.items() if at_least(role, least))
        return f"the role {role} has no shell; it has the console, and: {known}"
    if not at_least(role, needed):
        return f"{words[0]} needs the role {needed}; yours is {role}"
    return words
