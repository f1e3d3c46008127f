"""The person's own folder, also of an account that has none."""

from __future__ import annotations

import os
import pwd
from pathlib import Path

import pytest

from console.ssh import users
from storage.home import home, user_home


def test_an_account_without_a_home_is_none_to_fail_for(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(uid: int) -> pwd.struct_passwd:
        raise KeyError(uid)

    monkeypatch.setenv("HOME", "/somewhere")
    assert user_home() == Path("/somewhere")
    monkeypatch.delenv("HOME")
    monkeypatch.setattr(pwd, "getpwuid", unknown)  # as for systemd's DynamicUser
    assert user_home() == Path("~")
    assert home().claude_projects == Path("~/.claude/projects")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can write for another user")
def test_what_root_writes_for_a_service_belongs_to_its_user(tmp_path: Path) -> None:
    tmp_path.chmod(0o700)
    os.chown(tmp_path, 64_000, 64_001)
    place = tmp_path / "ssh-users.toml"
    for name in ("ann", "bob"):  # the second time it is the user's own file that is read
        users.write(place, {**users.read(place), name: users.User(name, "view")})
    assert list(users.read(place)) == ["ann", "bob"]
    facts = place.stat()
    assert (facts.st_uid, facts.st_gid, facts.st_mode & 0o777) == (64_000, 64_001, 0o600)
    os.chown(place, 64_002, 64_001)
    with pytest.raises(users.UsersError, match="written by others"):
        users.read(place)


def test_a_socket_that_needs_a_folder_of_its_own_leaves_none_behind(tmp_path: Path) -> None:
    made = home({"POINTSMAN_HOME": str(tmp_path / ("x" * 100))})
    apart = made.socket.parent
    made.make()
    assert apart.is_dir()
    assert apart != made.run
    (apart / "other.sock").touch()  # somebody waits there for what a restart hands over
    made.leave()
    assert apart.is_dir()
    (apart / "other.sock").unlink()
    made.leave()
    assert not apart.exists()
