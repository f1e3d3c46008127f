"""The Responses API of the LiteLLM role: `POST /v1/responses`, and what was answered, by its id.

Its one rule: a client that goes on from a response of ours (`previous_response_id`) is served by
whatever provider the rules choose, since the earlier turns are put before its input here. What a
provider of this format keeps itself is that provider's: such an id goes to it as it is.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Iterable
from typing import TYPE_CHECKING

import msgspec

from router.call import Call
from router.caller import public_name, session_of
from router.errors import CallerError, RequestError
from router.exchange import Surface, exchange
from router.formats import Format, Writer
from router.formats.openai_responses import OpenAIResponses
from router.formats.openai_responses.writer import ResponsesWriter
from router.formats.splice import members, splice
from router.guards.body import read_body
from router.messages import JSON, Event, Finish, Request
from router.other_endpoints.compact import compact
from router.responses.remembered import Kept, Remembered, items_of, joined

if TYPE_CHECKING:
    from router.service import Router

PATHS = re.compile(
    r"(?:/v1)?/responses(?:/(?P<id>[^/]+)(?:/(?P<part>input_items|cancel))?)?"
    r"|/(?:engines|openai/deployments)/.+/responses"
)
#: the place in the scope of a WebSocket's turn of the response that it goes on from
GOES_ON = "goes on from"
#: items of a page of input_items, where the client does not say
_PAGE = 20
_MOST = 100
_BROKEN = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)


async def responses(
    router: Router, call: Call, surface: Surface, door: Callable[[Call], Awaitable[None]]
) -> None:
    """Serves one call of a path that PATHS knows. `door`: what each turn of a WebSocket goes
    through."""
    found = PATHS.fullmatch(call.path)
    assert found is not None
    id, part = found["id"], found["part"]
    key = public_name(call.key)
    match call.method, part:
        case "POST", None if id is None or id == "compact":
            if surface.external is None:
                goes_on = call.scope.get(GOES_ON, "")
                format = Continuing(router.remembered, key, surface.format, goes_on)
                surface = msgspec.structs.replace(surface, format=format)
            await (exchange if id is None else compact)(router, call, surface)
        case "GET", None if is_socket(call):
            # the library under it takes 20 ms to import
            from router.doors.responses.socket import converse

            def known(id: str) -> bool:
                return router.remembered.get(id, key) is not None

            await converse(router, call, surface.format, known, door)
        case "POST", None if id == "input_tokens":
            await _count(router, call)
        case "GET", None if id is not None:
            kept = _kept(router.remembered, id, key)
            await call.answer(200, kept.response)
        case "DELETE", None if id is not None:
            _kept(router.remembered, id, key)
            router.remembered.forget(id)
            await call.json(200, {"id": id, "object": "response", "deleted": True})
        case "GET", "input_items":
            await call.json(200, _page(call, _kept(router.remembered, id, key), id))
        case "POST", "cancel":
            _kept(router.remembered, id, key)
            raise CallerError("Cannot cancel a synchronous response.", param="id")
        case _:
            raise CallerError(f"{call.method} is not served at {call.path}", status=405)


def is_socket(call: Call) -> bool:
    """Whether it is the handshake of a WebSocket, to be served here."""
    if "tunnel" not in call.scope:
        return False
    found = PATHS.fullmatch(call.path)
    return found is not None and found["id"] is None


def _kept(remembered: Remembered, id: str, key: str) -> Kept:
    kept = remembered.get(id, key)
    if kept is None:
        raise CallerError(
            f"Response with id {id[:100]!r} not found. Responses are kept in memory, for the key "
            "that made them; those that a provider keeps are asked of that provider.",
            status=404,
            kind="missing",
            param="id",
        )
    return kept


async def _count(router: Router, call: Call) -> None:
    """How many input tokens a request would have, counted here."""
    raw = await read_body(call, router.generation.limits)
    request = router.formats[OpenAIResponses.name].parse_request(raw)
    tokens, _ = await router.counter.count(request, None)
    seen = router.sessions.get(session_of(call.headers, request.body))
    tokens = round(tokens * seen.ratio) if seen is not None else tokens
    await call.json(200, {"object": "response.input_tokens", "input_tokens": tokens})


def _page(call: Call, kept: Kept, id: str) -> JSON:
    """The items of one turn, newest first unless the client asks otherwise."""
    asked = {name: values[0] for name, values in call.query.items()}
    items: list[JSON] = [
        {"type": "message", "id": f"item_{id}_{number}", **msgspec.json.decode(item)}
        for number, item in enumerate(items_of(kept.input))
    ]
    if asked.get("order") != "asc":
        items.reverse()
    ids = [item["id"] for item in items]
    if (after := asked.get("after")) in ids:
        items = items[ids.index(after) + 1 :]
    limit = asked.get("limit", "")
    most = min(int(limit), _MOST) if limit.isdecimal() and len(limit) < 4 else _PAGE
    page = items[: max(most, 1)]
    return {
        "object": "list",
        "data": page,
        "first_id": page[0]["id"] if page else None,
        "last_id": page[-1]["id"] if page else None,
        "has_more": len(page) < len(items),
    }


class Continuing(OpenAIResponses):
    """The format of one request that may go on from a response, and be gone on from. `door`: the
    door's own, which tells the errors. `joined`: the response that it goes on from, where the turns
    before are in its input already."""

    def __init__(self, remembered: Remembered, key: str, door: Format, joined: str = "") -> None:
        self._remembered = remembered
        self._key = key
        self._door = door
        self._joined = joined
        self._previous = ""
        self._raw = b""  # as the client sent it

    def parse_request(self, raw: bytes) -> Request:
        request = self._parse(raw)
        if self._joined:
            request.body["previous_response_id"] = self._joined
        return request

    def _parse(self, raw: bytes) -> Request:
        self._raw = raw
        if b'"previous_response_id"' not in raw:
            return super().parse_request(raw)
        try:
            found = members(raw)
            id = msgspec.json.decode(found.get("previous_response_id", b"null"))
            input = items_of(bytes(found["input"])) if "input" in found else []
        except _BROKEN:
            return super().parse_request(raw)  # which tells what is wrong
        before = self._remembered.before(id, self._key) if type(id) is str and id else None
        if before is None:
            return super().parse_request(raw)
        changes = {"input": joined(before + input), "previous_response_id": None}
        request = super().parse_request(splice(raw, changes))
        self._previous = id
        request.body["previous_response_id"] = id
        return request

    def render_error(self, error: RequestError) -> bytes:
        return self._door.render_error(error)

    def client_status(self, error: RequestError) -> int:
        return self._door.client_status(error)

    def writer(self, request: Request, *, now: int, id: str) -> Writer:
        return _Writer(self, request, now, id)

    def render_response(
        self, events: Iterable[Event], request: Request, *, now: int, id: str
    ) -> bytes:
        body = super().render_response(events, request, now=now, id=id)
        self.keep(request, body)
        return body

    def keep(self, request: Request, response: bytes) -> None:
        """Unless the client said that it keeps the conversation itself."""
        if request.body.get("store") is False:
            return
        told, asked = members(response), members(self._raw)
        kept = Kept(
            key=self._key,
            previous=self._previous,
            input=joined(items_of(bytes(asked["input"]))) if "input" in asked else b"[]",
            output=bytes(told["output"]),
            response=response,
        )
        self._remembered.keep(msgspec.json.decode(told["id"], type=str), kept)


class _Writer(ResponsesWriter):
    """Kept before the client learns the id's last word: it may go on at once."""

    def __init__(self, format: Continuing, request: Request, now: int, id: str) -> None:
        super().__init__(request, now, id)
        self._format = format

    def feed(self, event: Event) -> bytes:
        out = super().feed(event)
        if type(event) is Finish and self.whole:
            self._format.keep(self._request, self.whole)
        return out
