"""What the simulator says of models: its lists, how fast each of them is, and the drills. Pure."""

from __future__ import annotations

import re
from hashlib import blake2b
from typing import Literal

from msgspec import Struct

from router.simulator.prompt import JSON

#: what its lists name; it answers to any other name as well
MODELS = (
    "claude-opus-5-5",
    "claude-haiku-5-5",
    "claude-3-5-sonnet-20241022",
    "deepseek-chat",
    "deepseek-coder",
    "deepseek-reasoner",
    "gpt-4o",
    "gpt-4o-mini",
    "text-embedding-3-small",
    "simulate-429",
    "simulate-500",
    "simulate-529",
    "simulate-slow",
    "simulate-stall",
    "simulate-cut",
    "simulate-error",
    "simulate-too-long",
)
LOCAL_MODELS = ("qwen2.5-coder:latest", "llama3.2:latest", "nomic-embed-text:latest")

#: Unix seconds; when the models of the lists were "made"
_MADE = 1_735_689_600
#: tokens after which a stream breaks in a drill
BREAKS_AFTER = 8


class Pace(Struct, frozen=True):
    """`first` is the seconds to the first token, `rate` the tokens per second after it."""

    first: float
    rate: float

    @property
    def group(self) -> int:
        """Tokens in one piece of a stream: some 30 pieces a second look like a flow."""
        return max(1, round(self.rate / 30))


class Drill(Struct, frozen=True):
    """A failure to be shown. `status` for those that fail before the answer begins."""

    kind: Literal["status", "slow", "stall", "cut", "error"]
    status: int = 0
    message: str = ""


_PACES = (
    (re.compile(r"reasoner|thinking|opus|\br1\b|^o\d"), Pace(0.9, 45)),
    (re.compile(r"haiku|mini|flash|nano|small|8b"), Pace(0.2, 150)),
    (re.compile(r":(latest|\d)|llama|qwen|gemma|phi|mistral|local"), Pace(0.6, 25)),
    (re.compile(""), Pace(0.4, 80)),
)
_MESSAGES = {
    401: "invalid x-api-key (simulated)",
    404: "model: not found (simulated)",
    429: "Rate limit reached (simulated): please try again in 1 second",
    529: "Overloaded (simulated)",
}


def pace(model: str, seed: str) -> Pace:
    """By the kind of model; a fifth faster or slower by `seed`, so that no two look alike."""
    base = next(pace for pattern, pace in _PACES if pattern.search(model.lower()))
    chance = blake2b(seed.encode(), digest_size=2).digest()
    return Pace(base.first * (0.8 + chance[0] / 640), base.rate * (0.8 + chance[1] / 640))


_MIDWAY = {
    "slow": Drill("slow"),
    "stall": Drill("stall"),
    "cut": Drill("cut"),
    "error": Drill("error"),
}


def drill(model: str, tokens: int) -> Drill | None:
    """`tokens` are the prompt's."""
    kind = model.rpartition("/")[2].removeprefix("simulate-")
    if kind == model.rpartition("/")[2]:
        return None
    if re.fullmatch(r"[45]\d\d", kind):
        status = int(kind)
        return Drill("status", status, _MESSAGES.get(status, f"simulated failure {status}"))
    if kind == "too-long":
        limit = max(1, tokens // 2)
        return Drill("status", 400, f"prompt is too long: {tokens} tokens > {limit} maximum")
    return _MIDWAY.get(kind)


def openai_list() -> JSON:
    return {"object": "list", "data": [openai_card(name) for name in MODELS]}


def openai_card(name: str) -> JSON:
    return {"id": name, "object": "model", "created": _MADE, "owned_by": "simulated"}


def anthropic_list() -> JSON:
    return {
        "data": [anthropic_card(name) for name in MODELS],
        "has_more": False,
        "first_id": MODELS[0],
        "last_id": MODELS[-1],
    }


def anthropic_card(name: str) -> JSON:
    return {
        "type": "model",
        "id": name,
        "display_name": f"{name} (simulated)",
        "created_at": "2025-01-01T00:00:00Z",
    }
