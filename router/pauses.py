"""Sessions that an operator has paused: their new requests are refused until they are resumed.

One rule: a pause tells the client to come back, so that a conversation waits and is not lost. It
outlives the router, and every screen and `pointsman status` say that there is one.
"""

from __future__ import annotations

from router.errors import CallerError

#: under which the ledger keeps their names
PAUSE = "pause"
#: seconds after which a client may ask again; Claude Code does so by itself
AGAIN = 5


def refusal(session: str) -> CallerError:
    """What a paused session's client is told."""
    return CallerError(
        f"the operator has paused this session ({session[:100]}): it goes on when it is resumed",
        status=503,
        kind="overload",
        code="session_paused",
        headers=(("retry-after", str(AGAIN)), ("x-should-retry", "true")),
    )
