"""A link that opens the console in a browser, once: what `pointsman web` and `ccr ui` print.

One rule: the ticket stands behind the `#`, which a browser sends to nobody.
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from console.output import fail, out, say, who, with_link

if TYPE_CHECKING:
    from console.link import Link
    from router.contract import Role


def give(path: str, role: Role, *, once: bool, open_it: bool) -> None:
    """Prints the link, and opens it where there is a browser to see."""
    from console.options import ports
    from router.contract import Invite, Invited, Refused, Result, Snapshot

    async def ask(link: Link) -> tuple[Result, Snapshot]:
        return await link.act(Invite(role, once=once, by=who())), await link.snapshot()

    result, snapshot = with_link(ask)
    if isinstance(result, Refused):
        fail(result.message)
    port = ports(snapshot).get("front door")
    if port is None or not isinstance(result, Invited):
        fail("the front door is switched off: `pointsman restart --port 5000`")
    link = f"http://localhost:{port}{path}#ticket={result.ticket}"
    out(link)
    say("good for one browser and ten minutes" if once else "good until the router ends")
    if open_it and sys.stdout.isatty() and "SSH_CONNECTION" not in os.environ:
        import webbrowser

        if not webbrowser.open(link):
            say("open it in a browser")
