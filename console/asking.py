"""Asks a model through the router's own front door, as any client would, and tells how it goes.

Its rule: a prompt sent from here is labelled in the ledger (its client is LABEL), takes the same
way as everybody's, and its answer is kept in memory alone.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import httpx
import msgspec

LABEL = "pointsman-playground"
MAX_TOKENS = 2_048
#: characters of an answer that are kept
LONGEST = 200_000
PATIENCE = httpx.Timeout(10.0, read=300.0)


@dataclass(slots=True)
class Asked:
    """One answer on its way. `state` is "waiting", "streaming", "done", "failed" or "stopped";
    `started` and `ended` are of the monotonic clock; `id` is the request's, for the ledger."""

    state: str = "waiting"
    text: str = ""
    error: str = ""
    #: what the router could not do as it was asked to, though there is an answer
    problem: str = ""
    id: str = ""
    model: str = ""
    started: float = field(default_factory=time.monotonic)
    first: float | None = None
    ended: float | None = None

    @property
    def ttft_ms(self) -> float | None:
        return None if self.first is None else (self.first - self.started) * 1000

    @property
    def took_ms(self) -> float:
        return ((self.ended or time.monotonic()) - self.started) * 1000


def body_of(prompt: str) -> dict[str, Any]:
    """What is sent, and what a dry run is asked about."""
    return {
        "max_tokens": MAX_TOKENS,
        "stream": True,
        "messages": [{"role": "user", "content": prompt}],
    }


def headers_of(target: str, label: str = LABEL) -> dict[str, str]:
    """`target` "" leaves the choice to the rules."""
    chosen = {"x-pointsman-model": target} if target else {}
    return {"user-agent": label, "anthropic-version": "2023-06-01", **chosen}


async def ask(
    door: str, key: str, prompt: str, target: str, asked: Asked, changed: Callable[[], None]
) -> None:
    """Fills `asked` in, calling `changed` on every piece. Never raises but when cancelled."""
    from console.chat import events

    headers = {
        **headers_of(target),
        "authorization": f"Bearer {key}",
        "content-type": "application/json",
    }
    try:
        # no proxy of the environment: the router is on this machine
        async with (
            httpx.AsyncClient(timeout=PATIENCE, trust_env=False) as client,
            client.stream(
                "POST",
                f"{door}/ccr/v1/messages",
                content=msgspec.json.encode(body_of(prompt)),
                headers=headers,
            ) as response,
        ):
            asked.id = response.headers.get("x-request-id", "")
            asked.problem = response.headers.get("x-pointsman-problem", "")
            if response.status_code != 200:
                asked.error = error_text(response.status_code, await response.aread())
            else:
                async for event in events(response.aiter_bytes()):
                    _take(asked, event)
                    changed()
    except httpx.HTTPError as error:
        asked.error = asked.error or f"the router does not answer: {error}"
    except BaseException:
        asked.state, asked.ended = "stopped", time.monotonic()
        raise
    asked.ended = time.monotonic()
    asked.state = "failed" if asked.error else "done"
    changed()


def _take(asked: Asked, event: dict[str, Any]) -> None:
    match event:
        case {"type": "message_start", "message": {"model": str(model)}}:
            asked.model = model
        case {"type": "content_block_delta", "delta": {"type": kind, **delta}}:
            asked.first = asked.first or time.monotonic()
            asked.state = "streaming"
            if kind == "text_delta" and len(asked.text) < LONGEST:
                asked.text += str(delta.get("text", ""))
        case {"type": "error", "error": {"message": str(message)}}:
            asked.error = message


def error_text(status: int, body: bytes) -> str:
    try:
        message = msgspec.json.decode(body)["error"]["message"]
    except (msgspec.DecodeError, KeyError, TypeError):
        message = body.decode("utf-8", "replace").strip()
    return f"{status}: {message}"
