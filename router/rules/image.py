"""An image that the model has not seen yet, in the newest turn or in one of its tool results."""

from __future__ import annotations

from router.rules.plan import Case
from router.rules.rule import Rule, Verdict
from router.rules.signals import Signals


def look(case: Case, signals: Signals) -> Verdict | None:
    images = case.facts.images
    if not images:
        return None
    return Verdict("1 image" if images == 1 else f"{images:,} images", scenario="image")


RULE = Rule("image", look, "no image", when={"image": "an image not seen before"})
