"""The manual pages are made from the parsers, and a manual's reader takes them."""

from __future__ import annotations

import runpy
import shutil
import subprocess
from pathlib import Path

import pytest

MAKER = Path(__file__).parents[2] / "packaging" / "man.py"


@pytest.fixture(scope="module")
def pages() -> dict[str, str]:
    made: dict[str, str] = runpy.run_path(str(MAKER))["pages"]()
    return made


def test_every_command_and_key_has_its_place(pages: dict[str, str]) -> None:
    from console.main import ccr_group, pointsman_group

    for name, group in (("pointsman", pointsman_group), ("ccr", ccr_group)):
        with group.make_context(name, [], resilient_parsing=True) as ctx:
            for command in group.list_commands(ctx):
                assert f".SS {name} {command}" in pages[f"{name}.1"]
    assert "\\-\\-litellm\\-port" in pages["pointsman.1"]
    assert "[neighbours.wiki]" in pages["pointsman.toml.5"]


def test_mandoc_has_no_warning(pages: dict[str, str]) -> None:
    mandoc = shutil.which("mandoc") or pytest.skip("mandoc is not installed")
    for name, text in pages.items():
        words = [str(mandoc), "-T", "lint", "-W", "warning"]
        checked = subprocess.run(words, input=text, text=True, capture_output=True, timeout=30)
        assert checked.stdout + checked.stderr == "", name
