"""What every test gets: no network but loopback, a clean environment, a home of its own."""

from __future__ import annotations

import asyncio
import functools
import inspect
import os
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import uvloop
from hypothesis import settings

from storage.home import Home, home
from tests.fakes import certificate
from tests.fakes.upstream import FakeUpstream

#: variables that would change what the product does, or let a real credential into a test
_SCRUBBED = (
    "_API_KEY",
    "_AUTH_TOKEN",
    "_BASE_URL",
    "_PROXY",
    "_proxy",
    "POINTSMAN_",
    "CCR_",
    "CLAUDE_",
    "LITELLM_",
)
#: seconds any one asynchronous test may take, unless it is marked to take longer
PATIENCE = 100.0
# How long an example takes is the machine's affair: no test asserts wall-clock time.
settings.register_profile("everyday", deadline=None, max_examples=50)
settings.register_profile("thorough", deadline=None, max_examples=500)
settings.load_profile("everyday")
_real_connect = socket.socket.connect
_real_connect_ex = socket.socket.connect_ex
_real_create = uvloop.Loop.create_connection
_real_sock_connect = uvloop.Loop.sock_connect


def pytest_asyncio_loop_factories(
    config: pytest.Config, item: pytest.Item
) -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    """The router runs on uvloop, the consoles on asyncio's own loop; so do their tests."""
    if item.path.is_relative_to(Path(__file__).parent / "router"):
        return {"uvloop": uvloop.new_event_loop}
    return {"asyncio": asyncio.new_event_loop}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """pytest-timeout's signal does not get through uvloop (measured: a test that slept for 15 s
    passed a limit of 2), so what waits for ever on it fails here."""
    for item in items:
        if isinstance(item, pytest.Function) and inspect.iscoroutinefunction(item.obj):
            mark = item.get_closest_marker("timeout")
            item.obj = _bounded(item.obj, max(PATIENCE, mark.args[0] if mark else 0.0))


def _bounded(
    test: Callable[..., Awaitable[None]], seconds: float
) -> Callable[..., Awaitable[None]]:
    @functools.wraps(test)
    async def run(*args: Any, **named: Any) -> None:
        async with asyncio.timeout(seconds):
            await test(*args, **named)

    return run


def _is_loopback(address: Any) -> bool:
    if not isinstance(address, tuple):
        return True  # a Unix socket
    host = str(address[0])
    return host == "::1" or host == "localhost" or host.startswith("127.")


def _guarded_connect(self: socket.socket, address: Any) -> None:
    if not _is_loopback(address):
        pytest.fail(f"a test tried to reach {address}: only loopback may be called")
    _real_connect(self, address)


def _guarded_connect_ex(self: socket.socket, address: Any) -> int:
    if not _is_loopback(address):
        pytest.fail(f"a test tried to reach {address}: only loopback may be called")
    return _real_connect_ex(self, address)


def _guarded_create(
    self: uvloop.Loop, factory: Any, host: Any = None, *args: Any, **named: Any
) -> Any:
    """uvloop connects in C, past Python's sockets."""
    if host is not None and not _is_loopback((host,)):
        pytest.fail(f"a test tried to reach {host}: only loopback may be called")
    return _real_create(self, factory, host, *args, **named)


async def _guarded_sock_connect(self: uvloop.Loop, sock: socket.socket, address: Any) -> None:
    if not _is_loopback(address):
        pytest.fail(f"a test tried to reach {address}: only loopback may be called")
    await _real_sock_connect(self, sock, address)


@pytest.fixture(autouse=True, scope="session")
def _only_loopback() -> Iterator[None]:
    patch = pytest.MonkeyPatch()
    patch.setattr(socket.socket, "connect", _guarded_connect)
    patch.setattr(socket.socket, "connect_ex", _guarded_connect_ex)
    patch.setattr(uvloop.Loop, "create_connection", _guarded_create)
    patch.setattr(uvloop.Loop, "sock_connect", _guarded_sock_connect)
    yield
    patch.undo()


@pytest.fixture(autouse=True, scope="session")
def _one_authority(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """To read the world's authorities is 27 ms of CPU for each HTTP client, here and in every
    router under test; a test trusts one that signed nothing."""
    folder = tmp_path_factory.mktemp("authority")
    certificate.contexts(folder)
    patch = pytest.MonkeyPatch()
    patch.setenv("SSL_CERT_FILE", str(folder / "certificate.pem"))
    yield
    patch.undo()


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Also for the subprocesses that a test starts."""
    for name in list(os.environ):
        if any(part in name for part in _SCRUBBED):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("POINTSMAN_HOME", str(tmp_path / "pointsman"))


@pytest.fixture
def test_home() -> Iterator[Home]:
    """This test's own home, with its folders made."""
    made = home()
    made.make()
    yield made
    made.leave()


@pytest.fixture
async def upstream() -> AsyncIterator[FakeUpstream]:
    async with FakeUpstream() as fake:
        yield fake
