"""A name that nobody has, and which one was probably meant.

Its rule: it only tells. Lists of models are often short of new ones: a name which differs in its
numbers alone is another version and no mistake, and every name is passed on as it is.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from difflib import get_close_matches

from router.settings import Provider

#: how alike two names are, of 1, where one may be the other mistyped
ALIKE = 0.85
#: the same of a key, of which there are few
KEY = 0.6
_NUMBERS = re.compile(r"[\d.:_-]+")


def nearest(typed: str, names: Iterable[str], alike: float = ALIKE) -> str:
    """The one of `names` that was probably meant, "" for none."""
    near = get_close_matches(typed, names, n=1, cutoff=alike)
    return near[0] if near else ""


def mistyped(provider: Provider, model: str) -> str:
    """For people; "" where nothing speaks for a mistake."""
    listed = {name.casefold(): name for name in provider.models}
    asked = model.casefold()
    if {asked, asked.partition(":")[0], f"{asked}:latest"} & listed.keys():  # it, a variant of it
        return ""
    near = nearest(asked, listed)
    if not near or _NUMBERS.sub("", near) == _NUMBERS.sub("", asked):
        return ""
    return f"{provider.name} lists no {model!r}: is {listed[near]} meant?"
