"""Commands, their streams and their environment, through the OpenSSH client."""

from __future__ import annotations

import getpass
import subprocess
import sys
from pathlib import Path

import psutil

from tests.console.ssh.running import CANARY, PATIENCE, Front, run


def test_a_command_has_its_own_streams_and_exit_code(front: Front) -> None:
    ran = front.run("read line; echo out $line; echo err >&2; exit 7", stdin=b"in\n")
    assert (ran.returncode, ran.stdout, ran.stderr) == (7, b"out in\n", b"err\n")


def test_a_program_killed_by_a_signal_is_no_success(front: Front) -> None:
    assert front.run("kill -9 $$").returncode == 255


def test_no_byte_of_a_large_output_is_lost(front: Front) -> None:
    ran = front.run("head -c 10000000 /dev/zero; head -c 3000000 /dev/zero >&2; exit 3")
    assert (ran.returncode, len(ran.stdout), len(ran.stderr)) == (3, 10_000_000, 3_000_000)


def test_a_large_input_arrives_whole(front: Front) -> None:
    # ten times: asyncssh's own redirection lost the end of every fifth
    for _ in range(10):
        assert front.run("wc -c", stdin=bytes(5_000_000)).stdout.split() == [b"5000000"]


def test_a_program_may_close_its_input_early(front: Front) -> None:
    ran = front.run("head -c 3; exec <&-; echo; echo still here", stdin=bytes(5_000_000))
    assert (ran.returncode, ran.stdout[3:]) == (0, b"\nstill here\n")


def test_a_script_on_stdin_without_a_command_runs_in_a_shell(front: Front) -> None:
    for words in ([], ["shell"]):
        ran = run(
            [*front.by_key("-T"), "anyone@localhost", *words], stdin=b"echo $SSH_TTY; exit 4\n"
        )
        assert (ran.returncode, ran.stdout) == (4, b"\n"), words


def test_the_console_needs_a_terminal(front: Front) -> None:
    ran = front.run("console")
    assert ran.returncode == 1
    assert b"needs a terminal" in ran.stderr


def test_pages_are_pointsman_commands(front: Front) -> None:
    # a stand-in before all others on PATH cannot be had: ours is first, so the real one answers
    ran = front.run("status --help")
    assert (ran.returncode, ran.stdout[:6]) == (0, b"Usage:"), ran
    assert b"pointsman status" in ran.stdout


def test_the_environment_is_an_allow_list(front: Front) -> None:
    sent = "SetEnv=LD_PRELOAD=/tmp/evil.so PATH=/tmp/evil LC_TIME=de_DE.UTF-8 COLORTERM=truecolor"
    ran = front.run("env", "-o", sent + " BASH_ENV=/tmp/evil PYTHONPATH=/tmp/evil")
    env = dict(line.split("=", 1) for line in ran.stdout.decode().splitlines())
    assert "evil" not in ran.stdout.decode()
    assert CANARY not in ran.stdout.decode()
    assert env["LC_TIME"] == "de_DE.UTF-8"
    assert env["COLORTERM"] == "truecolor"
    assert env["PATH"].startswith(f"{Path(sys.executable).parent}:")
    assert env["ANTHROPIC_BASE_URL"] == "http://localhost:5000/claude-code"
    assert env["OPENAI_BASE_URL"] == "http://localhost:5000/litellm/v1"
    assert env["POINTSMAN_HOME"] == str(front.folder / "pointsman")
    assert env["POINTSMAN_SSH_USER"] == getpass.getuser()
    assert env["SSH_CONNECTION"].split()[3] == str(front.port)


def test_a_client_that_dies_takes_its_program_along(front: Front) -> None:
    with subprocess.Popen(
        [*front.by_key(), "developer@localhost", "trap '' HUP; echo $$; sleep 1000 & wait"],
        stdout=subprocess.PIPE,
    ) as client:
        assert client.stdout is not None
        shell = psutil.Process(int(client.stdout.readline()))
        family = [shell, *shell.children()]
        client.kill()
    assert psutil.wait_procs(family, PATIENCE)[1] == []


def test_an_unknown_subsystem_is_refused_with_words(front: Front) -> None:
    ran = run([*front.by_key("-s"), "developer@localhost", "netconf"])
    assert ran.returncode == 127
    assert b"only sftp" in ran.stderr
