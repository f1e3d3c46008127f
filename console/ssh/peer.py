"""Who holds the other end of a connection from this machine: the Unix user of the client's socket.

Its rule: an answer is proof, and None means that it cannot be told. Linux lists every socket with
the uid of its maker in /proc/net/tcp. Elsewhere the processes of our own user are asked for their
connections: one that holds the client's end proves the same user; none proves nothing.
"""

from __future__ import annotations

import os
import pwd
import socket
import struct
from ipaddress import ip_address
from pathlib import Path

import psutil

from console.remote.environment import Address

_TABLES = (Path("/proc/net/tcp"), Path("/proc/net/tcp6"))
_OVERFLOW_UID = Path("/proc/sys/kernel/overflowuid")
#: the table is read in pieces while sockets come and go, so that one reading may miss a row
_READINGS = 3


def is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def owner(peer: Address, own: Address) -> int | None:
    """The uid of the process at `peer`, whose connection arrived at our `own`; None: unknown."""
    if not (is_loopback(peer[0]) and is_loopback(own[0])):
        return None
    if _TABLES[0].exists():
        uid = _uid_in_tables(peer, own)
        # users without a number in our user namespace all show as this one
        return None if uid is not None and uid == _overflow_uid() else uid
    return _uid_by_own_processes(peer, own)


def _overflow_uid() -> int | None:
    """The stand-in uid of the kernel, where it could be mistaken for ourselves."""
    try:
        uid = int(_OVERFLOW_UID.read_text())
    except (OSError, ValueError):
        return None
    return uid if uid == os.getuid() else None


def _uid_in_tables(peer: Address, own: Address) -> int | None:
    # an IPv6 socket that speaks to an IPv4 address is in the IPv6 table, as ::ffff:127.0.0.1
    wanted = {(_hex(peer, mapped), _hex(own, mapped)) for mapped in (False, True)}
    for _ in range(_READINGS):
        for table in _TABLES:
            try:
                rows = table.read_text().splitlines()[1:]
            except OSError:
                continue
            for row in rows:
                cells = row.split()
                if (cells[1], cells[2]) in wanted:
                    return int(cells[7])
    return None


def _hex(address: Address, mapped: bool) -> str:
    """As the kernel prints it: 32-bit words in the machine's own byte order, then the port."""
    host, port = address
    packed = ip_address(host).packed
    if mapped and len(packed) == 4:
        packed = bytes(10) + b"\xff\xff" + packed
    words = struct.unpack(f"={len(packed) // 4}I", packed)
    return "".join(f"{word:08X}" for word in words) + f":{port:04X}"


def _uid_by_own_processes(peer: Address, own: Address) -> int | None:
    us = os.getuid()
    for process in psutil.process_iter():
        try:
            if process.uids().real != us:
                continue
            for found in process.net_connections("tcp"):
                if (tuple(found.laddr), tuple(found.raddr)) == (peer, own):
                    return us
        except (psutil.Error, OSError):
            continue
    return None


def name_of(uid: int | None) -> str:
    """The account's name, or its number where it has none."""
    try:
        return pwd.getpwuid(uid).pw_name if uid is not None else "unknown"
    except KeyError:
        return str(uid)


def source(peer: Address, uid: int | None) -> str:
    """What failures are counted against: a user of this machine, else an address or its /64."""
    if uid is not None:
        return f"uid {uid}"
    address = ip_address(peer[0])
    if address.version == 6 and not address.is_loopback:
        network = address.packed[:8] + bytes(8)
        return f"{socket.inet_ntop(socket.AF_INET6, network)}/64"
    return str(address)
