"""Ctrl-C while the router still starts."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

from tests.harness import environment


def test_an_interrupt_at_start_up_leaves_no_trace(tmp_path: Path) -> None:
    """-X importtime tells when a slow import has been done, so nothing has to be waited for."""
    with subprocess.Popen(
        [sys.executable, "-X", "importtime", "-m", "router", "serve"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment(tmp_path),
    ) as process:
        assert process.stderr is not None
        assert any(line.rstrip().endswith("| argparse") for line in process.stderr)
        process.send_signal(signal.SIGINT)
        rest = process.stderr.read()
        assert process.wait(30) == -signal.SIGINT
    assert "Traceback" not in rest
    assert list(tmp_path.iterdir()) == []
