"""The least a gateway of ours can cost: edge, guards and transport, and nothing between them.

python floor.py PORT MOCK_PORT
"""

from __future__ import annotations

import asyncio
import sys

import uvloop

from router.asgi import Receive, Scope, Send
from router.call import Call
from router.edge import Edge, bind
from router.guards import check
from router.guards.body import read_body
from router.settings import Generation, Groups, Limits, Role, Routes, Timeouts
from router.transport import Transport


async def main(port: int, mock: int) -> None:
    generation = Generation(1, {}, Routes(), Groups(), Role("litellm"), Role("ccr"))
    transport, timeouts, limits = Transport(), Timeouts(), Limits()
    base = f"http://127.0.0.1:{mock}"
    headers = (("content-type", "application/json"), ("authorization", "Bearer sk-bench"))

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        call = Call(scope, receive, send, scope["path"])
        check(scope, call.headers, generation)
        body = await read_body(call, limits)
        answer = await transport.send(
            scope["method"], base + scope["path"], headers, body, timeouts=timeouts, provider="mock"
        )
        kind = answer.headers.get("content-type", "").encode()
        named = [(b"content-type", kind)]
        if not kind.startswith(b"text/event-stream"):
            whole = await answer.body(limits.body_bytes)
            named.append((b"content-length", b"%d" % len(whole)))
            await send({"type": "http.response.start", "status": answer.status, "headers": named})
            await send({"type": "http.response.body", "body": whole})
            return
        await send({"type": "http.response.start", "status": answer.status, "headers": named})
        while data := await answer.read():
            await send({"type": "http.response.body", "body": data, "more_body": True})
        await send({"type": "http.response.body", "body": b""})

    await Edge(app, [bind("127.0.0.1", port)], limits).start()
    await asyncio.Event().wait()


if __name__ == "__main__":
    uvloop.run(main(int(sys.argv[1]), int(sys.argv[2])))
