"""Who sends a request: key, session and client program, from its headers and its body's metadata.

The session ladder follows what clients really send: a header since Claude Code 2.1.86, a JSON
`metadata.user_id` since 2.1.78, `user_…_session_<uuid>` before, and other tools' headers. Pure.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

import msgspec
from msgspec import Struct

from router.settings import Secret

SESSION_HEADERS = (
    "x-claude-code-session-id",
    "x-claude-session-id",
    "x-session-id",
    "session-id",
    "session_id",
    "x-litellm-session-id",
    "x-openwebui-chat-id",
)
_SESSION_HEADERS = frozenset(SESSION_HEADERS)
#: where clients put their key, in LiteLLM's and CCR's order together
KEY_HEADERS = ("x-api-key", "api-key", "x-goog-api-key", "x-litellm-api-key")


class Caller(Struct, frozen=True):
    """`headers` have lower-case names. `key` is a public short name of the client's key, never the
    key itself."""

    door: str  # "litellm", "ccr", "claude-code"
    plane: str  # "litellm" or "ccr": which rules decide
    headers: Mapping[str, str]
    session: str = ""
    agent: str = ""
    key: str = ""
    client: str = ""
    project: str = ""
    team: str = ""
    sent_id: str = ""
    preset: str = ""  # whose Router decides, where that is not the usual one


def key_of(headers: Mapping[str, str]) -> str:
    """The client's key as sent; "" when there is none. Both forms together: Authorization wins."""
    authorization = headers.get("authorization", "")
    if authorization.startswith("Bearer "):
        return authorization[7:].strip()
    if authorization:
        scheme, _, rest = authorization.partition(" ")
        return rest.strip() if scheme.lower() == "bearer" else authorization.strip()
    for name in KEY_HEADERS:
        if value := headers.get(name):
            return value.strip()
    return ""


@lru_cache(1024)
def public_name(key: str) -> str:
    """A short name that tells keys apart and gives nothing away."""
    return "key-" + hashlib.sha256(key.encode()).hexdigest()[:8] if key else ""


def admitted(key: str, keys: Sequence[Secret]) -> bool:
    """Whether `key` is one of `keys`, in time that does not depend on which byte differs."""
    offered = key.encode()
    found = False
    for known in keys:
        found |= hmac.compare_digest(offered, known.reveal().encode())
    return found


def session_of(headers: Mapping[str, str], body: Mapping[str, Any]) -> str:
    return session_named(headers) or session_within(body)


def session_named(headers: Mapping[str, str]) -> str:
    if not _SESSION_HEADERS.isdisjoint(headers):
        for name in SESSION_HEADERS:
            if value := headers.get(name):
                return value[:100]
    return ""


def session_within(body: Mapping[str, Any]) -> str:
    """What the body's metadata says, for a client whose headers name none."""
    metadata = body.get("metadata")
    if type(metadata) is not dict or type(user := metadata.get("user_id")) is not str:
        return ""
    if user.startswith("{"):
        try:
            session = msgspec.json.decode(user).get("session_id")
        except (msgspec.DecodeError, RecursionError, AttributeError):
            return ""
        return session[:100] if isinstance(session, str) else ""
    _, marker, session = user.partition("_session_")
    return session[:100] if marker else ""


def user_of(told: str) -> str:
    """A short name that tells the client's users apart and gives none away: what clients send is an
    e-mail address as often as not. "" for what Claude Code puts in its place, a session."""
    if not told or told.startswith("{") or "_session_" in told:
        return ""
    return "user-" + hashlib.sha256(told.encode("utf-8", "replace")).hexdigest()[:8]


def client_of(headers: Mapping[str, str]) -> str:
    """ "claude-cli/2.1.330" from a whole User-Agent."""
    if "x-openwebui-user-id" in headers:  # its own agent is its HTTP library's
        return "Open WebUI"
    return headers.get("user-agent", "").partition(" ")[0][:60]
