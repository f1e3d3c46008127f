"""Who plays LiteLLM and CCR, on which ports, and with which keys."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

from router.config.document import Document
from router.config.endpoints import loopback, same_port
from router.config.flags import Flags
from router.config.interpolate import unresolved
from router.config.own import ListenTable, RoleTable
from router.config.part import DEFAULT_KEYS
from router.config.probes import NOBODY, Neighbour
from router.contract import Finding
from router.errors import ConfigError
from router.settings import Listen, Role, Secret

_TITLES = {"litellm": "LiteLLM", "ccr": "CCR"}


def listen(table: ListenTable, flags: Flags, ccr_port: int | None) -> Listen:
    """The command line, else pointsman.toml, else CCR's own PORT, else the usual ports."""
    usual = Listen()

    def first(*choices: int | None, last: int) -> int:
        return next((port for port in choices if port is not None), last)

    return Listen(
        host=flags.host or table.host or usual.host,
        port=first(flags.port, table.port, last=usual.port),
        litellm_port=first(flags.litellm_port, table.litellm_port, last=usual.litellm_port),
        ccr_port=first(flags.ccr_port, table.ccr_port, ccr_port, last=usual.ccr_port),
        ssh_port=first(flags.ssh_port, table.ssh_port, last=usual.ssh_port),
        hosts=table.hosts,
        origins=table.origins,
    )


def role(
    name: Literal["litellm", "ccr"],
    table: RoleTable,
    key: Secret,
    neighbour: Neighbour,
    document: Document | None,
    port: int,
) -> tuple[Role, list[Finding]]:
    """The role as it will be played. A neighbour that was found plays it, unless told otherwise."""
    title = _TITLES[name]
    keys = tuple(Secret(k) for k in table.keys if k) if table.keys is not None else ()
    if table.keys is None and key:
        keys = (key,)
    if table.mode == "external" and not table.url:
        where = document or Document("pointsman.toml", {})
        raise where.error("an external role needs its address: url = …", name, "mode")
    if table.mode != "embedded" and table.url:
        text = f"plays the {title} role, as pointsman.toml says"
        found = Finding(f"{title} role", table.url, "found", text)
        return Role(name, "external", table.url.rstrip("/"), keys), [found]
    finding = _neighbour(title, neighbour, taken=table.mode == "embedded")
    if neighbour.state == "found" and table.mode == "auto":
        return Role(name, "external", neighbour.address, keys, found=True), [finding]
    if neighbour.state == "found" and same_port(neighbour.address, port):
        text = f"has port {port}, which this router wants: end it or move one of them"
        finding = replace_detail(finding, text)
    return Role(name, "embedded", "", keys), [finding]


def replace_detail(finding: Finding, text: str) -> Finding:
    return Finding(finding.what, finding.where, "problem", text)


def _neighbour(title: str, neighbour: Neighbour, *, taken: bool) -> Finding:
    what, where = f"running {title}", neighbour.address
    version = f" {neighbour.version}" if neighbour.version else ""
    if neighbour.state == "found":
        use = "not used: this router plays the role" if taken else f"plays the {title} role"
        return Finding(what, where, "found", f"{title}{version}: {use}")
    if neighbour.state == "problem":
        return Finding(what, where, "problem", neighbour.detail)
    if neighbour.state == "ours":
        return Finding(what, where, "absent", "a Pointsman plays the role there")
    if neighbour.detail == NOBODY:  # read beside a running router, which does listen there by then
        return Finding(what, where, "absent", "none was there: this router plays the role")
    return Finding(what, where, "absent", neighbour.detail or "not asked")


def without_taken(listening: Listen, litellm: Role, ccr: Role) -> Listen:
    """Leaves the port of an external role to the program that has it."""
    if litellm.mode == "external" and same_port(litellm.url, listening.litellm_port):
        listening = replace(listening, litellm_port=0)
    if ccr.mode == "external" and same_port(ccr.url, listening.ccr_port):
        listening = replace(listening, ccr_port=0)
    return listening


def refuse_loops(listening: Listen, document: Document | None, *roles: Role) -> None:
    """An external role that is this router's own front door would forward to itself for ever."""
    for one in roles:
        if one.mode == "external" and same_port(one.url, listening.port):
            where = document or Document("pointsman.toml", {})
            raise where.error("is this router's own front door", one.name, "url")


def refuse_open_doors(
    listening: Listen, flags: Flags, document: Document | None, ssh: str, *roles: Role
) -> None:
    """Raises ConfigError where others could reach a role that asks for no key, or for one that
    stands in every guide; or SSH while the development password is in force (`ssh`: as in
    Generation.ssh_password)."""
    if loopback(listening.host):
        return
    where = "--host" if flags.host else "pointsman.toml"
    for one in roles:
        if not one.keys:
            problem = f"the {_TITLES[one.name]} role has no key yet"
        elif any(unresolved(key.reveal()) for key in one.keys):  # its name stands in every guide
            problem = f"a key of the {_TITLES[one.name]} role is a variable that is not set"
        elif any(key.reveal() in DEFAULT_KEYS or len(key) < 8 for key in one.keys):
            problem = f"a key of the {_TITLES[one.name]} role is a well-known or very short one"
        else:
            continue
        text = (
            f"listening beyond this machine is refused: {problem}; "
            f"set [{one.name}] keys in pointsman.toml"
        )
        if flags.host or document is None:
            raise ConfigError(text, file=where)
        raise document.error(text, "listen", "host")
    if listening.ssh_port and ssh in ("auto", "on"):
        raise ConfigError(
            "listening beyond this machine is refused: the development password for SSH is in"
            ' force; under [ssh] in pointsman.toml set password = false, or "own" for passwords'
            " set by `pointsman ssh passwd`; or --ssh-port 0",
            file=where,
        )
