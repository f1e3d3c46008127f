"""Reads a request's body: JSON, within a size. connection.py bounds its time, as it arrives.

What goes on to another program as it is (doors/passing.py) is not read here, of whatever type.
"""

from __future__ import annotations

from typing import Protocol

from router.asgi import Receive
from router.errors import CallerError
from router.guards import content
from router.settings import Limits


class ClientGoneError(Exception):
    """The client left, or was refused, before its request was whole: there is nobody to answer."""


class Asked(Protocol):
    """A request: what call.py has of it."""

    headers: dict[str, str]
    receive: Receive

    def arrived(self) -> bytes | None:
        """Its body where all of it has arrived, as nearly always; None: `receive` tells it."""


async def read_body(call: Asked, limits: Limits, *, forms: bool = False) -> bytes:
    """The whole body; `forms`: it may be one with files.

    Raises CallerError 413 or 415, ClientGoneError.
    """
    headers = call.headers
    # one that is no number, or a second one, never gets past the parser
    if int(headers.get("content-length", 0)) > limits.body_bytes:
        raise _too_big(limits)
    content.check(headers.get("content-type", ""), forms=forms)
    if (whole := call.arrived()) is not None:
        if len(whole) > limits.body_bytes:
            raise _too_big(limits)
        return whole
    pieces: list[bytes] = []
    size = 0
    while True:
        message = await call.receive()
        if message["type"] != "http.request":
            raise ClientGoneError
        data: bytes = message.get("body", b"")
        size += len(data)
        if size > limits.body_bytes:
            raise _too_big(limits)
        if not message.get("more_body"):
            return b"".join((*pieces, data)) if pieces else data
        pieces.append(data)


def _too_big(limits: Limits) -> CallerError:
    return CallerError(f"the body is larger than {limits.body_bytes} bytes", status=413)
