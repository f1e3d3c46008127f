"""Who gets in: the keys of this Unix user, and the guide's password for its processes alone."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from pathlib import Path

import asyncssh
import pytest

from console.ssh import limits
from tests.console.ssh.running import Front, Ran, fingerprint, make_key, run

Start = Callable[..., Front]


def login(front: Front, key: Path, *options: str) -> Ran:
    command = front.client("-i", str(key), "-o", "BatchMode=yes", *options)
    return run([*command, "developer@localhost", "echo in"])


def test_a_listed_key_gets_in_silently_under_any_name(front: Front) -> None:
    for name in ("developer", "console", "root", "имя"):
        ran = run([*front.by_key("-o", "LogLevel=INFO", "-q"), f"{name}@localhost", "echo in"])
        assert (ran.stdout, ran.stderr) == (b"in\n", b""), name


def test_keys_are_read_again_at_each_login(start: Start, tmp_path: Path) -> None:
    front = start()
    key = make_key(tmp_path, "later")
    assert login(front, key).returncode == 255
    (front.ssh / "any-name.pub").write_text((tmp_path / "later.pub").read_text())
    assert login(front, key).stdout == b"in\n"
    (front.ssh / "any-name.pub").unlink()
    assert login(front, key).returncode == 255


def test_who_you_are_is_the_key_that_signed(start: Start, tmp_path: Path) -> None:
    """The first key is offered and would be taken, but nobody here can sign with it."""
    front = start()
    offered, held = make_key(tmp_path, "offered"), make_key(tmp_path, "held")
    for key in (offered, held):
        (front.ssh / f"{key.name}.pub").write_text(key.with_suffix(".pub").read_text())
    offered.unlink()
    public = str(offered.with_suffix(".pub"))
    nobody = login(front, Path(public))
    assert nobody.returncode == 255
    ran = run(
        [*front.client("-i", public, "-i", str(held), "-o", "BatchMode=yes"), "localhost", "echo"]
    )
    assert ran.returncode == 0
    by_password = run(
        [*front.by_password("-o", "PubkeyAuthentication=yes", "-i", public), "localhost", "echo"]
    )
    assert by_password.returncode == 0
    assert front.stop() == 0
    assert [line["by"] for line in front.logged("login")] == [fingerprint(held), "password"]


def test_the_password_is_for_this_user_and_says_so(front: Front) -> None:
    ran = run([*front.by_password(), "developer@localhost", "echo in"])
    assert ran.stdout == b"in\n"
    assert b"development password" in ran.stderr
    wrong = run([*front.by_password(password="devpassword "), "developer@localhost", "echo in"])
    assert wrong.stdout == b""


@pytest.mark.skipif(os.getuid() != 0, reason="needs root to become another user")
@pytest.mark.parametrize("mode", ["auto", "on"])
def test_the_password_opens_nothing_to_another_user(start: Start, mode: str) -> None:
    front = start("--password", mode)
    nobody = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
    other = run([*nobody, *front.by_password(), "developer@localhost", "echo in"])
    assert other.stdout == b""
    assert b"Permission denied" in other.stderr
    assert b"only for processes" not in other.stderr or b"user root" in other.stderr
    # … and the other user's guesses bar nobody else
    for _ in range(limits.FREE_FAILURES):
        run([*nobody, *front.by_password(), "developer@localhost", "echo in"])
    assert run([*front.by_password(), "localhost", "echo in"]).stdout == b"in\n"


def test_the_password_can_be_switched_off(start: Start) -> None:
    front = start("--password", "off")
    ran = run([*front.by_password(), "developer@localhost", "echo in"])
    assert (ran.stdout, b"development password" in ran.stderr) == (b"", False)
    assert b"(publickey)" in ran.stderr


def test_a_broken_list_of_users_does_not_bring_it_back(start: Start, tmp_path: Path) -> None:
    """Who set a password of their own has ended it: also while the file cannot be read."""
    front = start("--password", "on")
    listed = tmp_path / "pointsman" / "ssh-users.toml"
    listed.parent.mkdir(exist_ok=True)
    listed.write_text('[developer]\nrole = "shell"\npassword = "$argon2id$')
    listed.chmod(0o600)
    ran = run([*front.by_password(), "developer@localhost", "echo in"])
    assert (ran.stdout, b"development password" in ran.stderr) == (b"", False)
    listed.unlink()
    assert run([*front.by_password(), "developer@localhost", "echo in"]).stdout == b"in\n"


class Guesser(asyncssh.SSHClient):
    """Answers every question for a password, up to 200 times."""

    def __init__(self, guess: str) -> None:
        self.guess = guess
        self.asked = 0

    def password_auth_requested(self) -> str | None:
        self.asked += 1
        return self.guess if self.asked <= 200 else None


async def guess(front: Front, password: str) -> tuple[int, bool]:
    """(how often a password was asked for, whether it opened the door)"""
    client = Guesser(password)
    try:
        async with asyncssh.connect(
            "127.0.0.1",
            front.port,
            username="developer",
            known_hosts=None,
            client_keys=None,
            agent_path=None,
            config=None,
            client_factory=lambda: client,
        ):
            return client.asked, True
    except (asyncssh.Error, OSError):
        return client.asked, False


async def test_guesses_are_few_and_then_not_even_looked_at(start: Start) -> None:
    front = await asyncio.to_thread(start)
    asked = [await guess(front, "wrong") for _ in range(4)]
    assert all(each <= limits.TRIES for each, _ in asked), asked
    assert sum(each for each, _ in asked) <= limits.FREE_FAILURES + limits.TRIES
    assert asked[-1] == (0, False), "a source that guessed this often is asked no more"
    assert await guess(front, "devpassword") == (0, False)
    # a good key still gets in
    assert (await asyncio.to_thread(front.run, "echo in")).stdout == b"in\n"


async def test_many_keys_are_refused_with_words(start: Start, tmp_path: Path) -> None:
    front = await asyncio.to_thread(start)
    keys = [asyncssh.generate_private_key("ssh-ed25519") for _ in range(limits.TRIES + 2)]
    with pytest.raises(asyncssh.DisconnectError, match="IdentitiesOnly"):
        await asyncssh.connect(
            "127.0.0.1",
            front.port,
            known_hosts=None,
            client_keys=keys,
            agent_path=None,
            config=None,
        )


async def test_half_open_connections_are_bounded_and_make_room_again(start: Start) -> None:
    """Those of this test are our own user's: they have all the room that there is."""
    front = await asyncio.to_thread(start)
    opened = [
        await asyncio.open_connection("127.0.0.1", front.port) for _ in range(limits.CONNECTIONS)
    ]
    for reader, _ in opened:
        assert (await reader.readline()).startswith(b"SSH-2.0-Pointsman")
    reader, writer = await asyncio.open_connection("127.0.0.1", front.port)
    opened.append((reader, writer))
    try:
        with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
            await reader.readexactly(1)
    finally:
        for _, each in opened:
            each.close()
    assert (await asyncio.to_thread(front.run, "echo in")).stdout == b"in\n"
