"""Everything that can go wrong with a request, as one tree.

    RequestError            carries a kind, an HTTP status and a message fit for the client
      ├── CallerError       the client's own request is wrong (400, 401, 403, 404, 413)
      ├── UpstreamError     a provider answered with an error, or not at all
      └── OursError         a fault of this program; the client learns only an incident id

`kind` is what policy reads, never the status or the words: two providers say the same thing in
many ways. `message` is always safe to show: no stack trace, no secret, no path of this machine.
"""

from __future__ import annotations

from typing import Literal

Kind = Literal[
    "caller",  # the request is wrong; sending it again changes nothing
    "credential",  # a key was refused
    "quota",  # out of budget or rate; may pass later (retry_after)
    "too_long",  # more tokens than the model can hold
    "refused",  # the provider's content policy forbids the prompt
    "missing",  # no such model or path at the provider
    "overload",  # the provider says it is busy
    "upstream",  # the provider failed (5xx, nonsense, cut connection)
    "connect",  # no connection was made: nothing was sent, nothing can be billed
    "timeout",  # a deadline passed
    "cancelled",  # the client left, or the operator stopped it
    "ours",
]


class RequestError(Exception):
    """Ends one request. `status` is the HTTP status for the client; `headers` go to it as well."""

    def __init__(
        self,
        message: str,
        *,
        kind: Kind,
        status: int,
        code: str | None = None,
        param: str | None = None,
        headers: tuple[tuple[str, str], ...] = (),
    ) -> None:
        super().__init__(message)
        self.message = message
        #: what the ledger and the log keep of it: never a text of the conversation
        self.noted = message
        self.kind: Kind = kind
        self.status = status
        #: a machine-readable name where the client's dialect has one ("provider_not_found")
        self.code = code
        #: the request field at fault, where the dialect has a place for it
        self.param = param
        self.headers = headers
        #: the id of the request that it ended, once that is known
        self.request = ""


class CallerError(RequestError):
    """The client's request is wrong. Never retried."""

    def __init__(
        self,
        message: str,
        *,
        status: int = 400,
        kind: Kind = "caller",
        code: str | None = None,
        param: str | None = None,
        headers: tuple[tuple[str, str], ...] = (),
    ) -> None:
        super().__init__(message, kind=kind, status=status, code=code, param=param, headers=headers)


class UpstreamError(RequestError):
    """A provider failed.

    `retry_after` is in seconds, where the provider named one. `provider_type` is the provider's own
    name for the error ("overloaded_error", "rate_limit_exceeded"). `headers` are those the client
    may see (retry-after, rate limits, x-should-retry).
    """

    def __init__(
        self,
        message: str,
        *,
        kind: Kind,
        status: int,
        provider: str = "",
        model: str = "",
        provider_type: str | None = None,
        retry_after: float | None = None,
        code: str | None = None,
        headers: tuple[tuple[str, str], ...] = (),
    ) -> None:
        super().__init__(message, kind=kind, status=status, code=code, headers=headers)
        self.provider = provider
        self.vendor = ""  # the provider's kind
        #: the model group that was asked, and those that stood by, once all is lost
        self.groups: tuple[str, ...] = ()
        self.model = model
        #: what it refused is left out of a next attempt
        self.mended = False
        #: the provider's own id of the request, which its support asks for
        self.provider_id = ""
        self.provider_type = provider_type
        self.retry_after = retry_after


class OursError(RequestError):
    """A fault of this program. The log has the trace under `incident`; the client does not."""

    def __init__(self, incident: str) -> None:
        super().__init__(
            f"internal error, incident {incident}: see the router's log",
            kind="ours",
            status=500,
        )
        self.incident = incident


class ConfigError(Exception):
    """A configuration file is wrong. Says where, so that a person can mend it.

    `file` is the path as the person knows it, `key` a dotted path ("Router.think"), `line` counts
    from 1.
    """

    def __init__(
        self, problem: str, *, file: str, key: str | None = None, line: int | None = None
    ) -> None:
        self.problem = problem
        self.file = file
        self.key = key
        self.line = line
        #: a file that is not there: once it is made, all may be well
        self.missing = ""
        where = file if line is None else f"{file}:{line}"
        super().__init__(f"{where}: {key}: {problem}" if key else f"{where}: {problem}")
