"""One connection: who may log in, and what they may open.

Its rule: the identity is the key that signed, never one that was merely offered, and what is not
named here is refused: agent and X11 forwarding, ports of the client's choice, Unix sockets.
"""

from __future__ import annotations

import asyncio
import hmac
import os
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import cast

import asyncssh

from console.remote import log
from console.remote.environment import Address
from console.ssh import keys, limits, peer, roles
from console.ssh.front import Front
from console.ssh.session import Session, Who
from console.ssh.users import User

#: the usage guide's password. It opens nothing to anyone who is not this Unix user already.
DEVELOPMENT_PASSWORD = "devpassword"  # noqa: S105 - the one of the guide, told to be so
_PERMITTED_HOSTS = frozenset({"localhost", "127.0.0.1", "::1"})


class Server(asyncssh.SSHServer):
    def __init__(self, front: Front) -> None:
        self._front = front
        self._entered = self._in = self._failed = False
        self._tries = self._requests = 0
        self._told = False
        #: whom the request in hand would let in, and how; theirs once auth_completed is called
        self._user = User("", "view")
        self._by = ""
        self._sessions = self._tunnels = 0

    # ── the connection ────────────────────────────────────────────────────────────────────────

    def connection_made(self, conn: asyncssh.SSHServerConnection) -> None:
        self._connection = conn
        self._peer: Address = tuple(conn.get_extra_info("peername")[:2])
        self._own: Address = tuple(conn.get_extra_info("sockname")[:2])
        self._local = peer.is_loopback(self._peer[0])
        self._uid = peer.owner(self._peer, self._own)
        self._source = peer.source(self._peer, self._uid)
        gate = self._front.gate
        why = gate.enter(self._source, ours=self._uid == os.getuid())
        self._entered = not why
        # on this machine a good key still gets in; from elsewhere not even a handshake is paid for
        if not why and not self._local and gate.barred(self._source):
            why = "too many failed logins"
        if why:
            self._note_refusal(why)
            conn.abort()
        else:
            self._front.connections.add(conn)

    def connection_lost(self, exc: Exception | None) -> None:
        self._front.connections.discard(self._connection)
        if not self._entered:
            return
        self._front.gate.leave(self._source, logged_in=self._in)
        if not self._in and self._tries:
            if not self._failed:  # only keys were tried: one failure for all of them
                self._front.gate.failed(self._source)
            self._note_refusal("no login")

    def _note_refusal(self, why: str) -> None:
        now = asyncio.get_running_loop().time()
        if now < self._front.quiet_until:
            return
        self._front.quiet_until = now + 1.0
        log.event(
            "login refused",
            "warning",
            why=why,
            source=self._source,
            from_=self._peer[0],
            user=str(self._connection.get_extra_info("username") or ""),
            tries=self._tries,
            unread=[*keys.problems(self._keys), *filter(None, (self._front.users.problem,))],
        )

    # ── logging in ────────────────────────────────────────────────────────────────────────────

    @property
    def _keys(self) -> Path:
        return self._front.options.user_home / ".ssh"

    def begin_auth(self, username: str) -> bool:
        if not keys.any_listed(self._keys) and not self._front.users.now():
            self._tell()
        return True

    def _tell(self) -> None:
        """The banner, before the password is asked for. A login by key never gets here, so that
        scripts over ssh keep a clean stderr."""
        if self._told or not self._has_development_password():
            return
        self._told = True
        name = peer.name_of(os.getuid())
        self._connection.send_auth_banner(
            "Pointsman: the development password from the guide is in force, on this machine\r\n"
            f"only and for processes of the Unix user {name} only. A key in ~/.ssh is better.\r\n"
            "`pointsman ssh passwd` sets one of your own in its place.\r\n"
        )

    def _has_development_password(self) -> bool:
        """Until there is a better one: also where the file that holds it cannot be read now."""
        users = self._front.users.now()
        return (
            self._local
            and self._front.options.password in ("auto", "on")
            and not self._front.users.problem
            and not any(user.password for user in users.values())
        )

    def _may_use_password(self) -> bool:
        if self._front.options.password == "off":  # noqa: S105 - a mode, not a password
            return False
        kept = any(user.password for user in self._front.users.now().values())
        return kept or self._has_development_password()

    def _is_same_user(self) -> bool:
        if self._uid is None:
            return self._front.options.password == "on"  # noqa: S105 - a mode, not a password
        return self._uid == os.getuid()

    def public_key_auth_supported(self) -> bool:
        # asked once or twice for every authentication request of any kind: bounds a flood of them
        self._requests += 1
        if self._requests > 2 * limits.REQUESTS:
            self._tries = limits.TRIES
            raise self._enough()
        return True

    def password_auth_supported(self) -> bool:
        return self._may_use_password() and not self._front.gate.barred(self._source)

    def validate_public_key(self, username: str, key: asyncssh.SSHKey) -> bool:
        self._by = ""
        if keys.permitted(key, self._peer[0], self._keys) is not None:
            self._user = self._owner
        elif user := keys.user_of(key, self._peer[0], self._front.users.now()):
            self._user = user
        else:
            self._count_try()
            self._tell()
            return False
        self._by = key.get_fingerprint()
        return True

    @property
    def _owner(self) -> User:
        return User(self._front.account.name, "shell")

    async def validate_password(self, username: str, password: str) -> bool:
        self._by = ""
        self._tell()
        if self._front.gate.barred(self._source):
            self._count_try()
            return False
        user = await self._user_by_password(username, password)
        if user is not None:
            self._user, self._by = user, "password"
            return True
        self._failed = True
        barred = self._front.gate.failed(self._source)
        if barred:
            log.event(
                "passwords are not taken for a while",
                "warning",
                source=self._source,
                seconds=round(barred, 1),
            )
        self._count_try()
        return False

    async def _user_by_password(self, name: str, password: str) -> User | None:
        if self._has_development_password():
            given = password.encode("utf-8", "replace")
            right = hmac.compare_digest(given, DEVELOPMENT_PASSWORD.encode())
            return self._owner if right and self._is_same_user() else None
        if not self._may_use_password():
            return None
        user = self._front.users.now().get(name)
        right = await self._front.comparer.matches(user.password if user else "", password)
        return user if right else None

    def change_password(self, username: str, old_password: str, new_password: str) -> bool:
        self._count_try()
        return False

    def auth_completed(self) -> None:
        """Called in the same step as the request that succeeded: `_by` is of that request."""
        self._in = True
        self._front.gate.logged_in(self._source)
        log.event(
            "login",
            user=self._user.name,
            role=self._user.role,
            by=self._by,
            from_=self._peer[0],
        )

    def _count_try(self) -> None:
        self._tries += 1
        if self._tries >= limits.TRIES:
            raise self._enough()

    @staticmethod
    def _enough() -> asyncssh.DisconnectError:
        return asyncssh.DisconnectError(
            asyncssh.DISC_NO_MORE_AUTH_METHODS_AVAILABLE,
            "Too many authentication failures (name one key: ssh -o IdentitiesOnly=yes -i FILE)",
        )

    # ── what a client may open ────────────────────────────────────────────────────────────────

    def session_requested(
        self,
    ) -> tuple[asyncssh.SSHServerChannel[bytes], asyncssh.SSHServerSession[bytes]]:
        if self._sessions >= limits.SESSIONS:
            raise asyncssh.ChannelOpenError(
                asyncssh.OPEN_RESOURCE_SHORTAGE,
                f"{limits.SESSIONS} sessions are open on this connection already",
            )
        self._sessions += 1
        channel = self._connection.create_server_channel(encoding=None)
        user = self._user
        who = Who(user.name, user.role, self._by, (self._peer, self._own))
        front = self._front
        return channel, Session(front, who, self._session_closed)

    def _session_closed(self) -> None:
        self._sessions -= 1

    def connection_requested(
        self, dest_host: str, dest_port: int, orig_host: str, orig_port: int
    ) -> Awaitable[asyncssh.SSHTCPSession[bytes]]:
        """-L and -D: only to the router, always by 127.0.0.1."""
        if not roles.may_tunnel(self._user.role):
            raise asyncssh.ChannelOpenError(
                asyncssh.OPEN_ADMINISTRATIVELY_PROHIBITED,
                f"the role {self._user.role} has no tunnels",
            )
        ports = self._front.options.router_ports
        if dest_host not in _PERMITTED_HOSTS or dest_port not in ports:
            wanted = ", ".join(str(port) for port in sorted(ports))
            raise asyncssh.ChannelOpenError(
                asyncssh.OPEN_ADMINISTRATIVELY_PROHIBITED,
                f"only the router's own ports on localhost may be forwarded ({wanted})",
            )
        if self._tunnels >= limits.TUNNELS:
            raise asyncssh.ChannelOpenError(
                asyncssh.OPEN_RESOURCE_SHORTAGE, f"{limits.TUNNELS} tunnels are open already"
            )
        return self._tunnel(dest_port)

    async def _tunnel(self, port: int) -> asyncssh.SSHTCPSession[bytes]:
        self._tunnels += 1
        try:
            loop = asyncio.get_running_loop()
            _, far = await loop.create_connection(asyncssh.SSHForwarder, "127.0.0.1", port)
        except OSError as error:
            self._tunnels -= 1
            raise asyncssh.ChannelOpenError(
                asyncssh.OPEN_CONNECT_FAILED, f"the router does not answer on port {port}"
            ) from error
        return cast("asyncssh.SSHTCPSession[bytes]", _Tunnel(far, self._tunnel_closed))

    def _tunnel_closed(self) -> None:
        self._tunnels -= 1


class _Tunnel(asyncssh.SSHForwarder):
    """The client's end of a forwarded connection; says once when it is over."""

    def __init__(self, far: asyncssh.SSHForwarder, closed: Callable[[], None]) -> None:
        super().__init__(far)
        self._on_closed: Callable[[], None] | None = closed

    def close(self) -> None:
        super().close()
        if self._on_closed is not None:
            self._on_closed()
            self._on_closed = None
