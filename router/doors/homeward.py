"""The headers of another program's answer, as they fit the place that the client sees it from.

One rule: what names a place of the program's own (redirects, cookies) is moved along with it; what
names any other is left as it is. Pure.
"""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlsplit

from msgspec import Struct

from router.guards.host import is_loopback
from router.settings import Timeouts

#: headers of the hop itself, and those that the next hop sets anew
HOP = frozenset(
    {
        *("connection", "keep-alive", "te", "trailer", "transfer-encoding", "upgrade", "expect"),
        *("proxy-authenticate", "proxy-authorization", "proxy-connection"),
        *("host", "content-length", "accept-encoding", "x-pointsman"),
    }
)
#: as browsers read them (whatwg.org, URL, "relative slash state")
_SLASHES = ("/", "\\")
#: said by us on every answer
_OURS = frozenset(("content-type", "date"))


class Onward(Struct, frozen=True):
    """Where a request goes on to. `path` is asked of `base`; `prefix` is what was taken off the
    path the client knows, put before the places it is redirected to. `host`: what the program is
    called by; "": its own address."""

    name: str
    base: str
    path: str
    prefix: str = ""
    host: str = ""
    timeouts: Timeouts = Timeouts()


def homeward(headers: dict[str, str], onward: Onward) -> Iterator[tuple[str, str]]:
    """What the client may see. Which web pages may read an answer is for us to say: LiteLLM and CCR
    say "any"."""
    for name, value in headers.items():
        if name == "set-cookie":
            for each in value.split("\n"):
                yield name, cookie(each, onward)
        elif name in ("location", "content-location"):
            yield name, moved(value, onward)
        elif name == "content-length" or (
            name not in HOP and name not in _OURS and not name.startswith("access-control-")
        ):
            yield name, value


def moved(location: str, onward: Onward) -> str:
    """A place of the program's own, as the client can reach it."""
    try:
        parts = urlsplit(location)
        if parts.netloc:
            stays = parts.scheme not in ("", "http", "https") or not _own(parts.netloc, onward)
        else:  # beside the page that it is on
            stays = not location.startswith("/")
    except ValueError:  # no address, to us or to a browser
        stays = True
    if stays:
        return location
    if parts.netloc:
        rest = location.partition(parts.netloc)[2]
        location = rest if rest.startswith("/") else f"/{rest}"
    seen = _seen(location, onward)
    # alone, `//name`, `/\name` and `/<tab>/name` would be another host to a browser
    return f"/.{seen}" if seen[1:].lstrip("\t")[:1] in _SLASHES else seen


def cookie(text: str, onward: Onward) -> str:
    """Below the program's own path, so that two programs do not take each other's; and for whatever
    name the client uses where it would be for the program's own."""
    value, *attributes = text.split(";")
    if value.strip().lower().startswith("__host-"):
        return text  # such a one is for all paths, or for none
    kept = [value]
    for each in attributes:
        name, _, said = each.partition("=")
        name, said = name.strip().lower(), said.strip()
        if name == "path" and said.startswith("/"):
            each = f" Path={_seen(said, onward)}"
        elif name == "domain" and said.lower().lstrip(".") == urlsplit(onward.base).hostname:
            continue
        kept.append(each)
    return ";".join(kept)


def _seen(place: str, onward: Onward) -> str:
    """The program's own path, as seen from outside."""
    root = urlsplit(onward.base).path  # of a program that lives below a path itself
    if root and (place == root or place.startswith(f"{root}/")):
        place = place.removeprefix(root) or "/"
    prefix = onward.prefix
    if not prefix or place == prefix or place.startswith((f"{prefix}/", f"{prefix}?")):
        return place  # one that knows where it is seen from says so itself
    return prefix + place


def _own(netloc: str, onward: Onward) -> bool:
    """Whether this is what the program is called, or calls itself."""
    own = urlsplit(onward.base)
    if netloc in (own.netloc, onward.host):
        return True
    other = urlsplit(f"//{netloc}")
    near = is_loopback(own.hostname or "") and is_loopback(other.hostname or "")
    return near and (other.port or 80) == (own.port or 80)
