"""The names under which we may be called. Refuses DNS rebinding: a page on evil.example that makes
its name point at this machine still sends `Host: evil.example`."""

from __future__ import annotations

import ipaddress
from functools import lru_cache

from router.errors import CallerError


def check(host: str, own: str, hosts: tuple[str, ...]) -> None:
    """`host` is the Host header, `own` the address the connection came in on, `hosts` the names
    that were configured. Raises CallerError 403."""
    if not allowed(host, own, hosts):
        raise CallerError(
            "this Host is not one of ours; a name to be served under goes into listen.hosts",
            status=403,
        )


@lru_cache(maxsize=256)
def allowed(host: str, own: str, hosts: tuple[str, ...]) -> bool:
    """Any port is right: a proxy or a tunnel may have another."""
    name = name_of(host)
    return is_loopback(name) or name == own or name in (h.lower() for h in hosts)


@lru_cache(maxsize=256)
def name_of(host: str) -> str:
    """The name in a Host header, as it is compared."""
    return without_port(host).lower().rstrip(".")


def without_port(host: str) -> str:
    """An IPv6 address loses its brackets. "" for what cannot be a Host."""
    if not host.startswith("["):
        return host.partition(":")[0]
    name, _, rest = host[1:].partition("]")
    return name if not rest or rest.startswith(":") else ""


def is_loopback(name: str) -> bool:
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False
