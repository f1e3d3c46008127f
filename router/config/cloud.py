"""Providers in a cloud: their addresses are made of what an installation says of itself.

Its one rule: what is missing is named with the key and the variable that would say it, when the
configuration is read, not when the first request comes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from router.config.endpoints import Endpoint
from router.providers import KINDS, Kind
from router.settings import Adjustment, Auth, Provider
from router.signing import missing

#: the clouds' own variables, first one set wins
_ENV: Mapping[str, tuple[str, ...]] = {
    "region": ("AWS_REGION", "AWS_DEFAULT_REGION"),
    "project": ("GOOGLE_CLOUD_PROJECT", "VERTEXAI_PROJECT"),
    "location": ("GOOGLE_CLOUD_LOCATION", "VERTEXAI_LOCATION"),
    "resource": ("AZURE_OPENAI_RESOURCE",),
}


class UnplacedError(Exception):
    """What a cloud's provider lacks, in words for people."""


def places(kind: Kind, said: Mapping[str, str], env: Mapping[str, str]) -> dict[str, str]:
    """All that the kind's address and sign-in may need, from the file, else the environment."""
    found = dict(said)
    wanted = {*kind.needs, *(("region",) if kind.sign_in == "aws" else ())}
    for name in wanted - found.keys():
        value = next((env[v] for v in _ENV.get(name, ()) if env.get(v)), "")
        if value:
            found[name] = value
    return found


def endpoint(kind: Kind, base: str, cloud: Mapping[str, str]) -> Endpoint:
    """At `base`, else at the cloud's own address. Raises UnplacedError."""
    if not base:
        for name in kind.needs:
            if not cloud.get(name):
                raise UnplacedError(
                    f"needs its {name}: cloud = {{ {name} = … }}, or {_ENV[name][0]} in the"
                    " environment"
                )
        base = kind.base.format_map(dict(cloud)).replace("//global-", "//")
    base = base.rstrip("/")
    stream = base + kind.stream_path if kind.stream_path else ""
    return Endpoint(kind.format, base + kind.path, base, stream_url=stream)


def auth(kind: Kind, key: str) -> Auth:
    """A key goes as the kind says; without one the cloud's sign-in. Raises UnplacedError."""
    if key:
        return kind.auth
    if kind.sign_in and (lack := missing(kind.sign_in)):
        raise UnplacedError(lack)
    return kind.sign_in or "none"


def settled(provider: Provider, cloud: Mapping[str, str]) -> Provider:
    """With what every body to that kind needs."""
    kind = KINDS[provider.kind]
    always = tuple(Adjustment(name) for name in kind.adjust)
    named = {adjustment.name for adjustment in provider.adjustments}
    kept = tuple(each for each in always if each.name not in named)
    return replace(provider, cloud=cloud, adjustments=(*provider.adjustments, *kept))
