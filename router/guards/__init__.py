"""What a request must pass before a door sees it: one file per guard, each a small function.

connection.py  headers: bounded in size and time, one Host, no tricks (before there is a request)
head.py        what of them is rarely there: a coding, an upgrade, a target that is no path
refusal.py     what is told where one of these two refuses
room.py        connections that nobody uses, where there are too many
unread.py      a client that takes nothing of what waits for it
presence.py    a client that has ended its own side: gone, or only done with sending
host.py        the name we were called by
origin.py      web pages
body.py        the body's size and time
content.py     the body's type
proxied.py     a proxy before a router that asks for no key: said, not refused
"""

from __future__ import annotations

from collections.abc import Mapping

from router.asgi import Scope
from router.guards import host, origin
from router.settings import Generation, Site


def check(scope: Scope, headers: Mapping[str, str], generation: Generation) -> Site | None:
    """`headers` are those of the scope. Raises CallerError 403 (Host, Origin). Returns the site
    that the Host names, if one does: its own pages may call it, and nothing else."""
    named = headers.get("host", "")
    listen, server = generation.listen, scope["server"]
    host.check(named, server[0] if server else "", listen.hosts)
    site = generation.hosts.get(host.name_of(named)) if generation.hosts else None
    if "origin" in headers:
        for name, value in scope["headers"]:  # a second one must not hide the first
            text = value.decode("latin-1")
            if name == b"origin" and (site is None or not origin.same(text, named)):
                origin.check(text, named, listen.origins)
    return site
