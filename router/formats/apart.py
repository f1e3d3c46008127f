"""What some prices tell apart, from wherever a provider says it: tiers, searches, sound, images.

Its one rule: None for what is usual, so that a plain answer costs nothing more to read.
"""

from __future__ import annotations

from typing import Any

from router.contract import Apart
from router.formats.fields import count_of
from router.money import USUAL

#: characters of a tier's name
_LONGEST = 30


def apart(service: Any = None, **counts: Any) -> Apart | None:
    """`service` as the provider names it; `counts` are fields of Apart."""
    told = service[:_LONGEST].lower() if type(service) is str else ""
    known = {name: count for name, value in counts.items() if (count := count_of(value))}
    if told in USUAL:
        told = ""
    return Apart(**known, service=told) if told or known else None
