"""The parts that need no server: choices, keys, limits, the owner of a socket, log lines."""

from __future__ import annotations

import json
import os
import socket
import sys
from pathlib import Path

import asyncssh
import pytest

from console.remote import environment, log, pty
from console.remote.options import Options
from console.ssh import keys, limits, peer
from console.ssh.session import choose
from router.contract import ClientKeys
from storage.home import home


@pytest.mark.parametrize(
    ("command", "terminal", "chosen"),
    [
        (None, True, ("console", "")),
        (" ", True, ("console", "")),
        ("console", False, ("console", "")),
        (None, False, ("shell", "")),
        ("shell", True, ("shell", "")),
        ("shell ls", True, ("command", "shell ls")),
        ("costs", True, ("console", "--screen costs")),
        ("costs", False, ("command", "pointsman costs")),
        ("costs --json", True, ("command", "pointsman costs --json")),
        ("why last", True, ("console", "--request last")),
        ("why $(id)", True, ("command", "pointsman why $(id)")),
        ("why last --json", False, ("command", "pointsman why last --json")),
        ("logs | head", False, ("command", "pointsman logs | head")),
        ("costs.sh", False, ("command", "costs.sh")),
        ("ccr status", False, ("command", "ccr status")),
        ("./status", False, ("command", "./status")),
    ],
)
def test_what_a_session_runs(command: str | None, terminal: bool, chosen: tuple[str, str]) -> None:
    assert choose(command, terminal) == chosen


KEY = asyncssh.generate_private_key("ssh-ed25519").convert_to_public()
LINE = KEY.export_public_key("openssh").decode().strip()


@pytest.mark.parametrize(
    ("text", "lets_in"),
    [
        ("KEY", True),
        ("# comment\n\nnonsense\nKEY me@host\n", True),
        ("#KEY", False),
        ('from="127.0.0.1" KEY', True),
        ('from="192.0.2.0/24" KEY', False),
        ("no-agent-forwarding,no-X11-forwarding KEY", True),
        ('command="backup" KEY', False),
        ("restrict KEY", False),
        ("no-pty KEY", False),
        ("no-port-forwarding KEY", False),
        ("cert-authority KEY", False),
        ('expiry-time="20200101" KEY', False),
        ("OTHER", False),
        ("", False),
    ],
)
def test_which_lines_let_a_key_in(tmp_path: Path, text: str, lets_in: bool) -> None:
    tmp_path.chmod(0o700)
    other = asyncssh.generate_private_key("ssh-ed25519").export_public_key("openssh").decode()
    text = text.replace("KEY", LINE).replace("OTHER", other)
    (tmp_path / "authorized_keys").write_text(text)
    (tmp_path / "authorized_keys").chmod(0o600)
    found = keys.permitted(KEY, "127.0.0.1", tmp_path)
    assert found == ("authorized_keys" if lets_in else None)


def test_a_file_that_others_can_write_lets_nobody_in(tmp_path: Path) -> None:
    tmp_path.chmod(0o700)
    file = tmp_path / "id_ed25519.pub"
    file.write_text(LINE)
    for folder_mode, file_mode, lets_in in (
        (0o700, 0o644, True),
        (0o700, 0o664, False),
        (0o770, 0o600, False),
        (0o755, 0o600, True),
    ):
        tmp_path.chmod(folder_mode)
        file.chmod(file_mode)
        assert (keys.permitted(KEY, "127.0.0.1", tmp_path) is not None) is lets_in
        assert bool(keys.problems(tmp_path)) is not lets_in
        assert keys.any_listed(tmp_path) is lets_in
    assert keys.permitted(KEY, "127.0.0.1", tmp_path / "absent") is None


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_guesser_is_barred_ever_longer_and_forgiven_in_the_end() -> None:
    clock = Clock()
    gate = limits.Gate(clock)
    assert [gate.failed("a") for _ in range(limits.FREE_FAILURES)] == [0.0] * limits.FREE_FAILURES
    assert [gate.failed("a") for _ in range(4)] == [5.0, 10.0, 20.0, 40.0]
    assert gate.barred("b") == 0.0
    clock.now = 39.0
    assert gate.barred("a") == 1.0
    clock.now = 41.0
    assert gate.barred("a") == 0.0
    assert max(gate.failed("a") for _ in range(2000)) == limits.LONGEST_BAR
    clock.now += limits.FORGIVEN + 1
    assert gate.failed("a") == 0.0
    for number in range(10_000):
        gate.failed(f"source {number}")
    assert gate.barred("a") == 0.0


def test_places_are_counted_and_given_back() -> None:
    gate = limits.Gate(Clock())
    assert [gate.enter("a") for _ in range(limits.STARTUPS_OF_ONE)] == [""] * limits.STARTUPS_OF_ONE
    assert "from a" in gate.enter("a")
    for _ in range(limits.STARTUPS - limits.STARTUPS_OF_ONE):
        assert gate.enter("b") == ""
    assert "waiting to log in" in gate.enter("c")
    # a script of our own user opens more than that at once
    assert [gate.enter("us", ours=True) for _ in range(limits.STARTUPS)] == [""] * limits.STARTUPS
    for _ in range(limits.STARTUPS):
        gate.leave("us", logged_in=False)
    gate.leave("a", logged_in=False)
    assert gate.enter("c") == ""
    gate.logged_in("c")
    assert gate.enter("c") == ""
    gate.logged_in("c")
    filled = 0
    while not gate.enter("d", ours=True):
        gate.logged_in("d")
        filled += 1
    assert filled == limits.CONNECTIONS - limits.STARTUPS - 1
    assert "are open already" in gate.enter("d")
    gate.leave("d", logged_in=True)
    assert gate.enter("d") == ""


def test_new_connections_are_slowed_but_for_our_own() -> None:
    clock = Clock()
    gate = limits.Gate(clock)

    def visit(*, ours: bool) -> str:
        if not (why := gate.enter("a", ours=ours)):
            gate.leave("a", logged_in=False)
        return why

    assert [visit(ours=False) for _ in range(limits.BURST)] == [""] * limits.BURST
    assert "a second" in visit(ours=False)
    assert visit(ours=True) == ""
    clock.now = 1.0
    passed = [visit(ours=False) for _ in range(100)].count("")
    assert passed == limits.STARTS_PER_SECOND


@pytest.mark.parametrize(
    ("family", "host"), [(socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")]
)
def test_the_owner_of_a_socket(family: socket.AddressFamily, host: str) -> None:
    server = socket.socket(family)
    client = socket.socket(family)
    with server, client:
        try:
            server.bind((host, 0))
            server.listen()
            client.connect((host, server.getsockname()[1]))
        except OSError:
            pytest.skip("this machine has no IPv6")
        accepted, address = server.accept()
        with accepted:
            ends = address[:2], accepted.getsockname()[:2]
            assert peer.owner(*ends) == os.getuid()
            assert peer.owner((address[0], 1), ends[1]) is None
            assert peer.owner(("192.0.2.7", address[1]), ends[1]) is None
            if family == socket.AF_INET:
                assert peer._uid_by_own_processes(*ends) == os.getuid()
                assert peer._uid_by_own_processes((address[0], 1), ends[1]) is None


@pytest.mark.skipif(sys.byteorder != "little", reason="the kernel's table is in machine order")
def test_addresses_as_the_kernel_prints_them() -> None:
    assert peer._hex(("127.0.0.1", 80), mapped=False) == "0100007F:0050"
    mapped = "0000000000000000FFFF00000100007F:0050"  # an IPv6 socket that speaks to IPv4
    assert peer._hex(("127.0.0.1", 80), mapped=True) == mapped
    assert peer._hex(("::1", 65535), mapped=True) == "00000000000000000000000001000000:FFFF"


@pytest.mark.parametrize(
    ("address", "uid", "source"),
    [
        ("127.0.0.1", 1000, "uid 1000"),
        ("127.0.0.1", None, "127.0.0.1"),
        ("::1", None, "::1"),
        ("192.0.2.7", None, "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", None, "2001:db8:1:2::/64"),
    ],
)
def test_what_failures_are_counted_against(address: str, uid: int | None, source: str) -> None:
    assert peer.source((address, 1), uid) == source


def test_wishes_of_a_client_that_are_not_followed(tmp_path: Path) -> None:
    options = Options(home({}), "", tmp_path, router_port=0, litellm_port=4001, ccr_port=0)
    account = environment.Account("me", "/bin/sh", tmp_path)
    sent = {"LC_ALL": "x\ny", "TZ": "a" * 300, "NO_COLOR": "1", "LC_": "x", "LANGX": "x"}
    ends = (("::1", 1), ("::1", 2))
    env = environment.build(options, account, "ev\x1b[31mil\0" * 50, ends, sent, "../../x")
    assert env["TERM"] == "xterm-256color"
    assert env["NO_COLOR"] == "1"
    assert env["POINTSMAN_SSH_USER"].isprintable()
    assert len(env["POINTSMAN_SSH_USER"]) <= 64
    assert env["OPENAI_BASE_URL"] == "http://localhost:4001/v1"
    assert not {"LC_ALL", "TZ", "LC_", "LANGX", "POINTSMAN_HOME", "ANTHROPIC_BASE_URL"} & set(env)


def test_a_log_line_cannot_be_forged(capsys: pytest.CaptureFixture[str]) -> None:
    log.event("x", command="a\n{}\x1b]52;\ud83c" + "y" * 1000, from_="127.0.0.1", exit=None)
    text = capsys.readouterr().err
    assert text.count("\n") == 1
    assert "\x1b" not in text
    line = json.loads(text)
    assert (line["from"], line["exit"], len(line["command"])) == ("127.0.0.1", None, 300)


def test_a_shell_has_the_key_that_the_router_asks_for(tmp_path: Path) -> None:
    here = home({"POINTSMAN_HOME": str(tmp_path)})
    here.make()
    here.ccr_json.write_text('{"APIKEY": "the-ccr-key"}')
    options = Options(here, str(tmp_path), tmp_path)
    account = environment.Account("me", "/bin/sh", tmp_path)
    env = environment.build(options, account, "me", (("::1", 1), ("::1", 2)), {}, None)
    assert env["ANTHROPIC_AUTH_TOKEN"] == "the-ccr-key"
    assert env["OPENAI_API_KEY"]  # SDKs refuse to start without one
    told = ClientKeys(ccr="of the router", litellm="the-master-key")
    env = environment.build(options, account, "me", (("::1", 1), ("::1", 2)), {}, None, told)
    assert env["ANTHROPIC_AUTH_TOKEN"] == "of the router"
    assert env["OPENAI_API_KEY"] == "the-master-key"


@pytest.mark.parametrize(
    ("asked", "got"),
    [
        ((120, 40), (120, 40)),
        ((0, 0), (80, 24)),
        ((-1, -70_000), (80, 24)),
        ((65_535, 2**31), (1_000, 500)),
    ],
)
def test_no_terminal_is_larger_than_there_are(asked: tuple[int, int], got: tuple[int, int]) -> None:
    """A console fills all that it is told there is: 65535 by 65535 would be all of the memory."""
    master, slave = pty.open_pair({}, *asked)
    try:
        assert tuple(os.get_terminal_size(slave)) == got
    finally:
        os.close(master)
        os.close(slave)
