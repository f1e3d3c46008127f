"""The person's own folder, also of an account that has none."""

from __future__ import annotations

import pwd
from pathlib import Path

import pytest

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
