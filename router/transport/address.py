"""Where a URL leads, and how a request to it begins. Pure: text in, bytes out.

The one rule: nothing that a caller hands in can start a new line of the request.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import quote, urlsplit

#: what frames and codes the message is the transport's own business, whoever else sets it
_OWN = frozenset(
    (
        "accept-encoding",
        "connection",
        "content-length",
        "expect",
        "host",
        "keep-alive",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    )
)
_TOKEN = frozenset("!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyz")
#: everything RFC 3986 lets stand in a path or query; "%" so that escapes stay as they are
_SAFE = "/?:@!$&'()*+,;=~-._%[]"


@dataclass(frozen=True, slots=True)
class Address:
    """One endpoint. `authority` is what Host says, `target` the path and query."""

    tls: bool
    host: str
    port: int
    authority: str
    target: str

    @property
    def absolute(self) -> str:
        """The target as an HTTP proxy wants it."""
        return f"http://{self.authority}{self.target}"


@lru_cache(maxsize=512)
def parse(url: str) -> Address:
    """Raises ValueError, with no part of the URL in its words (a query may hold a key)."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https"):
        raise ValueError("its address does not begin with http:// or https://")
    if not parts.hostname:
        raise ValueError("its address has no host")
    if parts.username is not None:
        raise ValueError("its address holds a user name: put the key into the key's own field")
    host = parts.hostname if parts.hostname.isascii() else parts.hostname.encode("idna").decode()
    if any(c <= " " or c == "\x7f" for c in host):
        raise ValueError("its address has a space in the host")
    tls = parts.scheme == "https"
    usual = 443 if tls else 80
    port = parts.port or usual
    named = f"[{host}]" if ":" in host else host
    target = quote(parts.path or "/", safe=_SAFE)
    if parts.query:
        target = f"{target}?{quote(parts.query, safe=_SAFE)}"
    return Address(tls, host, port, named if port == usual else f"{named}:{port}", target)


@lru_cache(maxsize=1024)
def _prefix(name: str) -> str:
    """ "name: ", or "" for a header that the caller may not set."""
    low = name.lower()
    if not low or not _TOKEN.issuperset(low):
        raise ValueError("a header's name is not one")
    return "" if low in _OWN else f"{low}: "


def head(
    method: str,
    target: str,
    authority: str,
    headers: Sequence[tuple[str, str]],
    length: int | None,
    codings: str = "identity",
) -> bytes:
    """The request line and the headers; `length` None: the body comes in chunks; `codings`: of the
    answer, "": nothing is said of them. Raises ValueError for what would break the lines."""
    start = _start(method, target, authority, tuple(headers), codings)
    if length is None:
        return start + b"transfer-encoding: chunked\r\n\r\n"
    if length or method != "GET":
        return b"%bcontent-length: %d\r\n\r\n" % (start, length)
    return start + b"\r\n"


@lru_cache(maxsize=256)
def _start(
    method: str, target: str, authority: str, headers: tuple[tuple[str, str], ...], codings: str
) -> bytes:
    """All but the length: for most requests to a provider the very same bytes."""
    # an operator's "User-Agent" in place of our "user-agent", not beside it: the last one holds
    told = {prefix: value for name, value in headers if (prefix := _prefix(name))}
    # joined, never formatted: a Secret formats as dots
    lines = [prefix + value for prefix, value in told.items()]
    if codings:
        lines.insert(0, f"accept-encoding: {codings}")
    text = "\r\n".join((f"{method} {target} HTTP/1.1\r\nhost: {authority}", *lines, ""))
    wanted = len(lines) + 2
    if text.count("\n") != wanted or text.count("\r") != wanted or "\0" in text:
        raise ValueError("a header's value holds a line break")
    try:
        return text.encode("latin-1")
    except UnicodeEncodeError:
        raise ValueError("a header's value holds a character that HTTP cannot carry") from None


def forget() -> None:
    """Keeps nothing of what was asked so far: headers and queries hold keys."""
    parse.cache_clear()
    _start.cache_clear()
