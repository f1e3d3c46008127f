"""Random answers, told with a frame doubled, swapped, lost, cut off or unknown, in random pieces:
every client hears the same streamed and whole, or the same error; what was told well is all there.
"""

from __future__ import annotations

import json
import random
from dataclasses import replace
from typing import Any

import pytest

from router.errors import UpstreamError
from router.formats.fields import json_object
from router.framing import Framer
from router.messages import ArgumentsDelta, BlockStart, Event, Start, ToolUse
from tests.router.formats.dialects import Answer, Question
from tests.router.formats.grammar import check_events
from tests.router.formats.test_matrix import (
    CLIENTS,
    PROVIDERS,
    as_told,
    asked,
    clients,
    ended_in_an_error,
    told,
    upstreams,
)

WORDS = ("hello", "漢字 ", "🎉", "<think>", "\n\n", '{"a":', "a b c ", "data: x\n", "\u2028")
INPUTS: tuple[dict[str, Any], ...] = (
    {},
    {"city": "Rome"},
    {"a": [1, {"b": None}]},
    {"t": "漢🎉\n"},
)
UNKNOWN: tuple[dict[str, Any], ...] = ({"future": 1}, {"choices": []})
DAMAGES = ("none", "none", "doubled", "swapped", "lost", "cut", "unknown")
ROUNDS = 150


def answer(chance: random.Random) -> Answer:
    calls = [
        (chance.choice(("weather", "time")), chance.choice(INPUTS))
        for _ in range(chance.choice((0, 0, 1, 2, 3)))
    ]
    text = "t" * chance.randint(0, 1) + "".join(chance.choices(WORDS[:3], k=chance.randint(0, 2)))
    if text:
        text += "".join(chance.choices(WORDS, k=2))
    thinking = "".join(chance.choices(WORDS[:3], k=chance.randint(0, 2)))
    stop = "tools" if calls else chance.choice(("end", "length", "refusal"))
    return Answer(text, thinking, calls, stop, (chance.randint(1, 50), chance.randint(3, 40)))


def damaged(frames: list[bytes], damage: str, framing: str, chance: random.Random) -> bytes:
    at, other = chance.randrange(len(frames)), chance.randrange(len(frames))
    match damage:
        case "doubled":
            frames.insert(at, frames[at])
        case "swapped":
            frames[at], frames[other] = frames[other], frames[at]
        case "lost":
            del frames[at]
        case "cut":
            del frames[at:]
        case "unknown":
            odd = json.dumps(chance.choice(UNKNOWN)).encode()
            frames.insert(at, odd + b"\n" if framing == "ndjson" else b"data: %b\n\n" % odd)
    return b"".join(frames)


def in_pieces(upstream: str, data: bytes, chance: random.Random) -> list[Event]:
    format, at, *_ = PROVIDERS[upstream]
    framer, reader = Framer(format.framing), format.reader(at)
    events: list[Event] = []
    while data:
        size = chance.choice((1, 2, 7, 50, 500))
        events += [event for frame in framer.feed(data[:size]) for event in reader.feed(frame)]
        data = data[size:]
    events += [event for frame in framer.close() for event in reader.feed(frame)]
    return events + reader.close()


def whole_arguments(events: list[Event]) -> bool:
    """Whether each call's arguments are JSON: damaged ones are shown as the model's own, which a
    stream and a whole answer have different places for."""
    pieces: dict[int, str] = {}
    for event in events:
        if isinstance(event, BlockStart) and isinstance(event.part, ToolUse):
            pieces[event.index] = ""
        elif isinstance(event, ArgumentsDelta) and event.index in pieces:
            pieces[event.index] += event.json
    return all(json_object(text or "{}") is not None for text in pieces.values())


@pytest.mark.long
@upstreams
@clients
def test_streamed_and_whole_are_the_same_whatever_was_told(client: str, upstream: str) -> None:
    format, _, _, _, say = PROVIDERS[upstream]
    theirs, _, hear = CLIENTS[client]
    question = Question(stream=True)
    if client != "completions":
        question = replace(question, tools=("weather", "time"), think=True)
    request = asked(client, question)
    for seed in range(ROUNDS):
        chance = random.Random(f"{seed} {upstream}")
        said, damage = answer(chance), chance.choice(DAMAGES)
        frames = [frame.raw for frame in Framer(format.framing).feed(say(said, True))]
        events = in_pieces(upstream, damaged(frames, damage, format.framing, chance), chance)
        check_events(events)
        if not isinstance(events[0], Start) or not whole_arguments(events):
            continue  # nothing began: the error is an answer of its own
        streamed = told(client, events, request, True)
        try:
            whole = theirs.render_response(events, request, now=1, id="r")
        except UpstreamError:
            assert damage != "none", seed
            assert ended_in_an_error(client, streamed), seed
        else:
            heard = hear(streamed, True)
            assert heard == hear(whole, False), (seed, damage)
            assert damage != "none" or heard == as_told(said, client, upstream), seed
