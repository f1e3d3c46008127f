"""What all connections of one SSH front share.

Its rule: state lives here and on the connection, nowhere else; nothing is global.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

import asyncssh

from console.remote.environment import Account
from console.remote.nursery import Nursery
from console.remote.options import Options
from console.remote.visit import Visit
from console.ssh.limits import Gate
from console.ssh.passwords import Comparer
from console.ssh.users import Watched


@dataclass(slots=True)
class Front:
    options: Options
    account: Account
    gate: Gate
    users: Watched
    #: None where a login does not run the console
    nursery: Nursery | None = None
    comparer: Comparer = field(default_factory=Comparer)
    connections: set[asyncssh.SSHServerConnection] = field(default_factory=set)
    #: sessions whose program runs; when the front stops they are waited for
    sessions: set[asyncio.Task[None]] = field(default_factory=set)
    visits: set[Visit] = field(default_factory=set)
    #: event-loop time before which no further refusal is logged: a flood must not fill the log
    quiet_until: float = 0.0
