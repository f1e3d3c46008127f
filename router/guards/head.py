"""A request's head where it is not plain: another target than a path, a coding, an upgrade. Pure.

One rule: what two programs on a request's way could understand in two ways is refused. What is
wrong is told as the words of a refusal; "" for nothing.
"""

from __future__ import annotations

import httptools

Headers = list[tuple[bytes, bytes]]

#: an offer to upgrade, of what is said to the next hop alone
_OFFER = (b"connection", b"upgrade", b"http2-settings")


def unclear(error: httptools.HttpParserError, data: bytes) -> tuple[int, str]:
    """Status and words for what the parser does not take."""
    if data.startswith(b"\x16\x03"):
        return 400, "this is TLS: write http://, not https://"
    if isinstance(error, httptools.HttpParserInvalidURLError):
        return 400, "not a valid HTTP request: write other characters of an address as %XX"
    return 400, "not a valid HTTP request"


def target_fault(url: bytes, host: bytes) -> str:
    """Of a target that is no path; `host`: its Host header."""
    scheme, _, rest = url.partition(b"://")
    if scheme.lower() not in (b"http", b"https"):
        return "the request's target is not a path"
    if rest.partition(b"/")[0].lower() != host.lower():
        return "the request's target is at another host: this is not a proxy"
    return ""


def host_of(address: str) -> bytes:
    """What a request of HTTP/1.0, which knows no Host, is for: the address it came to. Load
    balancers ask so (HAProxy's `option httpchk GET /livez`), browsers never."""
    return (f"[{address}]" if ":" in address else address).encode()


def path_of(url: bytes) -> bytes:
    """Of a target that is a whole address, as RFC 9112 3.2.2 wants it understood."""
    return b"/" + url.partition(b"://")[2].partition(b"/")[2]


def coding_fault(headers: Headers, version: str) -> str:
    """Of a request with a Transfer-Encoding."""
    codings = [v.lower() for n, v in headers if n == b"transfer-encoding"]
    if codings != [b"chunked"] * len(codings):
        return "only the transfer coding 'chunked' is understood"
    if len(codings) > 1 or version != "1.1":
        return "Transfer-Encoding does not belong there"
    return ""


def is_websocket(method: bytes, headers: Headers) -> bool:
    """Of a request that offers an upgrade."""
    offers = [v.lower() for n, v in headers if n == b"upgrade"]
    framed = any(n in (b"content-length", b"transfer-encoding") for n, _ in headers)
    return offers == [b"websocket"] and method == b"GET" and not framed


def without_offer(method: bytes, url: bytes, version: str, headers: Headers) -> bytes:
    """The whole head again, but for its offer to upgrade."""
    closing = any(n == b"connection" and b"close" in v.lower() for n, v in headers)
    kept = [b"%b: %b\r\n" % (n, v) for n, v in headers if n not in _OFFER]
    if closing:
        kept.append(b"connection: close\r\n")
    return b"".join((b"%b %b HTTP/%b\r\n" % (method, url, version.encode()), *kept, b"\r\n"))
