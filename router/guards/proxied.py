"""A proxy or a tunnel on this machine makes everybody's requests look like ours: where no key is
asked for, whoever reaches it spends here.

One rule: it is said and never refused: it may be meant, and the header is anybody's to write.
"""

from __future__ import annotations

from ipaddress import ip_address

from router.contract import Finding
from router.guards.host import without_port
from router.settings import Generation

HEADER = "x-forwarded-for"


def far(forwarded: str) -> str:
    """The address of another machine for which a proxy says that it asks; "" where it says none."""
    first = forwarded.partition(",")[0].strip()
    for text in (first, without_port(first)):
        try:
            address = ip_address(text)
        except ValueError:
            continue
        return "" if address.is_loopback else str(address)
    return ""


def problem(address: str, generation: Generation) -> Finding | None:
    """What is wrong with a configuration under which `address` was served."""
    roles = {"[litellm]": generation.litellm, "[ccr]": generation.ccr}
    without = [n for n, role in roles.items() if role.mode == "embedded" and not role.keys]
    if not address or not without:
        return None
    words = (
        f"another machine's request came through a proxy here, and no key is asked for: whoever"
        f" reaches the proxy uses your providers; set keys under {' and '.join(without)}"
    )
    return Finding("proxy", address, "problem", words)
