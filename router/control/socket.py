"""The control socket: the contract's snapshot, watch and act, for consoles on this machine.

A Unix socket in a private folder is the only door to it: who may open the file may operate the
router. A console that a front opened for somebody shows that visitor's token, and may do what the
visitor may. Never on TCP.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import msgspec

from router.asgi import Receive, Scope, Send
from router.call import Call
from router.contract import (
    PROTOCOL,
    VERSION,
    Action,
    Arrival,
    Refused,
    Result,
    Snapshot,
    Visitor,
)
from router.control.actions import act
from router.control.listeners import listeners
from router.control.visitors import NEEDS, may
from router.live import Watcher

if TYPE_CHECKING:
    from router.service import Router

#: bytes of an action: an Explain carries a whole request body
LARGEST = 64 * 1024 * 1024
_ACTION: msgspec.json.Decoder[Action] = msgspec.json.Decoder(Action)
_ARRIVAL = msgspec.json.Decoder(Arrival)
_TOKEN = "x-pointsman-visitor"  # noqa: S105 - a header's name


class Control:
    """The ASGI application of the control socket."""

    def __init__(self, router: Router) -> None:
        self._router = router

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        call = Call(scope, receive, send, scope["path"])
        token = call.headers.get(_TOKEN, "")
        visitor = self._router.visitors.by_token(token)
        if token and visitor is None:
            await call.json(403, {"error": "this visit has ended"})
            return
        match call.method, call.path:
            case "GET", "/alive":
                await call.json(200, {"pid": self._router.pid, "version": VERSION})
            case "GET", "/snapshot":
                await call.json(200, snapshot(self._router))
            case "GET", "/watch":
                await self._watch(call)
            case "POST", "/act":
                await call.json(200, await self._act(call, visitor))
            case "POST", "/visit" if visitor is None:
                await self._visit(call)
            case _:
                await call.json(404, {"error": "no such verb"})

    async def _watch(self, call: Call) -> None:
        watcher = self._router.live.watch()
        gone = asyncio.create_task(_gone(call))
        try:
            await call.begin(200, "application/x-ndjson")
            await call.more(b"")  # so that the head does not wait for the first change
            while not gone.done():
                await _relay(call, watcher, gone)
        except asyncio.CancelledError:  # the router ends: the answer's end says so
            await call.end()
        finally:
            gone.cancel()
            self._router.live.unwatch(watcher)

    async def _visit(self, call: Call) -> None:
        """Somebody is here for as long as this call lasts."""
        try:
            arrival = _ARRIVAL.decode(await _body(call) or b"")
        except msgspec.DecodeError as error:
            await call.json(400, {"error": f"not an arrival of protocol {PROTOCOL}: {error}"})
            return
        visit = self._router.visitors.enter(arrival)
        gone = asyncio.create_task(_gone(call))
        dismissed = asyncio.create_task(visit.dismissed.wait())
        line = msgspec.json.encode(visit.view) + b"\n"
        try:
            await call.begin(200, "application/x-ndjson")
            await call.more(line)
            await asyncio.wait({gone, dismissed}, return_when=asyncio.FIRST_COMPLETED)
            if dismissed.done():
                await call.more(line)
        except asyncio.CancelledError:
            await call.end()
        finally:
            gone.cancel()
            dismissed.cancel()
            self._router.visitors.leave(arrival)

    async def _act(self, call: Call, visitor: Visitor | None) -> Result:
        body = await _body(call)
        if body is None:
            return Refused("the action is larger than 64 MiB")
        try:
            action = _ACTION.decode(body)
        except msgspec.DecodeError as error:
            return Refused(f"not an action of protocol {PROTOCOL}: {error}")
        if visitor is None:
            return await act(self._router, action)
        if not may(visitor.role, action):
            what = type(action).__name__
            self._router.log.warning("control", f"{visitor.by}: {what} refused to {visitor.role}")
            needed = NEEDS.get(type(action), "admin")
            return Refused(f"this needs the role {needed}; yours is {visitor.role}")
        if hasattr(action, "by"):
            action = msgspec.structs.replace(action, by=visitor.by)
        return await act(self._router, action)


async def _body(call: Call) -> bytes | None:
    """None where it is larger than an action may be."""
    body = bytearray()
    more = True
    while more:
        message = await call.receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
        if len(body) > LARGEST:
            return None
    return bytes(body)


async def _relay(call: Call, watcher: Watcher, gone: asyncio.Task[None]) -> None:
    changes = asyncio.ensure_future(watcher.get())
    await asyncio.wait({changes, gone}, return_when=asyncio.FIRST_COMPLETED)
    if not changes.done():
        changes.cancel()
        return
    await call.more(changes.result())


async def _gone(call: Call) -> None:
    while (await call.receive())["type"] != "http.disconnect":
        pass


def snapshot(router: Router) -> Snapshot:
    generation = router.generation
    return Snapshot(
        version=VERSION,
        protocol=PROTOCOL,
        pid=router.pid,
        started_at=router.began_at,
        home=str(router.home.config),
        generation=generation.number,
        simulated_only=generation.simulated_only(),
        listeners=listeners(generation, router.home.socket),
        findings=router.findings(),
        services=router.services(),
        overrides=router.overrides.views(generation),
        running=tuple(record.view() for record in router.live.running.values()),
        recent=tuple(router.live.recent),
        beat=router.live.beat(),
        targets=tuple(generation.targets()),
        paused=tuple(sorted(router.paused)),
        scenarios={name: str(target) for name, target in generation.routes.targets.items()},
        config_error=router.config_error,
        visitors=router.visitors.views(),
        alerts=tuple(router.alerts.recent),
        ledger_trouble=router.ledger.trouble,
        held=router.manager.holds_us,
    )
