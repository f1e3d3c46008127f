"""Ports that change hands: nobody who connects meanwhile is refused, whatever becomes of it."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from console.process.handover import holding
from router.contract import HANDED_OVER
from router.edge import PortTakenError, bind
from router.process.handover import Taken, give


def client(port: int) -> socket.socket:
    made = socket.create_connection(("127.0.0.1", port), timeout=5)
    made.sendall(b"hello")
    return made


def heard(listening: socket.socket) -> bytes:
    listening.setblocking(True)
    listening.settimeout(5)
    with listening.accept()[0] as accepted:
        return accepted.recv(5)


def test_who_connects_between_two_routers_is_heard_by_the_next(tmp_path: Path) -> None:
    place = tmp_path / "handover.sock"
    kept, moved = bind("127.0.0.1", 0), bind("127.0.0.1", 0)
    port, gone = kept.getsockname()[1], moved.getsockname()[1]
    with holding(place) as held:
        assert place.stat().st_mode & 0o777 == 0o600
        with holding(place) as second:  # one of two at once holds
            assert second.take() == ()
        give(place, [kept.fileno(), moved.fileno()])
        kept.close()
        moved.close()
        waiting = client(port)
        fds = [os.dup(fd) for fd in held.take()]  # as a child inherits them
        assert len(fds) == 2
    env = {HANDED_OVER: ",".join(map(str, [*fds, 999, "x"])), "HOME": "/"}
    taken = Taken(env)
    assert env == {"HOME": "/"}
    assert taken.ports == {port, gone}
    listening, beside = taken.listen("localhost", port, "--port")
    with listening, beside, waiting:
        taken.close()
        assert beside.getsockname()[:2] == ("::1", port)
        assert listening.fileno() in fds
        assert heard(listening) == b"hello"
        with pytest.raises(ConnectionRefusedError):
            client(gone)


def test_a_port_whose_address_changes_is_bound_anew(tmp_path: Path) -> None:
    old = bind("127.0.0.1", 0)
    port = old.getsockname()[1]
    beside = bind("::1", port)
    taken = Taken({HANDED_OVER: f"{os.dup(old.fileno())},{os.dup(beside.fileno())}"})
    old.close()
    beside.close()
    (listening,) = taken.listen("127.0.0.2", port, "--port")
    with listening:
        assert listening.getsockname() == ("127.0.0.2", port)
        with bind("127.0.0.1", port), bind("::1", port):  # both are free again
            pass


def test_localhost_is_both_its_addresses_or_neither() -> None:
    with bind("::1", 0) as other:
        port = other.getsockname()[1]
        with pytest.raises(PortTakenError, match=f"port {port} is asked for twice"):
            Taken({}).listen("127.0.0.1", port, "--port")
        with bind("127.0.0.1", port):  # nothing is left of it
            pass
    (alone,) = Taken({}).listen("127.0.0.1", 0, "--port")
    alone.close()


def test_nothing_is_handed_over_where_nobody_waits_or_nothing_comes(tmp_path: Path) -> None:
    with bind("127.0.0.1", 0) as listening:
        give(tmp_path / "nobody", [listening.fileno()])
        with holding(tmp_path / "missing" / "x") as held:
            assert held.take() == ()
        (tmp_path / "x").write_bytes(b"left by one that was killed")
        with holding(tmp_path / "x") as held:
            assert held.take() == ()
        assert not (tmp_path / "x").exists()
    assert Taken({}).ports == frozenset()
