"""A house of one's own for each test: a home in a temporary folder, and what `load` makes of it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

import pytest

from router.config import Flags, Probes, load
from router.errors import ConfigError
from router.settings import Generation
from storage.home import Home, home


class House(Protocol):
    home: Home

    def write(self, toml: str = "", ccr: str = "", litellm: str = "") -> None: ...
    def load(
        self,
        env: Mapping[str, str] | None = None,
        flags: Flags = Flags(),  # noqa: B008 - frozen
        probes: Probes = Probes(),  # noqa: B008 - frozen
    ) -> Generation: ...
    def refused(self, env: Mapping[str, str] | None = None, flags: Flags = Flags()) -> ConfigError:  # noqa: B008
        ...


class _House:
    def __init__(self, folder: Path) -> None:
        self.home = home({"POINTSMAN_HOME": str(folder)})
        self.home.make()

    def write(self, toml: str = "", ccr: str = "", litellm: str = "") -> None:
        for path, text in (
            (self.home.toml, toml),
            (self.home.ccr_json, ccr),
            (self.home.litellm_yaml, litellm),
        ):
            if text:
                path.touch(0o600)
                path.write_text(text, encoding="utf-8")

    def load(
        self,
        env: Mapping[str, str] | None = None,
        flags: Flags = Flags(),  # noqa: B008 - frozen
        probes: Probes = Probes(),  # noqa: B008 - frozen
    ) -> Generation:
        return load(self.home, env or {}, flags, 1, probes)

    def refused(self, env: Mapping[str, str] | None = None, flags: Flags = Flags()) -> ConfigError:  # noqa: B008
        with pytest.raises(ConfigError) as caught:
            self.load(env, flags)
        return caught.value


@pytest.fixture
def house(tmp_path: Path) -> House:
    return _House(tmp_path / "home")


def said(generation: Generation, state: str) -> list[str]:
    """The findings of one state as "where: detail"."""
    return [f"{f.where}: {f.detail}" for f in generation.findings if f.state == state]
