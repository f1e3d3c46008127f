"""Reads a request's body, within a size and a time."""

from __future__ import annotations

import asyncio

from router.asgi import Message, Receive, Scope
from router.errors import CallerError
from router.settings import Limits


class ClientGoneError(Exception):
    """The client left before its request was whole: there is nobody to answer."""


async def read_body(scope: Scope, receive: Receive, limits: Limits) -> bytes:
    """The whole body. Raises CallerError 413 or 408, ClientGoneError."""
    for name, value in scope["headers"]:
        # a content-length that is no number never gets past the parser
        if name == b"content-length" and int(value) > limits.body_bytes:
            raise _too_big(limits)
    try:
        async with asyncio.timeout(limits.body_seconds):
            message = await receive()
            data = _piece(message, limits, 0)
            if not message.get("more_body"):  # nearly always
                return data
            pieces, size = [data], len(data)
            while message.get("more_body"):
                message = await receive()
                data = _piece(message, limits, size)
                pieces.append(data)
                size += len(data)
    except TimeoutError:
        raise CallerError(
            f"the body took longer than {limits.body_seconds:g} s to arrive", status=408
        ) from None
    return b"".join(pieces)


def _piece(message: Message, limits: Limits, before: int) -> bytes:
    if message["type"] != "http.request":
        raise ClientGoneError
    data: bytes = message.get("body", b"")
    if before + len(data) > limits.body_bytes:
        raise _too_big(limits)
    return data


def _too_big(limits: Limits) -> CallerError:
    return CallerError(f"the body is larger than {limits.body_bytes} bytes", status=413)
