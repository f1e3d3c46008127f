"""Consoles step aside for the router, each in the session that is its own."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from console.niceness import NICE


@pytest.mark.parametrize("own", [True, False], ids=["its own session", "a shell's session"])
def test_only_a_session_of_its_own_is_put_back(tmp_path: Path, own: bool) -> None:
    group = tmp_path / "autogroup"
    group.write_text("0")
    program = (
        "import pathlib, sys\nfrom console.niceness import step_aside\n"
        f"here = pathlib.Path({str(tmp_path)!r})\n"
        "there, nowhere = here / 'autogroup', here / 'none' / 'autogroup'\n"
        "sys.exit(not (step_aside(there) and step_aside(nowhere)))"
    )
    subprocess.run([sys.executable, "-c", program], check=True, start_new_session=own)
    assert group.read_text() == (str(NICE) if own else "0")
