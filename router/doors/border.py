"""The border of every door: what is raised behind it becomes an answer in the door's own dialect.

One rule: nothing that a client sends gets past it as a bare 500 or a stack trace, and a client that
was already told a success sees the connection break instead.
"""

from __future__ import annotations

from collections.abc import Awaitable
from typing import TYPE_CHECKING

from router.call import Call
from router.doors.refusing import refused
from router.errors import OursError, RequestError
from router.formats import Format
from router.guards.body import ClientGoneError

if TYPE_CHECKING:
    from router.service import Router


async def guarded(router: Router, call: Call, format: Format, work: Awaitable[None]) -> None:
    """Awaits `work`, a door's own way of answering `call`."""
    try:
        await work
    except ClientGoneError:
        pass  # nobody to answer
    except RequestError as error:
        await _tell(router, call, format, error)
    except Exception as error:  # noqa: BLE001  the border of a door
        incident = router.log.incident("door", error, request=call.named())
        await _tell(router, call, format, OursError(incident))


async def _tell(router: Router, call: Call, format: Format, error: RequestError) -> None:
    if call.started:
        # an answer that is left unfinished closes its connection
        router.log.warning("door", f"an answer at {call.path[:300]} was cut: {error.message}")
        return
    status, error.request = format.client_status(error), call.named()
    refused(router, call, status, error.noted)
    await call.answer(status, format.render_error(error), headers=error.headers)
