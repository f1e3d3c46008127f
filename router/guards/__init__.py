"""What a request must pass before a door sees it: one file per guard, each a small function.

connection.py  headers: bounded in size and time, one Host, no tricks (before there is a request)
host.py        the name we were called by
origin.py      web pages
content.py     the body's type
body.py        the body's size and time
"""

from __future__ import annotations

from router.asgi import Scope
from router.guards import content, host, origin
from router.settings import Generation

_BODY_METHODS = frozenset(("POST", "PUT", "PATCH"))


def check(scope: Scope, generation: Generation) -> None:
    """Raises CallerError 403 (Host, Origin) or 415 (content type). Reads nothing of the body."""
    named = kind = b""
    origins: list[bytes] = []
    for name, value in scope["headers"]:
        if name == b"host":
            named = value
        elif name == b"origin":
            origins.append(value)
        elif name == b"content-type":
            kind = value
    listen = generation.listen
    server = scope["server"]
    host.check(named, server[0] if server else "", listen.hosts)
    for each in origins:  # a second one must not hide the first
        origin.check(each, named, listen.origins)
    if kind and scope["method"] in _BODY_METHODS:
        content.check(kind)
