"""Web pages may not call us, but for those that the operator named. No CORS header by default.

A browser sends Origin with every request that a page makes to another site, and with every POST.
"""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlsplit

from router.errors import CallerError
from router.guards.host import is_loopback

Headers = list[tuple[str, str]]

#: what a page of an allowed origin may do; preflight answers are kept for ten minutes
_METHODS = "GET, POST, OPTIONS"
_MAX_AGE = "600"


def check(origin: str, host: str, origins: tuple[str, ...]) -> None:
    """Raises CallerError 403 unless the page is ours (same origin, on loopback) or a named one."""
    if origin in origins:
        return
    try:
        parts = urlsplit(origin)
        same = parts.netloc.lower() == host.lower()
        if same and parts.scheme in ("http", "https") and is_loopback(parts.hostname or ""):
            return
    except ValueError:
        pass
    raise CallerError(
        "web pages of this origin may not call; one that may goes into listen.origins", status=403
    )


def same(origin: str, host: str) -> bool:
    """Whether a page of this very host asks."""
    scheme, _, rest = origin.partition("://")
    return scheme in ("http", "https") and bool(host) and rest.lower() == host.lower()


def scheme(host: str, origins: tuple[str, ...]) -> str:
    """How a browser calls `host`: the origins tell of a proxy with TLS before us."""
    return "https" if f"https://{host}" in origins else "http"


def cors(origin: str, origins: tuple[str, ...]) -> Headers:
    """Headers for the answer to a named origin; [] for any other."""
    if not origin or origin not in origins:
        return []
    return [("access-control-allow-origin", origin), ("vary", "origin")]


def preflight(method: str, headers: Mapping[str, str], origins: tuple[str, ...]) -> Headers | None:
    """Headers of the 204 that answers a preflight of a named origin; None if it is not one."""
    if method != "OPTIONS":
        return None
    allow = cors(headers.get("origin", ""), origins)
    if not allow or "access-control-request-method" not in headers:
        return None
    return [
        *allow,
        ("access-control-allow-methods", _METHODS),
        ("access-control-allow-headers", headers.get("access-control-request-headers", "")),
        ("access-control-max-age", _MAX_AGE),
    ]
