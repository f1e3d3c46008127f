"""[neighbours.*] of pointsman.toml, over what is known of the usual programs: the sites."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Set
from dataclasses import replace
from typing import NamedTuple
from urllib.parse import urlsplit

from router.config.document import Document
from router.config.endpoints import leads_here, loopback
from router.config.own import NeighbourTable, PointsmanToml
from router.errors import ConfigError
from router.neighbours import Means, Program, programs
from router.settings import DOORS, Listen, Role, Site, Timeouts
from storage.home import Home

#: what the front door serves itself: no neighbour can have it
OWN_PATHS = (*DOORS, "assets", "health", "livez", "readyz", "metrics")
#: what other services of a router are called
OWN_NAMES = frozenset(("ssh", "web", "simulator", "LiteLLM", "CCR", "SSH"))
_NAME = re.compile(r"[A-Za-z0-9][\w-]{0,63}", re.ASCII)
_SEGMENT = re.compile(r"[\w.~-]+", re.ASCII)
_LABEL = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")


class Taken(NamedTuple):
    """What no neighbour can have: names that lead elsewhere, and what providers are called."""

    hosts: Set[str]
    names: Set[str]


def sites(
    file: PointsmanToml,
    document: Document | None,
    home: Home,
    listen: Listen,
    litellm: Role,
    taken: Taken,
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
        configured = name in file.neighbours and bool(table.url)
        site = replace(site, configured=configured, own=bool(table.command))
        if name not in file.neighbours and any(wrong for wrong, *_ in _faults(site, listen, taken)):
            continue  # what nobody asked for makes way
        _check(site, document or Document("pointsman.toml", {}), listen, taken)
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
        directory=os.path.expanduser(table.directory),
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


def _check(site: Site, document: Document, listen: Listen, taken: Taken) -> None:
    for wrong, words, key in _faults(site, listen, taken):
        if wrong:
            raise document.error(words, "neighbours", site.name, *filter(None, (key,)))


def _faults(site: Site, listen: Listen, taken: Taken) -> Iterator[tuple[object, str, str]]:
    """(whether it is so, what is wrong, its key; "": the table itself)."""
    words = "a neighbour's name is at most 64 letters, digits, - and _"
    yield not _NAME.fullmatch(site.name), words, ""
    ours = site.name in OWN_NAMES or site.name in taken.names
    yield ours, "another service is called so: a neighbour needs a name of its own", ""
    yield not site.url, "a neighbour needs its address: url = …", ""
    yield {*"?# "} & {*site.url}, "should hold no ?, # or space", "url"
    yield leads_here(site.url, listen), "is this router itself", "url"
    wanting = not (site.path or site.host)
    yield wanting, "a neighbour needs a path below / or a host to be found by", ""
    first, *segments = site.path.split("/")
    plain = not first and all(_SEGMENT.fullmatch(each) and each.strip(".") for each in segments)
    words = "should begin with / and hold letters, digits, -, _, . and ~ between single /"
    yield not plain, words, "path"
    yield segments and segments[0] in OWN_PATHS, "is the front door's own", "path"
    labels = site.host.split(".")
    named = all(_LABEL.fullmatch(each) for each in labels) and not labels[-1].isdecimal()
    words = "should be a name alone, without a port: letters, digits, - and ."
    yield site.host and not named, words, "host"
    yield (
        site.host == "localhost" or site.host in taken.hosts,
        "is the front door's own, or a role's",
        "host",
    )
    yield not site.health.startswith("/"), "should begin with /", "health"
    whole = not site.directory or site.directory.startswith("/")
    yield not whole, "should be a whole path: begin with / or ~", "directory"


def _refuse_twice(sites: list[Site], document: Document) -> None:
    for key in ("path", "host"):
        seen: dict[str, str] = {}
        # what a file says is wrong, not what is usual
        for site in sorted(sites, key=lambda site: site.configured):
            value = getattr(site, key)
            if value and value in seen:
                problem = f"is what {seen[value]} has"
                error: ConfigError = document.error(problem, "neighbours", site.name, key)
                raise error
            seen[value] = site.name
