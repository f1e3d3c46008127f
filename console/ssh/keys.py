"""Which public keys may log in: those of the Unix user who runs us, in ~/.ssh, and of our users.

Its rule: files are read again at each login, and a key with a restriction that we do not keep
(`command=`, `restrict`, `cert-authority`, …) is left out rather than let in without it.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import asyncssh

from console.ssh.users import User, Users

#: options that change nothing here: agent and X11 are off for everyone, and no rc file is run
_HARMLESS = {"from", "no-agent-forwarding", "no-x11-forwarding", "no-user-rc"}
_LARGEST = 1 << 20


def permitted(key: asyncssh.SSHKey, address: str, folder: Path) -> str | None:
    """The name of the file in `folder` that lets `key` in from `address`; None: none does."""
    blob = _blob(key)
    for path in _files(folder):
        if _problem(path) is None and any(
            _lets_in(line, key, address) for line in _with(path, blob)
        ):
            return path.name
    return None


def user_of(key: asyncssh.SSHKey, address: str, users: Users) -> User | None:
    """The first user who may log in with `key` from `address`."""
    blob = _blob(key)
    for user in users.values():
        if any(blob in line and _lets_in(line, key, address) for line in user.keys):
            return user
    return None


def _blob(key: asyncssh.SSHKey) -> str:
    return key.export_public_key("openssh").split()[1].decode("ascii")


def any_listed(folder: Path) -> bool:
    """Whether some key could log in at all."""
    return any(_problem(path) is None for path in _files(folder))


def problems(folder: Path) -> list[str]:
    """Why files are not read: fit for a log line."""
    return [f"{path.name} {why}" for path in _files(folder) if (why := _problem(path))]


def _files(folder: Path) -> Iterator[Path]:
    authorized = folder / "authorized_keys"
    if authorized.is_file():
        yield authorized
    yield from sorted(path for path in folder.glob("*.pub") if path.is_file())


def _problem(path: Path) -> str | None:
    """As OpenSSH's StrictModes: what others can write can let others in."""
    try:
        for each in (path, path.parent):
            facts = each.stat()
            if facts.st_uid not in (os.getuid(), 0):
                return f"is not read: {each.name} belongs to another user"
            if facts.st_mode & 0o022:
                return f"is not read: {each.name} can be written by others (chmod go-w)"
        if path.stat().st_size > _LARGEST:
            return "is not read: it is larger than 1 MiB"
    except OSError as error:
        return f"is not read: {error.strerror}"
    return None


def _with(path: Path, blob: str) -> Iterator[str]:
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return
    yield from (line for line in text.splitlines() if blob in line)


def _lets_in(line: str, key: asyncssh.SSHKey, address: str) -> bool:
    try:
        options = asyncssh.import_authorized_keys(line).validate(key, address, address)
    except (ValueError, asyncssh.KeyImportError):
        return False
    return options is not None and {name.lower() for name in options} <= _HARMLESS
