"""CCR's config.json, versions 1.x and 2.x, read as its users wrote it.

What CCR does with a mistake in it, it does in silence; here each one is a finding with its line.
Only what cannot be read at all refuses the file.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from router.config import cloud
from router.config.ccr_routes import WHAT, RouterKeys, routes
from router.config.document import Document
from router.config.endpoints import (
    ANTHROPIC,
    OPENAI,
    RESPONSES,
    Endpoint,
    beneath,
    from_full,
    keyless,
    problem_of,
    shown_by,
)
from router.config.interpolate import dollars, unresolved
from router.config.part import Key, Part, exposed, first_key, problem, several_keys, sorted_out
from router.config.read_json5 import read_json5
from router.contract import Finding
from router.did_you_mean import nearest
from router.providers import KINDS, Kind, kind_of
from router.providers.adjustments import read as read_adjustment
from router.settings import NO_KEY, Adjustment, Auth, Provider, Secret, Timeouts

#: keys that `ccr code` and its kin read for themselves
FOR_COMMANDS = frozenset(
    {
        "API_TIMEOUT_MS",
        "NON_INTERACTIVE_MODE",
        "ANTHROPIC_SMALL_FAST_MODEL",
        "CLAUDE_PATH",
        "StatusLine",
    }
)
#: keys that router.config.ccr_hooks reads
FOR_HOOKS = frozenset(
    {
        "CUSTOM_ROUTER_PATH",
        "CUSTOM_ROUTER_TIMEOUT_MS",
        "REWRITE_SYSTEM_PROMPT",
        "forceUseImageAgent",
    }
)
#: in CCR's order
PROXIES = ("HTTPS_PROXY", "https_proxy", "httpsProxy", "PROXY_URL")
_READ_ELSEWHERE = FOR_COMMANDS | FOR_HOOKS | {*PROXIES, "transformers", "plugins", "Plugins"}
#: CCR's own plug-in: the speed of tokens is in the ledger, and so in the status line, without it
KNOWN_PLUGINS = frozenset({"token-speed"})


class _Entry(BaseModel):
    model_config = ConfigDict(extra="allow")

    name: str | None = None
    api_base_url: str | None = None
    api_key: str | None = None
    api_keys: list[str | Key] = []
    models: list[str] = []
    transformer: dict[str, Any] | None = None
    tokenizer: Any = None


class _File(BaseModel):
    model_config = ConfigDict(extra="allow")

    Providers: list[_Entry] | None = None
    providers: list[_Entry] | None = None
    Router: RouterKeys = RouterKeys()
    fallback: dict[str, list[str]] = {}
    APIKEY: str | None = None
    HOST: str | None = None
    PORT: int | None = Field(default=None, ge=0, le=65535)
    strict: bool = False
    LOG: Any = None
    LOG_LEVEL: Any = None
    TIMEOUT: float | None = Field(default=None, gt=0)


def read(path: Path, env: Mapping[str, str]) -> Part:
    """The file's part. Raises ConfigError for what is not JSON5 or has the wrong type."""
    return of(read_json5(path), env)


def of(document: Document, env: Mapping[str, str]) -> Part:
    """As `read`, of a document that was read."""
    part = Part(document=document)

    def missing(place: tuple[str | int, ...], name: str) -> None:
        text = f"${name} is not set in the environment, so it stays as written"
        part.findings.append(problem(WHAT, document, text, *place))

    document = replace(document, data=dollars(document.data, env, missing))
    part.resolved = document
    file = document.fit(_File)
    listed = "Providers" if file.Providers is not None else "providers"
    for index, entry in enumerate(file.Providers or file.providers or ()):
        _provider(part, document, entry, env, (listed, index))
    if file.TIMEOUT:  # CCR's only deadline: milliseconds until the whole answer is there
        total = Timeouts(total=file.TIMEOUT / 1000)
        part.providers = {n: replace(p, timeouts=total) for n, p in part.providers.items()}
    if part.providers or file.Router.default:
        strict = file.strict or file.Router.strict
        part.routes, wrong = routes(document, file.Router, file.fallback, strict=strict)
        part.findings += wrong
    part.key = Secret(file.APIKEY or "")
    part.proxy = _proxy(part, document)
    part.port = file.PORT
    part.findings += exposed(WHAT, part.document or document)
    part.findings += _unused(document, file)
    part.findings.insert(0, Finding(WHAT, document.file, "found", _summary(part, file)))
    return part


_CUTS = (
    "Ollama's OpenAI endpoint ignores num_ctx and cuts long prompts in silence: with /api/chat in"
    " place of /v1/chat/completions each prompt gets the context it needs"
)
_OPENAIS = (
    "OpenAI's format is spoken at this address; CCR's gemini transformer would send Gemini's, to"
    " a path beside it"
)
#: CCR's transformers that sign in at Google Cloud, and what they stand for
_VERTEX = {"vertex-gemini": "vertex", "vertex-claude": "vertex-claude"}


def _vertex(
    part: Part,
    document: Document,
    entry: _Entry,
    kind: Kind,
    env: Mapping[str, str],
    at: tuple[str | int, ...],
) -> None:
    """As CCR: project and location come from the environment, the address from them."""
    name, url = (entry.name or "").strip(), (entry.api_base_url or "").strip()
    told = cloud.places(kind, {}, env)
    try:
        auth = cloud.auth(kind, "")
        endpoint = cloud.endpoint(kind, url if "/publishers/" in url else "", told)
    except cloud.UnplacedError as error:
        text = f"{name} {error}: left out"
        part.findings.append(problem(WHAT, document, text, *at, "transformer"))
        return
    made = Provider(
        name=name,
        format=endpoint.format,
        url=endpoint.url,
        base=endpoint.base,
        auth=auth,
        models=tuple(entry.models),
        kind=kind.name,
        source=document.file,
        stream_url=endpoint.stream_url,
    )
    part.providers[name] = cloud.settled(made, told)


def _provider(
    part: Part,
    document: Document,
    entry: _Entry,
    env: Mapping[str, str],
    at: tuple[str | int, ...],
) -> None:
    """Adds one provider, or the reason why it is left out."""

    def say(text: str, *key: str | int) -> None:
        part.findings.append(problem(WHAT, document, text, *at, *key))

    name, url = (entry.name or "").strip(), (entry.api_base_url or "").strip()
    if not name or "," in name:
        return say("has no name that could stand before a comma: left out", "name")
    if not url:
        return say(f"{name} has no api_base_url: left out", "api_base_url")
    if wrong := problem_of(url):
        return say(f"{name}: {wrong}: left out", "api_base_url")
    general, special = _transformers(part, document, entry, at)
    names = {a.name for a in general}
    if name in part.providers:
        say(f"{name} is there twice: this one counts", "name")
    if kinds := [_VERTEX[each] for each in names if each in _VERTEX]:
        return _vertex(part, document, entry, KINDS[kinds[0]], env, at)
    endpoint = from_full(url, anthropic="anthropic" in names, responses="openai-responses" in names)
    if endpoint.format == OPENAI and "gemini" in names:
        if endpoint.url == endpoint.base:
            endpoint = beneath(url)
        else:
            say(f"{name}: {_OPENAIS}", "api_base_url")
    if endpoint.note:
        say(f"{name}: {endpoint.note}", "api_base_url")
    if endpoint.format == OPENAI and kind_of(url).name == "ollama":
        where = document.where(*at, "api_base_url")
        part.findings.append(Finding(WHAT, where, "found", f"{name}: {_CUTS}"))
    key = entry.api_key or first_key(entry.api_keys)
    if not key and not keyless(url):
        say(f"{name} has no api_key: it will most likely refuse every request", "api_key")
    kind = _kind(endpoint, names)
    bearer = any(a.options.get("UseBearer") for a in general if a.name == "anthropic")
    adjustments, _ = sorted_out(WHAT, document, [(a, ()) for a in general])
    part.providers[name] = Provider(
        name=name,
        format=endpoint.format,
        url=endpoint.url,
        base=endpoint.base,
        key=Secret(key),
        keys=several_keys(entry.api_key or "", entry.api_keys),
        auth=_auth(KINDS[kind], endpoint, bearer=bearer) if key else "none",
        models=tuple(entry.models),
        kind=kind,
        local=KINDS[kind].local and keyless(url),
        adjustments=adjustments,
        model_adjustments=special,
        source=document.file,
        stream_url=endpoint.stream_url,
    )
    return None


def _auth(kind: Kind, endpoint: Endpoint, *, bearer: bool) -> Auth:
    """As CCR: in both ways, which is what others that speak Anthropic's format are used to; not to
    Anthropic itself, where a bearer is another sort of sign-in."""
    if bearer:
        return "bearer"
    own = kind_of(endpoint.url).name != "compatible"
    return shown_by(kind, endpoint) if own or endpoint.format != ANTHROPIC else "both"


def _kind(endpoint: Endpoint, transformers: set[str]) -> str:
    """By the format, by the host; at a host that says nothing, by the transformer that is meant
    for one kind."""
    if endpoint.format == ANTHROPIC:
        return "anthropic"
    kind = kind_of(endpoint.url).name
    if kind != "compatible":
        return kind
    if endpoint.format == RESPONSES:
        return "openai"  # whose own API it is: which models think is known by their names
    meant = sorted(transformers & (KINDS.keys() - {"openai", "anthropic"}))
    return meant[0] if meant else "thinking" if "reasoning" in transformers else kind


def _transformers(
    part: Part, document: Document, entry: _Entry, at: tuple[str | int, ...]
) -> tuple[list[Adjustment], dict[str, tuple[Adjustment, ...]]]:
    """All that the provider names, and what changes a body for single models."""
    block = entry.transformer or {}
    general: list[Adjustment] = []
    special: dict[str, tuple[Adjustment, ...]] = {}
    for owner, value in block.items():
        place = (*at, "transformer", owner)
        use = value if owner == "use" else value.get("use") if isinstance(value, dict) else None
        if not isinstance(use, list):
            raise document.error('should be a list: { "use": ["name"] }', *place)
        if owner != "use":
            place = (*place, "use")
        found = []
        for index, one in enumerate(use):
            adjustment = read_adjustment(one)
            if adjustment is None:
                raise document.error('should be "name" or ["name", { options }]', *place, index)
            found.append((adjustment, (*place, index)))
        kept, findings = sorted_out(WHAT, document, found)
        part.findings += findings
        if owner == "use":
            general = [adjustment for adjustment, _ in found]
        elif kept:
            special[owner] = kept
    return general, special


def _proxy(part: Part, document: Document) -> Secret:
    """The proxy on the way to providers. It may hold a password."""
    for key in PROXIES:
        text = document.data.get(key)
        if not text:
            continue
        if isinstance(text, str) and text.startswith("http://"):
            return Secret(text)
        say = "should be the address of an HTTP proxy, http://host:port: it is not used"
        part.findings.append(problem(WHAT, document, say, key))
    return NO_KEY


def _foreign(document: Document, key: str, what: str) -> list[Finding]:
    """A problem for each piece of JavaScript that a person named."""
    entries = document.data.get(key)
    findings = []
    for index, entry in enumerate(entries if isinstance(entries, list) else ()):
        named = entry.get("path") or entry.get("name") if isinstance(entry, dict) else entry
        if named in KNOWN_PLUGINS or (isinstance(entry, dict) and entry.get("enabled") is False):
            continue
        name = Path(str(named)).name[:100]
        text = f"{name} is JavaScript: it is not run, and {what}"
        findings.append(problem(WHAT, document, text, key, index))
    return findings


def _unused(document: Document, file: _File) -> list[Finding]:
    """What the file says and we do not follow, each with its line."""
    findings = _foreign(document, "transformers", "providers that use it are used without it")
    for key in ("plugins", "Plugins"):
        findings += _foreign(document, key, "nothing stands in for it")
    if file.HOST and file.HOST not in ("127.0.0.1", "localhost", "::1"):
        text = "is not followed: [listen] host in pointsman.toml decides, and asks for keys first"
        findings.append(problem(WHAT, document, text, "HOST"))
    if file.LOG is False:
        text = "is not followed: the ledger and the log are kept, without any prompt; [log] level"
        findings.append(problem(WHAT, document, text + " in pointsman.toml makes it quiet", "LOG"))
    odd = [k for k in file.model_extra or {} if k not in _READ_ELSEWHERE]
    for key in file.Router.model_extra or {}:
        if meant := nearest(key, RouterKeys.model_fields):
            text = f"is nothing that is read: is {meant} meant?"
            findings.append(problem(WHAT, document, text, "Router", key))
        else:
            odd.append(f"Router.{key}")
    for index, entry in enumerate(file.Providers or file.providers or ()):
        odd += [f"Providers[{index}].{key}" for key in entry.model_extra or {}]
        if entry.tokenizer is not None:
            odd.append(f"Providers[{index}].tokenizer")
    if odd:
        findings.append(Finding(WHAT, document.file, "found", f"not used: {', '.join(odd)}"))
    return findings


def _summary(part: Part, file: _File) -> str:
    if not part.providers and part.routes is None:
        return "no providers in it: those of the usage guide stand in"
    routes = ", ".join(part.routes.targets) if part.routes else "none"
    mode = ", strict" if part.routes and part.routes.strict else ""
    locked = "clients must show APIKEY" if file.APIKEY else "no client key"
    hanging = [p.name for p in part.providers.values() if unresolved(p.key.reveal())]
    more = f"; without their key: {', '.join(hanging)}" if hanging else ""
    return f"{_count(len(part.providers), 'provider')}; routes: {routes}{mode}; {locked}{more}"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
