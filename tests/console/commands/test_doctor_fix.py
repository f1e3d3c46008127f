"""`pointsman doctor --fix`: mends what needs no decision, says so, and changes no line of yours."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.harness import environment, running

#: whatever else runs on this machine is not asked
TOML = "[litellm]\nmode = 'embedded'\nkeys = ['a-key-of-somebody']\n[ccr]\nmode = 'embedded'\n"


def doctor(home: Path, *more: str) -> subprocess.CompletedProcess[str]:
    words = [sys.executable, "-m", "console", "doctor", *more]
    return subprocess.run(
        words, env=environment(home), capture_output=True, text=True, timeout=60, check=False
    )


def test_what_others_could_read_is_closed(tmp_path: Path) -> None:
    toml = tmp_path / "pointsman.toml"
    toml.write_text(TOML)
    toml.chmod(0o644)
    users = tmp_path / "ssh-users.toml"
    users.write_text("")
    users.chmod(0o666)
    with running(tmp_path):
        (tmp_path / "data").chmod(0o755)
        tmp_path.chmod(0o777)
        ccr = tmp_path / ".claude-code-router"  # its config.json may name a program to run
        ccr.chmod(0o775)
        before = doctor(tmp_path)
        assert before.returncode == 1
        assert before.stdout.count("! ") >= 5
        assert f"others can change it (mode 775): `chmod 700 '{ccr}'`" in before.stdout
        assert f"others can change it (mode 666): `chmod 600 '{users}'`" in before.stdout
        assert f"others can change it (mode 777): `chmod 700 '{tmp_path}'`" in before.stdout
        after = doctor(tmp_path, "--fix")
        assert f"mended: only you can read {toml} now (was 644)" in after.stderr
        assert "! " not in after.stdout
        assert after.returncode == 0
    assert toml.stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "data").stat().st_mode & 0o777 == 0o700
    assert tmp_path.stat().st_mode & 0o777 == 0o700
    assert users.stat().st_mode & 0o777 == 0o600
    assert toml.read_text() == TOML
    assert "mended" not in doctor(tmp_path, "--fix").stderr
