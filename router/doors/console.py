"""The console in a browser, below /console: passed on to a child of ours, started when first asked.

One rule: whoever asks gets the page; only a ticket opens the socket behind it (console/web).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from router.call import Call
from router.doors.homeward import Onward
from router.doors.passing import pass_on
from router.errors import CallerError, RequestError
from router.guards.body import ClientGoneError
from router.guards.host import without_port
from router.pages import notice
from router.settings import Timeouts

if TYPE_CHECKING:
    from router.service import Router

#: the child answers once it has imported its parts; no answer of its own takes longer than that
_TIMEOUTS = Timeouts(connect=10.0, first_byte=20.0, idle=3600.0, total=86_400.0)
CHILD = "web"


async def console(router: Router, call: Call) -> None:
    if call.scope["path"] == "/console":
        await moved(call, "console/")
        return
    child = router.need(CHILD)
    if child is None or child.state == "failed":
        why = child.trouble if child else "it is switched off"
        await notice(call, 503, "The console is not served here", why or "it could not start")
        return
    onward = Onward("console", router.web, call.path, "/console", timeouts=_TIMEOUTS)
    try:
        await pass_on(router, call, onward)
    except ClientGoneError:
        pass
    except RequestError as error:
        if not call.started:
            status = error.status if isinstance(error, CallerError) else 502
            await notice(call, status, "The console did not answer", error.message, again=2)


async def at_the_front(router: Router, call: Call, path: str) -> bool:
    """For a page that its own port has in the original: to where the front door has it. False where
    there is no front door."""
    port = router.generation.listen.port
    if not port:
        return False
    host = without_port(call.headers.get("host", "")) or "localhost"
    await moved(call, f"http://{f'[{host}]' if ':' in host else host}:{port}{path}")
    return True


async def moved(call: Call, place: str, screen: str = "") -> None:
    """A `place` of this origin is relative to the path asked for, so that it holds under any
    prefix."""
    query = f"?screen={screen}" if screen else ""
    headers = [("location", place + query), ("cache-control", "no-store")]
    await call.answer(307, b"", "text/plain", headers)
