"""One router with nothing configured, for tests that change nothing about it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.harness import Running, running


@pytest.fixture(scope="session")
def router(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with running(tmp_path_factory.mktemp("home")) as router:
        yield router
