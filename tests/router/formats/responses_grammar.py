"""What a legal answer of the Responses API is: OpenAI's own types, and the order of events."""

from __future__ import annotations

from copy import deepcopy
from typing import Any, get_args

import msgspec
from openai.types.responses import Response, ResponseStreamEvent

from router.framing import Framer

#: by the type that each of them must have
_EVENTS: dict[str, Any] = {
    kind.model_fields["type"].annotation.__args__[0]: kind
    for kind in get_args(get_args(ResponseStreamEvent)[0])
}
for model in (Response, *_EVENTS.values()):
    model.model_rebuild()  # the SDK builds a type when it is first used: half a second
_ENDS = {"response.completed", "response.incomplete", "response.failed"}
_DELTAS = {
    "response.output_text.delta": "text",
    "response.refusal.delta": "refusal",
    "response.reasoning_summary_text.delta": "summary",
    "response.function_call_arguments.delta": "arguments",
    "response.custom_tool_call_input.delta": "input",
}


def check_response(body: bytes) -> dict[str, Any]:
    """A whole answer; raises where OpenAI's schema would."""
    answer: dict[str, Any] = msgspec.json.decode(body)
    Response.model_validate(answer)
    return answer


def check_responses(stream: bytes) -> dict[str, Any]:
    """The response that the stream's last event tells."""
    framer = Framer()
    frames = [f for f in framer.feed(stream) + framer.close() if f.data]
    events = [msgspec.json.decode(frame.data) for frame in frames]
    for number, (frame, event) in enumerate(zip(frames, events, strict=True)):
        assert frame.event == event["type"]
        assert event["sequence_number"] == number
        _EVENTS[event["type"]].model_validate(_known(event))
    kinds = [event["type"] for event in events]
    assert kinds[:2] == ["response.created", "response.in_progress"] or kinds == ["response.failed"]
    assert [kind in _ENDS for kind in kinds] == [False] * (len(kinds) - 1) + [True]
    last: dict[str, Any] = events[-1]["response"]
    done = _items(events)
    if kinds[-1] != "response.failed":
        assert done == last["output"]
    return last


def _known(event: dict[str, Any]) -> dict[str, Any]:
    """OpenAI fails a response with more codes ("server_is_overloaded") than its schema has."""
    error = (event.get("response") or {}).get("error")
    if error:
        event = deepcopy(event)
        event["response"]["error"]["code"] = "server_error"
    return event


def _items(events: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """What was told item by item; each added once, then filled, then done, one after the other."""
    done: list[dict[str, Any]] = []
    item: dict[str, Any] | None = None
    texts: dict[str, str] = {}
    for event in events:
        kind = event["type"]
        if "output_index" not in event:
            continue
        assert event["output_index"] == len(done)
        if kind == "response.output_item.added":
            assert item is None
            item, texts = event["item"], {}
        elif kind == "response.output_item.done":
            assert item is not None
            assert (event["item"]["id"], event["item"]["type"]) == (item["id"], item["type"])
            _filled(event["item"], texts)
            done.append(event["item"])
            item = None
        else:
            assert item is not None
            assert event["item_id"] == item["id"]
            if name := _DELTAS.get(kind):
                texts[name] = texts.get(name, "") + event["delta"]
            elif name := _DELTAS.get(kind.replace(".done", ".delta")):
                field = "text" if name == "summary" else name
                assert event[field] == texts.get(name, event[field])
    return done


def _filled(item: dict[str, Any], texts: dict[str, str]) -> None:
    """The deltas, joined, are what the item holds."""
    for name, text in texts.items():
        held = item["content"] if name in ("text", "refusal") else item.get(name)
        if isinstance(held, list):
            field = "text" if name == "summary" else name
            held = "".join(part[field] for part in held)
        assert held == text, name
