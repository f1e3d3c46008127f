"""[neighbours.*] of pointsman.toml, over what is known of the usual programs: the sites."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from urllib.parse import urlsplit

from router.config.document import Document
from router.config.endpoints import loopback, same_port
from router.config.own import NeighbourTable, PointsmanToml
from router.errors import ConfigError
from router.neighbours import Means, Program, programs
from router.settings import Listen, Role, Site, Timeouts
from storage.home import Home

#: what the front door serves itself: no neighbour can have it
OWN_PATHS = (
    *("litellm", "ccr", "claude-code", "assets", "health", "livez", "readyz", "metrics"),
    "console",
)


def sites(
    file: PointsmanToml, document: Document | None, home: Home, listen: Listen, litellm: Role
) -> tuple[Site, ...]:
    """Raises ConfigError for one that cannot be meant."""
    known = programs()
    found = []
    for name in dict.fromkeys((*file.neighbours, *known)):
        table = file.neighbours.get(name, NeighbourTable())
        if not table.enabled:
            continue
        program = known.get(name)
        site = _site(name, table, program, home, listen, litellm)
        site = replace(site, configured=name in file.neighbours and bool(table.url))
        _check(site, document or Document("pointsman.toml", {}), listen)
        found.append(site)
    _refuse_twice(found, document or Document("pointsman.toml", {}))
    return tuple(found)


def of_roles(file: PointsmanToml, *roles: Role) -> dict[str, Site]:
    """The pages of external roles: like most, they only work at the root of a name."""
    tables = {"litellm": file.litellm, "ccr": file.ccr}
    found = {}
    for role in roles:
        if role.mode == "external":
            host = tables[role.name].host.lower() or f"{role.name}.localhost"
            found[host] = Site(role.name, role.name, role.url, host=host, door=role.name)
    return found


def with_hosts(listen: Listen, sites: Iterable[Site]) -> Listen:
    """The names of sites are names that we may be called by, beside those of this machine."""
    more = [s.host for s in sites if s.host and not loopback(s.host)]
    return replace(listen, hosts=(*listen.hosts, *more)) if more else listen


def _site(
    name: str,
    table: NeighbourTable,
    program: Program | None,
    home: Home,
    listen: Listen,
    litellm: Role,
) -> Site:
    usual = f"http://127.0.0.1:{program.port}" if program else ""
    url = (table.url or usual).rstrip("/")
    path = table.path if table.path is not None else program.path if program else f"/{name}"
    path = path.rstrip("/")
    front = f"http://localhost:{listen.port}"
    means = Means(
        api=f"http://127.0.0.1:{listen.port}/litellm/v1",
        key=litellm.keys[0].reveal() if litellm.keys else "any",
        port=urlsplit(url).port or 80 if url else 0,
        front=front,
        path=path,
        data=home.data / "neighbours" / name,
    )
    command = table.command or (program.command if program else ())
    env = dict(program.environment(means)) if program else {}
    title = table.title or (program.title if program else name)
    timeouts = table.timeouts
    return Site(
        name=name,
        title=title,
        url=url,
        path=path,
        host=(table.host if table.host is not None else program.host if program else "").lower(),
        strip=table.strip,
        health=table.health or (program.health if program else "/"),
        marker=program.marker if program and not table.health else "",
        timeouts=Timeouts(
            timeouts.connect, timeouts.first_byte, timeouts.idle, max(timeouts.total, 86_400.0)
        ),
        command=tuple(word.replace("{port}", str(means.port)) for word in command),
        env={**env, **table.env},
        start=table.start,
        hint=table.hint or _hint(name, title, program, command),
        about=program.about if program else "",
        stand_in=program.stand_in if program else "",
    )


def _hint(name: str, title: str, program: Program | None, command: tuple[str, ...]) -> str:
    if program:
        return (
            f"`pointsman neighbours start {name}` starts it where it is installed"
            f" (`{program.install}`); one that runs elsewhere is named in pointsman.toml:"
            f" `[neighbours.{name}]` with `url`."
        )
    if command:
        return f"`pointsman neighbours start {name}` starts it."
    return f"Start {title}, or change `[neighbours.{name}]` in pointsman.toml."


def _check(site: Site, document: Document, listen: Listen) -> None:
    at = ("neighbours", site.name)
    if not site.url:
        raise document.error("a neighbour needs its address: url = …", *at)
    if not (site.path or site.host):
        raise document.error("a neighbour needs a path or a host to be found by", *at)
    if site.path and (not site.path.startswith("/") or "//" in site.path or ".." in site.path):
        raise document.error("should begin with / and hold no .. or //", *at, "path")
    if site.path.split("/")[1:2] and site.path.split("/")[1] in OWN_PATHS:
        raise document.error("is the front door's own", *at, "path")
    if site.host and not set(site.host) <= set("abcdefghijklmnopqrstuvwxyz0123456789.-"):
        raise document.error("should be a name alone, without a port", *at, "host")
    if site.host in ("localhost", "127.0.0.1"):
        raise document.error("is the front door's own", *at, "host")
    if any(same_port(site.url, p) for p in (listen.port, listen.litellm_port, listen.ccr_port)):
        raise document.error("is this router itself", *at, "url")


def _refuse_twice(sites: list[Site], document: Document) -> None:
    for key in ("path", "host"):
        seen: dict[str, str] = {}
        for site in sites:
            value = getattr(site, key)
            if value and value in seen:
                problem = f"is what {seen[value]} has"
                error: ConfigError = document.error(problem, "neighbours", site.name, key)
                raise error
            seen[value] = site.name
