"""Roles: what each may, on a real router; who holds them to it is the router, not the screen."""

from __future__ import annotations

import shutil
import time

import pytest

from console.link import VISITOR, Link
from console.ssh import users
from router.contract import Arrival, ClearOverride, Dismiss, Done, Explain, Refused, Reload, Result
from tests.console.ssh.house import House
from tests.console.ssh.running import PATIENCE, Ran, Terminal, run

pytestmark = pytest.mark.skipif(not shutil.which("ssh"), reason="needs the OpenSSH client")


@pytest.mark.parametrize(
    ("command", "least", "words"),
    [
        ("status", "view", b"Listens"),
        ("pointsman requests --json", "view", b"["),
        ("pointsman session list --json", "operate", b"["),
        ("pointsman reload --json", "admin", b"{"),
        ("override set deepseek,deepseek-chat --for 1m", "operate", b"deepseek"),
        ("ssh sessions", "admin", b"DOING"),
        ("echo $((40+2))", "shell", b"42"),
        ("status; echo in", "shell", b"in\n"),
    ],
)
def test_what_each_role_may_run(house: House, command: str, least: str, words: bytes) -> None:
    for role in users.ROLES[max(0, users.ROLES.index(least) - 1) :]:
        ran = house.run(role, command)
        if users.ROLES.index(role) >= users.ROLES.index(least):
            assert ran.returncode == 0, (role, ran)
            assert words in ran.stdout
        else:
            assert ran.returncode != 0, (role, ran)
            assert words not in ran.stdout


def test_nobody_lifts_another_above_themselves(house: House) -> None:
    for words in ("add eve --role shell", "passwd", "remove shell", "add shell --role view"):
        ran = house.run("admin", f"ssh {words}")
        assert ran.returncode == 1, words
        assert b"not for the role admin" in ran.stderr
    assert house.run("shell", "echo in").stdout == b"in\n"


def test_files_and_tunnels(house: House) -> None:
    sftp = run(["sftp", *house.ssh("admin")[1:-1], "-b", "/dev/null", "any@127.0.0.1"])
    assert sftp.returncode != 0
    wanted = {"view": False, "operate": True}
    for role, opens in wanted.items():
        target = house.router.front.removeprefix("http://")
        ask = b"GET /livez HTTP/1.0\r\nHost: localhost\r\n\r\n"
        through = run([*house.ssh(role, "-W", target)], stdin=ask)
        assert (b"HTTP/1.1" in through.stdout) is opens, role


async def test_the_router_holds_a_visitor_to_their_role(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever a console sends: it shows the visitor's token, and the router decides."""

    async def act(role: str, *actions: object) -> list[Result]:
        front = Link(house.home, token="")
        arrival = Arrival(f"ssh:{role}", role, "192.0.2.7", "console", time.time(), f"token {role}")  # type: ignore[arg-type]
        monkeypatch.setenv(VISITOR, arrival.token)
        theirs = Link(house.home)
        try:
            async with front.visit(arrival):
                assert role in {v.role for v in (await theirs.snapshot()).visitors}
                return [await theirs.act(action) for action in actions]  # type: ignore[arg-type]
        finally:
            await theirs.close()
            await front.close()

    asked = (Explain("{}"), ClearOverride("all", by="someone else"), Reload(), Dismiss("nobody"))
    for role, done in (("view", 1), ("operate", 2), ("admin", 3)):
        results = await act(role, *asked)
        refused = [isinstance(r, Refused) and "needs the role" in r.message for r in results]
        assert refused.index(True) == done if done < 3 else not any(refused), (role, results)
    assert isinstance((await act("operate", ClearOverride("all")))[0], Done)
    said = house.pointsman("logs", "--source", "control", "-n", "50").stdout.decode()
    assert "ssh:operate: cleared" in said
    assert "someone else" not in said
    assert "ssh:view: ClearOverride refused to view" in said


def test_a_password_of_ones_own_ends_the_development_password(house: House) -> None:
    assert house.pointsman("ssh", "passwd", "view", "--stdin", stdin=b"short\n").returncode == 1
    given = house.pointsman("ssh", "passwd", "view", "--stdin", stdin=b"correct horse battery\n")
    assert given.returncode == 0, given
    assert "$argon2id$" in house.home.ssh_users.read_text()
    assert b"argon2" not in house.pointsman("ssh", "users", "--json").stdout

    def login(name: str, password: str) -> Ran:
        # the client takes the first value that it is given
        words = house.ssh("view", "-o", "BatchMode=no", "-o", "PubkeyAuthentication=no")[:-1]
        return run(["sshpass", "-p", password, *words, f"{name}@127.0.0.1", "status"])

    if shutil.which("sshpass"):
        assert login("view", "correct horse battery").returncode == 0
        for name, password in (("view", "devpassword"), ("admin", "correct horse battery")):
            assert login(name, password).returncode != 0, name
        assert login("developer", "devpassword").returncode != 0
    removed = house.pointsman("ssh", "passwd", "view", "--remove")
    assert removed.returncode == 0
    assert b"the guide's development password counts again" in removed.stderr
    assert house.pointsman("ssh", "passwd", "view", "--remove").returncode == 1


def test_a_restart_leaves_sessions_alone_and_a_kick_ends_one(house: House) -> None:
    shell = Terminal([*house.ssh("shell", "-t"), "shell"])
    other = Terminal([*house.ssh("operate", "-t"), "logs -f"])
    try:
        other.until("info")
        shell.send("ccr restart; echo over-$((1+1))\r")
        assert "started successfully" in shell.until("over-2\r\n")
        shell.send("pointsman ssh kick operate; echo kicked-$?\r")
        assert "dismissed 1" in shell.until("kicked-0\r\n")
        assert other.process.wait(PATIENCE) != 0
        shell.send("exit 5\r")
        assert shell.process.wait(PATIENCE) == 5
    finally:
        shell.close()
        other.close()
    # the front that stayed for them has gone with the last of them
    assert house.run("admin", "ssh sessions --json").stdout.count(b'"id"') == 1


def test_a_broken_file_lets_nobody_in_and_says_why(house: House) -> None:
    path = house.home.ssh_users
    kept = path.read_text()
    try:
        path.write_text(kept + '[eve]\nrole = "root"\n')
        assert house.run("view", "status").returncode == 255
        said = house.pointsman("ssh", "users")
        assert said.returncode == 1
        assert b"[eve] role = 'root': one of view, operate, admin, shell" in said.stderr
    finally:
        path.write_text(kept)
    assert house.run("view", "status").returncode == 0
