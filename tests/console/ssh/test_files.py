"""scp in both modes, sftp, and git over a command: with exit code 0, and whole."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from tests.console.ssh.running import Front, run


@pytest.mark.parametrize("mode", [(), ("-O",)], ids=["sftp mode", "legacy mode"])
def test_scp_both_ways(front: Front, tmp_path: Path, mode: tuple[str, ...]) -> None:
    data = os.urandom(300_000)
    (tmp_path / "here").write_bytes(data)
    scp = front.by_key(*mode, "-q", program="scp")
    up = run([*scp, str(tmp_path / "here"), f"localhost:{tmp_path / 'there'}"])
    back = run([*scp, f"localhost:{tmp_path / 'there'}", str(tmp_path / "back")])
    assert (up.returncode, back.returncode) == (0, 0), (up, back)
    assert (tmp_path / "back").read_bytes() == data
    assert run([*scp, f"localhost:{tmp_path / 'absent'}", str(tmp_path)]).returncode != 0


def test_sftp(front: Front, tmp_path: Path) -> None:
    (tmp_path / "here").write_text("hello")
    batch = f"put {tmp_path}/here {tmp_path}/there\nls {tmp_path}\nrm {tmp_path}/here\n"
    ran = run([*front.by_key("-b", "-", program="sftp"), "localhost"], stdin=batch.encode())
    assert ran.returncode == 0, ran
    assert b"there" in ran.stdout
    assert sorted(path.name for path in tmp_path.iterdir()) == ["there"]


def test_git_over_a_command(front: Front, tmp_path: Path) -> None:
    git = ["git", "-c", "user.name=a", "-c", "user.email=a@b.c"]
    subprocess.run([*git, "init", "-q", str(tmp_path / "one")], check=True)
    commit = [*git, "-C", str(tmp_path / "one"), "commit", "-q", "--allow-empty", "-m", "x"]
    subprocess.run(commit, check=True)
    # the port stands in the address: git adds its own -p
    ssh = [word for word in front.by_key() if word not in ("-p", str(front.port))]
    address = f"ssh://dev@localhost:{front.port}{tmp_path / 'one'}"
    env = {"PATH": os.environ["PATH"], "GIT_SSH_COMMAND": " ".join(ssh), "HOME": str(tmp_path)}
    ran = run(["git", "clone", "-q", address, str(tmp_path / "two")], env=env)
    assert ran.returncode == 0, ran
    assert (tmp_path / "two" / ".git").is_dir()
