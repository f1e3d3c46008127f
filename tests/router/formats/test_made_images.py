"""An image that a model made reaches a client of every dialect that has a form for it."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from google.genai.types import GenerateContentResponse

from router.formats.untold import untold
from router.messages import Event
from router.tally import Tally
from tests.router.formats.grammar import check_anthropic, check_events, frames
from tests.router.formats.responses_grammar import check_response, check_responses
from tests.router.formats.test_citations import CLIENTS, G, R, sse
from tests.router.formats.wire import DONE, A, O, chunk, dumps, provider, read, written

DATA = "iVBORw0K"
TOLD = {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{DATA}"}}
ITEM = {"type": "image_generation_call", "id": "i", "status": "completed", "result": DATA}
DRAWN = {"id": "r", "status": "completed", "output": [{"type": "web_search_call"}, ITEM]}
PARTS = [{"text": "x"}, {"inlineData": {"mimeType": "image/png", "data": DATA}}]
CANDIDATE = {"content": {"parts": PARTS}, "finishReason": "STOP"}
MESSAGE = {"role": "assistant", "content": "x", "images": [TOLD]}
#: the events of a whole answer, and of a streamed one
SIDES: dict[str, tuple[list[Event], list[Event]]] = {
    "chat": (
        O.read_response(
            dumps({"choices": [{"message": MESSAGE, "finish_reason": "stop"}]}), provider()
        ),
        read(
            O.reader(provider()), chunk(content="x") + chunk(images=[TOLD]) + chunk("stop") + DONE
        ),
    ),
    "gemini": (
        G.read_response(dumps({"candidates": [CANDIDATE]}), provider()),
        read(G.reader(provider()), sse({"candidates": [CANDIDATE]})),
    ),
    "responses": (
        R.read_response(dumps(DRAWN), provider()),
        read(
            R.reader(provider()),
            sse(
                {"type": "response.output_item.done", "output_index": 1, "item": ITEM},
                {"type": "response.completed", "response": DRAWN},
            ),
        ),
    ),
}


def images(client: str, body: bytes, *, stream: bool) -> list[Any]:
    """The data that a client finds; one of Anthropic's finds a word in its place."""
    if client == "anthropic":
        message = check_anthropic(body) if stream else json.loads(body)
        return [DATA for one in message["content"] if one["text"] == "[image]"]
    if client == "responses":
        whole = check_responses(body) if stream else check_response(body)
        return [one["result"] for one in whole["output"] if one["type"] == ITEM["type"]]
    told = [data for _, data in frames(body) if data != b"[DONE]"] if stream else [body]
    if client == "gemini":
        chunks = [GenerateContentResponse.model_validate_json(one) for one in told]
        files = [part.inline_data for one in chunks for part in one.parts or ()]
        return [base64.b64encode(file.data or b"").decode() for file in files if file]
    choices = [choice for one in told for choice in json.loads(one)["choices"]]
    found = [(one.get("delta") or one.get("message") or {}).get("images", ()) for one in choices]
    return [one["image_url"]["url"].partition(",")[2] for some in found for one in some]


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
@pytest.mark.parametrize("client", CLIENTS)
@pytest.mark.parametrize("side", SIDES)
def test_an_image_reaches_the_client(side: str, client: str, stream: bool) -> None:
    events = SIDES[side][stream]
    check_events(events)
    format, request, _ = CLIENTS[client]
    out = written(format, request, events, stream=stream)
    assert images(client, out, stream=stream) == [DATA]
    tally = Tally(1)
    for event in events:
        tally.feed(event)
    lost = ["answer.images"] if format is A else []
    lost += ["answer.web_search_call"] if side == "responses" else []
    assert sorted(untold(tally.held or {}, format.name)) == lost
