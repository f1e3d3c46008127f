"""Who may log in besides the Unix user's own keys: names with a role, keys and a password.

One rule: `ssh-users.toml` is the whole truth, written whole by `pointsman ssh` or by hand, and read
again when it changed. A file that is broken, or that others could have written, lets nobody in.
"""

from __future__ import annotations

import json
import os
import re
import tempfile
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

from router.contract import Role
from storage.home import owned_as

ROLES: tuple[Role, ...] = get_args(Role)
#: the usage guide's login name: the Unix user who runs us
OWNER = "developer"
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,31}")
_HEAD = """\
# Who may log in over SSH, besides the keys in ~/.ssh (those are the Unix user's own: role shell).
# Written by `pointsman ssh`; may be edited. Roles: view, operate, admin, shell. A key is a line as
# in authorized_keys; a password is an argon2id hash, set by `pointsman ssh passwd NAME`.
"""


class UsersError(Exception):
    """The file, or what was asked of it, is wrong. The message says where and what to do."""


@dataclass(frozen=True, slots=True)
class User:
    name: str
    role: Role
    keys: tuple[str, ...] = ()
    password: str = ""  # an argon2id hash; "" for none

    def __repr__(self) -> str:
        return f"User({self.name!r}, {self.role!r}, {len(self.keys)} keys)"


Users = Mapping[str, User]


def read(path: Path) -> dict[str, User]:
    """By name; {} where there is no file. Raises UsersError."""
    try:
        facts = path.stat()
    except FileNotFoundError:
        return {}
    # root works for a service's user: see storage.home.owned_as
    ours = (os.getuid() or path.parent.stat().st_uid, 0)
    if facts.st_uid not in ours or facts.st_mode & 0o022:
        raise UsersError(f"{path} can be written by others: chmod 600 {path}")
    try:
        tables = tomllib.loads(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise UsersError(f"{path}: {error}") from error
    return {name: _user(path, name, table) for name, table in tables.items()}


def _user(path: Path, name: str, table: Any) -> User:
    def wrong(what: str) -> UsersError:
        return UsersError(f"{path}: [{name}] {what}")

    if not _NAME.fullmatch(name):
        raise wrong("is no login name: small letters, digits, - and _")
    if not isinstance(table, dict):
        raise wrong("should be a table with role, keys and password")
    if unknown := sorted(table.keys() - {"role", "keys", "password"}):
        raise wrong(f"{unknown[0]}: there is no such key (role, keys, password)")
    role, keys, password = (table.get(each, "") for each in ("role", "keys", "password"))
    if role not in ROLES:
        raise wrong(f"role = {role!r}: one of {', '.join(ROLES)}")
    keys = keys or []
    if not isinstance(keys, list) or not all(isinstance(key, str) for key in keys):
        raise wrong("keys: a list of lines as in authorized_keys")
    if password and not (isinstance(password, str) and password.startswith("$argon2id$")):
        raise wrong("password: only an argon2id hash; `pointsman ssh passwd` makes one")
    return User(name, role, tuple(keys), password)


def write(path: Path, users: Users) -> None:
    """Replaces the file whole, 0600. Raises UsersError for a name that is none."""
    lines = [_HEAD]
    for user in sorted(users.values(), key=lambda each: each.name):
        _user(path, user.name, {"role": user.role})
        lines.append(f"\n[{user.name}]\nrole = {json.dumps(user.role)}\n")
        if user.keys:
            rows = "".join(f"    {json.dumps(key)},\n" for key in user.keys)
            lines.append(f"keys = [\n{rows}]\n")
        if user.password:
            lines.append(f"password = {json.dumps(user.password)}\n")
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    handle, fresh = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")  # 0600
    try:
        with open(handle, "w", encoding="utf-8") as file:
            file.write("".join(lines))
            owned_as(path.parent, file)
        os.replace(fresh, path)
    except BaseException:
        os.unlink(fresh)
        raise


class Watched:
    """The file as it is now; parsed again only when it changed."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._seen: tuple[int, int, int] | None = None
        self._users: dict[str, User] = {}
        self.problem = ""

    def now(self) -> Users:
        """{} where the file is broken; `problem` then says why."""
        try:
            facts = self._path.stat()
            seen = (facts.st_mtime_ns, facts.st_ino, facts.st_mode)
        except OSError:
            seen = None
        if seen != self._seen:
            self._seen = seen
            try:
                self._users, self.problem = read(self._path), ""
            except UsersError as error:
                self._users, self.problem = {}, str(error)
        return self._users
