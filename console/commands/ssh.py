"""`pointsman ssh`: who may come in over SSH, and who is here."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, get_args

import click

from console.output import do, fail, json_option, out, print_json, say, secret, who, with_link
from console.suggesting import Suggesting
from console.tables import table
from console.text import age, clean
from router.contract import Dismiss, Done, Result, Role

if TYPE_CHECKING:
    from pathlib import Path

    from console.ssh.users import User

section = "Run"


@click.group(cls=Suggesting)
def command() -> None:
    """Users, passwords and sessions of the SSH front.

    Keys in ~/.ssh are this Unix user's own and have the role shell. Roles, each with what those
    before it may: view looks; operate overrides and cancels; admin changes and restarts; shell is
    the Unix user.
    """


@command.command()
@json_option
def users(as_json: bool) -> None:
    """Who may log in, with which role."""
    import asyncssh

    path, found = _read()
    rows = []
    for user in found.values():
        prints = []
        for line in user.keys:
            try:
                prints.append(asyncssh.import_public_key(_key_of(line)).get_fingerprint())
            except asyncssh.KeyImportError:
                prints.append("(not a key)")
        rows.append((user, prints))
    if as_json:
        print_json(
            [
                {"name": u.name, "role": u.role, "keys": prints, "password": bool(u.password)}
                for u, prints in rows
            ]
        )
        return
    cells = [(u.name, u.role, ", ".join(prints), "set" if u.password else "") for u, prints in rows]
    for line in table(("NAME", "ROLE", "KEYS", "PASSWORD"), cells):
        out(line)
    if not rows:
        say(f"nobody but the keys in ~/.ssh; `pointsman ssh add` writes {path}")


@command.command()
@click.argument("name")
@click.option("--role", type=click.Choice(get_args(Role)), help="What they may do  [view]")
@click.option("--key", "keys", multiple=True, metavar="FILE|-|KEY", help="A public key")
def add(name: str, role: Role | None, keys: tuple[str, ...]) -> None:
    """Let NAME in, or change what NAME may.

    \b
    Example:
      pointsman ssh add ana --role operate --key ana.pub
    """
    from console.ssh.users import User

    path, found = _read()
    before = found.get(name, User(name, role or "view"))
    user = User(
        name,
        role or before.role,
        tuple(dict.fromkeys((*before.keys, *(_key(each) for each in keys)))),
        before.password,
    )
    _may_change(before, user)
    _write(path, {**found, name: user})
    count = len(user.keys)
    out(f"{name} may log in as {user.role} with {count} key{'s' * (count != 1)}")
    if not user.keys and not user.password:
        say(f"they have neither key nor password yet: --key, or `pointsman ssh passwd {name}`")


@command.command()
@click.argument("name")
def remove(name: str) -> None:
    """Let NAME in no more, and end their sessions."""
    path, found = _read()
    if name not in found:
        fail(f"there is no user {name!r}: `pointsman ssh users`")
    _may_change(found[name])
    _write(path, {each: user for each, user in found.items() if each != name})
    out(f"{name} may not log in any more")
    _dismiss(f"ssh:{name}")


@command.command()
@click.argument("name", default="developer")
@click.option("--stdin", "from_stdin", is_flag=True, help="Read one line, also at a terminal")
@click.option("--remove", "removed", is_flag=True, help="Take the password away")
def passwd(name: str, from_stdin: bool, removed: bool) -> None:
    """Set a password for NAME (else: developer, the role shell).

    It is kept as an argon2id hash. While any is set, the guide's development password is off.
    """
    from dataclasses import replace

    from console.ssh import passwords
    from console.ssh.users import OWNER, User

    path, found = _read()
    user = found.get(name) or (User(OWNER, "shell") if name == OWNER else None)
    if user is None:
        fail(f"there is no user {name!r}: `pointsman ssh add {name} --role …` first")
    _may_change(user)
    hashed = ""
    if removed and not user.password:
        fail(f"{name} has no password")
    if not removed:
        password = (
            sys.stdin.readline().rstrip("\r\n")
            if from_stdin
            else secret("New password", twice=True)
        )
        if len(password) < passwords.SHORTEST:
            fail(f"a password has at least {passwords.SHORTEST} characters")
        hashed = passwords.hashed(password)
    users = {**found, name: replace(user, password=hashed)}
    _write(path, users)
    out(f"the password of {name} is {'gone' if removed else 'set'}")
    if not any(one.password for one in users.values()):
        say("the guide's development password counts again, unless `[ssh] password` says otherwise")


@command.command()
@json_option
def sessions(as_json: bool) -> None:
    """Who is here, from where, doing what."""
    found = with_link(lambda link: link.snapshot()).visitors
    if as_json:
        print_json(found)
        return
    now = time.time()
    rows = [(v.id, v.by, v.role, v.origin, v.doing, age(now - v.since)) for v in found]
    for line in table(("ID", "WHO", "ROLE", "FROM", "DOING", "FOR"), rows):
        out(line)
    if not rows:
        say("nobody is here")


@command.command()
@click.argument("whom", metavar="ID|NAME")
@json_option
def kick(whom: str, as_json: bool) -> None:
    """End a session by its id, or all of one user."""
    do(Dismiss(whom, by=who()), as_json)


def _dismiss(whom: str) -> None:
    """Ends their visits, if a router runs and they are here."""
    from console.link import Link, RouterDownError

    async def act(link: Link) -> Result:
        try:
            return await link.act(Dismiss(whom, by=who()))
        except RouterDownError:
            return Done()

    match with_link(act):
        case Done(message=message) if message:
            out(clean(message))


def _read() -> tuple[Path, dict[str, User]]:
    from console.ssh.users import UsersError, read
    from storage.home import home

    path = home().ssh_users
    try:
        return path, read(path)
    except UsersError as error:
        fail(str(error))


def _write(path: Path, users: dict[str, User]) -> None:
    from console.ssh.users import UsersError, write

    try:
        write(path, users)
    except UsersError as error:
        fail(str(error))


def _may_change(*users: User) -> None:
    """Who came in over SSH may not lift anyone above themselves."""
    import os

    from console.ssh.users import ROLES

    own = os.environ.get("POINTSMAN_ROLE", "shell")
    for user in users:
        if own not in ROLES or ROLES.index(user.role) > ROLES.index(own):
            fail(f"a user with the role {user.role} is not for the role {own} to change")


def _key(given: str) -> str:
    """The line of a public key: of a file, of stdin, or the line itself. Ends the command where it
    is none."""
    import asyncssh

    line = given
    if given == "-":
        line = sys.stdin.readline()
    elif " " not in given:
        try:
            with open(given, encoding="utf-8") as file:
                line = file.readline()
        except (OSError, UnicodeDecodeError) as error:
            fail(f"{given} cannot be read as a public key: {error}")
    line = line.strip()
    try:
        asyncssh.import_public_key(_key_of(line))
    except (asyncssh.KeyImportError, ValueError):
        fail("that is no public key: a line that begins with ssh-ed25519, ecdsa-… or ssh-rsa")
    return line


def _key_of(line: str) -> str:
    """Without the options before it."""
    import re

    found = re.search(r"(?:^|\s)((?:sk-)?(?:ssh|ecdsa)-[a-z0-9@.-]+ [A-Za-z0-9+/=]+.*)", line)
    return found[1] if found else line
