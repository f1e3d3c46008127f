"""Addresses: which format an endpoint speaks and what its base is. Pure string work.

CCR names the full endpoint (`https://openrouter.ai/api/v1/chat/completions`), LiteLLM the base
(`https://openrouter.ai/api/v1`).
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from urllib.parse import urljoin, urlsplit

from router.providers import Kind
from router.settings import Auth, Listen

ANTHROPIC = "anthropic_messages"
OPENAI = "openai_chat"
RESPONSES = "openai_responses"
OLLAMA = "ollama_chat"
GEMINI = "gemini"
#: what stands in an example, and in no name of a host
_NO_HOST = re.compile(r"[\s…<>]")
_PATHS = {ANTHROPIC: "/v1/messages", OPENAI: "/chat/completions", RESPONSES: "/responses"}


@dataclass(frozen=True, slots=True)
class Endpoint:
    """`base` is where OpenAI's other endpoints (embeddings) are; `stream_url` as of a Provider;
    `note` says what was changed on the way, for people."""

    format: str
    url: str
    base: str
    note: str = ""
    stream_url: str = ""


def problem_of(url: str) -> str:
    """Why this is not an address of an HTTP server; "" when it is one."""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return "is not an address: write http://host:port/path"
    if parts.scheme not in ("http", "https") or not host or _NO_HOST.search(host):
        return "is not an address: it should begin with http:// or https:// and a host"
    if parts.username or parts.password:
        return "holds a password: put it into the key instead"
    return ""


def from_full(url: str, *, anthropic: bool = False, responses: bool = False) -> Endpoint:
    """From the address of the completion endpoint itself, which may end with a query."""
    url, mark, query = url.partition("#")[0].partition("?")
    url, query = url.rstrip("/"), mark + query
    if responses or url.endswith("/responses"):
        return Endpoint(RESPONSES, url + query, url.removesuffix("/responses"))
    if anthropic or url.endswith("/messages"):
        base = url.removesuffix("/messages").removesuffix("/v1")
        full = url if url.endswith("/messages") else base + _PATHS[ANTHROPIC]
        return Endpoint(ANTHROPIC, full + query, base)
    if url.endswith("/api/chat"):
        return from_base(url, OLLAMA)
    if url.endswith("/v1beta/models") or "enerateContent" in url:
        return from_base(url.partition("/models")[0], GEMINI)
    return Endpoint(OPENAI, url + query, url.removesuffix("/chat/completions"))


def beneath(url: str) -> Endpoint:
    """Gemini's, whose models are beside the last part of a path, as CCR's transformer has it."""
    base = urljoin(url, ".").rstrip("/")
    model = base + "/{model}"
    stream = f"{model}:streamGenerateContent?alt=sse"
    return Endpoint(GEMINI, f"{model}:generateContent", base, stream_url=stream)


def from_base(base: str, format: str) -> Endpoint:
    """From the address that a format's own path is appended to."""
    base = base.rstrip("/")
    if format == OLLAMA:
        root = base.removesuffix("/api/chat").removesuffix("/v1")
        return Endpoint(OLLAMA, f"{root}/api/chat", f"{root}/v1")
    if format == GEMINI:
        base = base.removesuffix("/openai").removesuffix("/models")
        model = base + "/models/{model}"
        stream = f"{model}:streamGenerateContent?alt=sse"
        return Endpoint(GEMINI, f"{model}:generateContent", f"{base}/openai", stream_url=stream)
    path = _PATHS[format]
    if format == ANTHROPIC:
        base = base.removesuffix("/messages").removesuffix("/v1")
    else:
        base = base.removesuffix(path)
    return Endpoint(format, base + path, base)


def shown_by(kind: Kind, endpoint: Endpoint) -> Auth:
    """How a key is shown there, where the configuration does not say."""
    if endpoint.format == ANTHROPIC:
        return "x-api-key"
    if kind.auth == "none" or (kind.auth == "x-goog-api-key" and endpoint.format != GEMINI):
        return "bearer"  # also at the OpenAI-compatible face of a vendor with a way of its own
    return kind.auth


def loopback(host: str) -> bool:
    """Whether a name or address means this machine."""
    host = host.strip("[]").lower()
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def keyless(url: str) -> bool:
    """Whether a provider there can be expected to ask for no key: this machine or the local
    network."""
    host = (urlsplit(url).hostname or "").lower()
    if loopback(host) or host.endswith((".local", ".lan", ".internal")) or "." not in host:
        return True
    try:
        return ipaddress.ip_address(host).is_private
    except ValueError:
        return False


def leads_here(url: str, listen: Listen) -> bool:
    """Whether an address is this router's own, of the front door or of a role."""
    return any(same_port(url, n) for n in (listen.port, listen.litellm_port, listen.ccr_port))


def same_port(url: str, port: int) -> bool:
    """Whether an address is that port of this machine."""
    parts = urlsplit(url)
    number = parts.port or (443 if parts.scheme == "https" else 80)
    return port != 0 and number == port and loopback(parts.hostname or "")
