"""How much one client may ask for: connections, tries, sessions, and how long a guesser is barred.

Its rule: pure bookkeeping with the clock handed in. Sources are counted apart, so that one which
guesses harms itself alone. OpenSSH's counterparts: MaxAuthTries, MaxStartups, MaxSessions and
PerSourcePenalties; asyncssh has none of them.
"""

from __future__ import annotations

from collections import Counter, OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

#: failed tries to log in on one connection
TRIES = 6
#: authentication requests of any kind on one connection: a client with six keys needs about twenty
REQUESTS = 40
#: consoles, shells, commands and file transfers on one connection
SESSIONS = 10
#: tunnelled TCP connections at once, on one connection: a browser or SDK opens a dozen
TUNNELS = 64
#: connections that have not logged in yet: of all, and of one source. Our own user's script may
#: open twenty at once
STARTUPS = 20
STARTUPS_OF_ONE = 10
CONNECTIONS = 100
#: new connections of one source at once, and how many a second after that: a handshake costs us
#: 4 ms, the client next to nothing (the DHEat attack, CVE-2002-20001). Our own user's scripts are
#: not slowed.
BURST = 15
STARTS_PER_SECOND = 10.0

#: failures that cost nothing, then seconds for the first one beyond, doubling up to the longest
FREE_FAILURES = 10
FIRST_BAR = 5.0
LONGEST_BAR = 600.0
#: seconds without a failure after which a source is forgiven
FORGIVEN = 900.0
_MOST_SOURCES = 4096


@dataclass(slots=True)
class _Record:
    failures: int = 0
    last: float = 0.0
    barred_until: float = 0.0
    starts: float = 0.0  # how far the burst is used up, at `started`
    started: float = 0.0


class Gate:
    """Counts connections and failures by source. `clock` gives seconds and never goes back."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._connections = 0
        self._starting: Counter[str] = Counter()
        self._records: OrderedDict[str, _Record] = OrderedDict()

    def enter(self, source: str, *, ours: bool = False) -> str:
        """Lets a new connection in and returns "", or says why not."""
        if self._connections >= CONNECTIONS:
            return f"{CONNECTIONS} connections are open already"
        if not ours and (why := self._too_many(source)):
            return why
        self._connections += 1
        self._starting[source] += 1
        return ""

    def logged_in(self, source: str) -> None:
        self._starting[source] -= 1
        if not self._starting[source]:
            del self._starting[source]

    def leave(self, source: str, *, logged_in: bool) -> None:
        if not logged_in:
            self.logged_in(source)
        self._connections -= 1

    def _too_many(self, source: str) -> str:
        if self._starting.total() >= STARTUPS:
            return f"{STARTUPS} connections are waiting to log in already"
        if self._starting[source] >= STARTUPS_OF_ONE:
            return f"{STARTUPS_OF_ONE} connections from {source} are waiting to log in already"
        if self._too_fast(source):
            return f"too many new connections a second from {source}"
        return ""

    def _too_fast(self, source: str) -> bool:
        now = self._clock()
        record = self._record(source)
        record.starts = max(0.0, record.starts - (now - record.started) * STARTS_PER_SECOND)
        record.started = now
        if record.starts >= BURST:
            return True
        record.starts += 1
        return False

    def _record(self, source: str) -> _Record:
        """Kept in the order of use: the ones used longest ago make room."""
        record = self._records.setdefault(source, _Record())
        self._records.move_to_end(source)
        while len(self._records) > _MOST_SOURCES:
            self._records.popitem(last=False)
        return record

    def failed(self, source: str) -> float:
        """Counts one failure. Returns the seconds for which `source` is barred now, 0: not."""
        now = self._clock()
        record = self._record(source)
        if now - record.last > FORGIVEN:
            record.failures = 0
        record.failures += 1
        record.last = now
        beyond = record.failures - FREE_FAILURES
        if beyond > 0:
            # the exponent is bounded: 2.0**1024 would overflow
            bar = min(FIRST_BAR * 2.0 ** min(beyond - 1, 30), LONGEST_BAR)
            record.barred_until = now + bar
        return self.barred(source)

    def barred(self, source: str) -> float:
        """Seconds for which `source` stays barred; 0: it is not."""
        record = self._records.get(source)
        return max(0.0, record.barred_until - self._clock()) if record else 0.0
