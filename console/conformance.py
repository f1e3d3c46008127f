"""Which features really work at one provider's model: a few small real requests, one for each.

Its rule: bounded (len(CHECKS) requests, MOST_OUTPUT tokens in all), sent through the front door
like everybody's and labelled in the ledger (client LABEL), and never done without being asked.
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Any

import httpx
import msgspec

LABEL = "pointsman-check"
#: tokens that all checks together send and may get back, about
MOST_INPUT, MOST_OUTPUT = 1_600, 1_500
PATIENCE = httpx.Timeout(10.0, read=90.0)
#: a picture of one pixel
PIXEL = (
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJ"
    "AAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
_TOOL = {
    "name": "get_weather",
    "description": "The weather of a city",
    "input_schema": {
        "type": "object",
        "properties": {"city": {"type": "string"}},
        "required": ["city"],
    },
}
_CALL = {"type": "tool_use", "id": "toolu_check1", "name": "get_weather", "input": {"city": "Rome"}}
_RESULT = {"type": "tool_result", "tool_use_id": "toolu_check1", "content": "sunny, 24 degrees"}
_IMAGE = {
    "type": "image",
    "source": {"type": "base64", "media_type": "image/png", "data": PIXEL},
}

Body = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Found:
    """What one check showed. `works` None: accepted, and no more can be said."""

    name: str
    works: bool | None
    detail: str
    took_ms: float
    id: str = ""


@dataclass(frozen=True, slots=True)
class Check:
    """`judge` gets the decoded answer (streams: folded into one) and says what it shows."""

    name: str
    body: Body
    judge: Callable[[Body], tuple[bool | None, str]]


def _said(content: object, tokens: int = 40, **more: Any) -> Body:
    return {"max_tokens": tokens, "messages": [{"role": "user", "content": content}], **more}


def _texts(answer: Body) -> str:
    blocks = answer.get("content") or []
    return "".join(str(b.get("text", "")) for b in blocks if b.get("type") == "text")


def _text(answer: Body) -> tuple[bool | None, str]:
    text = _texts(answer).strip()
    return bool(text), text[:60] or "an empty answer"


def _stream(answer: Body) -> tuple[bool | None, str]:
    pieces, ended = answer.get("pieces", 0), answer.get("ended", False)
    if not ended:
        return False, "the stream broke off"
    return bool(_texts(answer)), f"{pieces} piece{'s' * (pieces != 1)}"


def _usage(answer: Body) -> tuple[bool | None, str]:
    used = answer.get("usage") or {}
    given, got = used.get("input_tokens") or 0, used.get("output_tokens") or 0
    return given > 0 and got > 0, f"{given} in, {got} out"


def _calls(answer: Body) -> tuple[bool | None, str]:
    calls = [b for b in answer.get("content") or [] if b.get("type") == "tool_use"]
    if not calls:
        return False, "no call, though one was demanded"
    city = calls[0].get("input", {}).get("city")
    return isinstance(city, str), f"{calls[0].get('name')}({city})"


def _limit(answer: Body) -> tuple[bool | None, str]:
    reason = answer.get("stop_reason")
    return reason == "max_tokens", f"stopped by {reason}"


def _thinks(answer: Body) -> tuple[bool | None, str]:
    kinds = [b.get("type") for b in answer.get("content") or []]
    if "thinking" in kinds or "redacted_thinking" in kinds:
        return True, "thinks, and shows it"
    return None, "accepted; no thinking came back"


CHECKS: tuple[Check, ...] = (
    Check("text", _said("Reply with the one word: ready"), _text),
    Check("stream", _said("Count from one to five.", stream=True), _stream),
    Check("usage", _said("Say hello."), _usage),
    Check(
        "tool call",
        _said("Weather in Rome?", 100, tools=[_TOOL], tool_choice={"type": "any"}),
        _calls,
    ),
    Check(
        "tool result",
        {
            "max_tokens": 60,
            "tools": [_TOOL],
            "messages": [
                {"role": "user", "content": "Weather in Rome?"},
                {"role": "assistant", "content": [_CALL]},
                {"role": "user", "content": [_RESULT]},
            ],
        },
        _text,
    ),
    Check("image", _said([{"type": "text", "text": "Which colour?"}, _IMAGE]), _text),
    Check("token limit", _said("Write a long poem about trains.", 5), _limit),
    Check(
        "thinking",
        _said("What is 17 * 23?", 1_100, thinking={"type": "enabled", "budget_tokens": 1_024}),
        _thinks,
    ),
)


async def run(door: str, key: str, target: str) -> AsyncIterator[Found]:
    """One after another, in the order of CHECKS. Raises httpx.HTTPError when no router answers."""
    headers = {
        "user-agent": LABEL,
        "anthropic-version": "2023-06-01",
        "authorization": f"Bearer {key}",
        "content-type": "application/json",
        "x-pointsman-model": target,
        "x-session-id": f"check {target}"[:100],
    }
    async with httpx.AsyncClient(timeout=PATIENCE, trust_env=False, headers=headers) as client:
        for check in CHECKS:
            yield await _one(client, f"{door}/ccr/v1/messages", check, target)


async def _one(client: httpx.AsyncClient, url: str, check: Check, target: str) -> Found:
    from console.asking import error_text

    began = time.monotonic()

    def found(works: bool | None, detail: str, id: str) -> Found:
        return Found(check.name, works, detail, (time.monotonic() - began) * 1000, id)

    async with client.stream("POST", url, content=msgspec.json.encode(check.body)) as response:
        id = response.headers.get("x-request-id", "")
        if response.status_code != 200:
            return found(False, error_text(response.status_code, await response.aread()), id)
        served = response.headers.get("x-pointsman-model", target)
        if served != target:  # a fallback answered: that says nothing of this model
            return found(False, f"{served} answered instead", id)
        try:
            if check.body.get("stream"):
                answer = await _folded(response)
            else:
                answer = msgspec.json.decode(await response.aread(), type=dict[str, Any])
            return found(*check.judge(answer), id)
        except (msgspec.DecodeError, AttributeError, TypeError) as error:
            return found(False, f"an answer that cannot be read: {error}", id)


async def _folded(response: httpx.Response) -> Body:
    from console.chat import events

    text, pieces, ended = "", 0, False
    async for event in events(response.aiter_bytes()):
        match event:
            case {"type": "content_block_delta", "delta": {"text": str(piece)}}:
                text += piece
                pieces += 1
            case {"type": "message_stop"}:
                ended = True
    return {"content": [{"type": "text", "text": text}], "pieces": pieces, "ended": ended}
