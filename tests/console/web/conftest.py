"""A real router, and its front door as a browser sees it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from tests import harness

PATIENCE = 20.0


@dataclass
class Door:
    router: harness.Running

    @property
    def address(self) -> str:
        """host:port, by the name that browsers use."""
        return self.router.front.replace("http://127.0.0.1", "localhost")

    def pointsman(self, *words: str) -> str:
        start = "from console.main import pointsman; pointsman()"
        done = subprocess.run(
            [sys.executable, "-c", start, *words],
            env=self.router.env,
            capture_output=True,
            timeout=PATIENCE,
            check=True,
        )
        return done.stdout.decode().strip()

    def link(self, *words: str) -> str:
        return self.pointsman("web", *words)

    def ticket(self, *words: str) -> str:
        return self.link(*words).rpartition("#ticket=")[2]


@pytest.fixture(scope="module")
def door(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Door]:
    with harness.running(tmp_path_factory.mktemp("web")) as router:
        yield Door(router)
