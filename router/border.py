"""The border of every exchange: whatever ends it becomes an answer and a row of the ledger.

One rule: a client whose stream has begun, be it only with pings, hears of an error inside it; any
other gets it as its whole answer, in its own dialect.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from typing import TYPE_CHECKING

from msgspec import Struct

from router.call import Call
from router.cycle import Leaving
from router.delivery import STREAMED
from router.ended import ended
from router.errors import CallerError, OursError, RequestError, UpstreamError
from router.formats import Format, Writer
from router.guards.body import ClientGoneError
from router.messages import Request
from router.record import Record, StoppedBy

if TYPE_CHECKING:
    from router.service import Router

STOPPED: dict[StoppedBy, str] = {
    "client": "the client left",
    "operator": "stopped by the operator",
    "router": "the router was stopped",
}
#: seconds for telling a client that it was stopped: one that does not read must not hold the end
LAST_WORDS = 1.0


class Border(Struct, eq=False):
    """Around one exchange. `headers`: lines of the door's own, for every answer."""

    _router: Router
    call: Call
    _format: Format
    _headers: Callable[[Record], str]
    _record: Record
    request: Request | None = None  # once it waits for the first event of a stream

    def watch_client(self) -> None:
        """From here on a client that leaves ends the work. Call it once the body was read."""
        leaving: Leaving = self.call.scope["leaving"]
        leaving.then(self._client_left)

    def awaits(self, request: Request) -> None:
        """From here on the client of a stream waits for its first event."""
        if request.stream and self._format.waiting:
            self.request, self._record.border = request, self

    def ping(self, now: float) -> None:
        """The client is told that it is served, as the contract of Claude Code's gateways wants it
        in any silence. The head before it names no model: another candidate may still answer."""
        self._record.pinged = now
        own = self._headers(self._record)
        self.call.ping(self._format.content_type, STREAMED, own, self._format.waiting)

    def _client_left(self) -> None:
        """Some go as soon as they have read the last word: they have all that they asked for."""
        if not self._record.complete:
            self._record.stop("client")

    async def __aenter__(self) -> Border:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: object
    ) -> bool:
        record, router = self._record, self._router
        try:
            if error is not None:
                return await self._end(error)
            record.state = "done"
            return True
        finally:
            # they hold the record, or who held the error: rings for the collector
            record.task = record.border = None
            if error is not None:
                error.__traceback__ = None
            record.ended = router.now()
            ended(router, record)

    async def _end(self, error: BaseException) -> bool:
        """Whether `error` ends here, and is told to the client as far as it is still there."""
        record = self._record
        if isinstance(error, ClientGoneError):
            leaving: Leaving = self.call.scope["leaving"]
            if leaving.refused is not None:
                status, words = leaving.refused  # its client was told so
                record.refuse(CallerError(words, status=status))
                record.status = status
                return True
        if isinstance(error, asyncio.CancelledError | ClientGoneError):
            return await self._stopped("client" if isinstance(error, ClientGoneError) else "")
        if not isinstance(error, RequestError):
            if not isinstance(error, Exception):
                return False
            error = OursError(self._router.log.incident("exchange", error, request=record.id))
        record.refuse(error)
        await self._tell(error)
        return True

    async def _stopped(self, by: StoppedBy) -> bool:
        """The work was ended from outside: by the client, the operator, or the router's own end."""
        record = self._record
        record.stopped_by = record.stopped_by or by or "router"
        record.state = "cancelled"
        record.error = STOPPED[record.stopped_by]
        task = asyncio.current_task()
        if task is not None:
            task.uncancel()
        if record.stopped_by != "client":
            no_more = (("x-should-retry", "false"),)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(LAST_WORDS):
                    await self._tell(
                        CallerError(record.error, status=503, kind="cancelled", headers=no_more)
                    )
        return True

    def _begun(self) -> Writer | None:
        """Whose stream the client reads: of nobody's yet, where it heard nothing but pings."""
        record = self._record
        if record.pinged and self.request is not None:
            record.status = 200
            return self._format.writer(self.request, now=int(record.started_at), id=record.id)
        return record.writer

    async def _tell(self, error: RequestError) -> None:
        """The error, in the client's dialect: as the whole answer, or as the end of its stream."""
        call, error.request = self.call, self._record.id
        if call.started:
            # what has no words for an error is left unfinished: its connection closes
            if (writer := self._begun()) is not None:
                await call.end(writer.fail(error))
            return
        status = self._format.client_status(error)
        self._record.status = status
        own, headers = self._headers(self._record), error.headers
        if isinstance(error, UpstreamError) and error.provider_id:
            headers = (*headers, ("x-pointsman-provider-request-id", error.provider_id))
        await call.answer(status, self._format.render_error(error), headers=headers, own=own)
