"""All sources together: one Generation, or a ConfigError for the first thing that is wrong.

Reads files; asks nobody on the network (what `probe` found is handed in). Each source that was
looked for leaves a finding, found or not.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Literal

from router import circle
from router.config import (
    budgets,
    ccr_hooks,
    ccr_json,
    ccr_routes,
    defaults,
    embedded,
    environment,
    litellm_routing,
    litellm_yaml,
    neighbours,
    own_providers,
    price_file,
    response_cache,
    roles,
    targets,
    telemetry,
)
from router.config.endpoints import same_port
from router.config.flags import Flags
from router.config.interpolate import dollars
from router.config.own import PointsmanToml
from router.config.part import Part, exposed, once_per_key, problem
from router.config.probes import Neighbour, Probes
from router.config.read_toml import read_toml
from router.contract import Finding
from router.providers import KINDS
from router.settings import (
    Generation,
    Limits,
    Listen,
    Provider,
    RetryPolicy,
    Role,
    Routes,
    Secret,
)
from storage.home import Home


def load(
    home: Home, env: Mapping[str, str], flags: Flags, number: int, probes: Probes
) -> Generation:
    """The configuration as the router uses it. Raises ConfigError; then nothing has changed."""
    file, own = _own(home, env)
    ccr = _ccr(home, env)
    listen = roles.listen(file.listen, flags, ccr.port)
    keyed, key_findings = environment.read(env, listen)
    keyed = {**own.providers, **{n: p for n, p in keyed.items() if n not in own.providers}}
    named = frozenset(n.casefold() for n in {*keyed, *ccr.providers})
    litellm = _litellm(home, env, flags, named, listen)

    litellm_role, asked_litellm = roles.role(
        "litellm", file.litellm, litellm.key, probes.litellm, own.document, listen.litellm_port
    )
    litellm_role = replace(
        litellm_role, errors=file.litellm.errors, over_budget=litellm.over_budget
    )
    ccr_role, asked_ccr = roles.role(
        "ccr", file.ccr, ccr.key, probes.ccr, own.document, listen.ccr_port
    )
    roles.refuse_open_doors(listen, flags, own.document, file.ssh.password, litellm_role, ccr_role)
    roles.refuse_loops(listen, own.document, litellm_role, ccr_role)

    ollama = _ollama(flags, probes.ollama)
    # a file with an empty model_list says nothing of which models there are
    configured = litellm.groups if litellm.groups and litellm.groups.deployments else None
    real = defaults.Real(keyed, configured, ollama)
    groups = configured or defaults.groups(real, ccr.providers)
    if litellm.added:
        both = {n: (*groups.deployments.get(n, ()), *more) for n, more in litellm.added.items()}
        groups = replace(groups, deployments={**groups.deployments, **both})
    plane = _litellm_internal(litellm_role, env, tuple(groups.deployments), real)
    providers = _providers(flags, ccr, litellm, keyed, ollama, plane)
    providers = _in_process(providers, plane, listen, litellm_role)
    reached = roles.without_taken(listen, litellm_role, ccr_role)
    providers = {
        name: once_per_key(circle.marked(provider, reached)) for name, provider in providers.items()
    }
    routes = own_providers.routes(ccr.routes or defaults.routes(real), file)
    hooks, hook_findings, follows = ccr_hooks.read(home.ccr, ccr.resolved, env, routes, providers)
    if flags.local_model_url and ollama is None:
        ollama_finding = Finding(
            "local model", flags.local_model_url, "found", "plays ollama-local"
        )
    else:
        ollama_finding = _ollama_finding(probes.ollama)
    otlp, otlp_findings = telemetry.read(file.telemetry, env)
    price_map, priced = price_file.load(home.price_map)
    findings = [
        *own.findings,
        *priced,
        *ccr.findings,
        *_doubts(ccr, own, file, routes, providers),
        *hook_findings,
        *litellm.findings,
        *key_findings,
        ollama_finding,
        *asked_litellm,
        *asked_ccr,
        *otlp_findings,
        *_made(providers, routes, flags),
    ]
    hosts = neighbours.of_roles(file, litellm_role, ccr_role)
    taken = neighbours.Taken({*listen.hosts, *hosts}, {*providers, *KINDS})
    sites = neighbours.sites(file, own.document, home, listen, litellm_role, taken)
    hosts |= {site.host: site for site in sites if site.host}
    listen = neighbours.with_hosts(listen, hosts.values())
    return Generation(
        number=number,
        providers=providers,
        routes=routes,
        groups=groups,
        litellm=litellm_role,
        ccr=ccr_role,
        listen=roles.without_taken(listen, litellm_role, ccr_role),
        limits=_limits(file),
        retry=_retry(litellm, file),
        sites=sites,
        otlp=otlp,
        hosts=hosts,
        findings=tuple(findings),
        prices=own_providers.prices(file.prices),
        price_map=price_map,
        budgets=budgets.budgets(file.budgets) + litellm.budgets,
        cache=response_cache.caching(file.cache, litellm.cache),
        webhook=Secret(file.alerts.webhook),
        webhook_for=frozenset(file.alerts.kinds),
        log_level=_level(file, env),
        retention_days=file.retention.days,
        retention_bytes=round(file.retention.size_mb * 1e6) if file.retention.size_mb else None,
        ssh_password=file.ssh.password,
        ssh_agent=file.ssh.agent,
        hooks=hooks,
        proxy=ccr.proxy,
        follows=(*follows, *litellm.follows),
    )


# ── the files ─────────────────────────────────────────────────────────────────────────────────────


def _own(home: Home, env: Mapping[str, str]) -> tuple[PointsmanToml, Part]:
    what = own_providers.WHAT
    if not home.toml.is_file():
        found = Finding(what, str(home.toml), "absent", "the usual settings apply")
        return PointsmanToml(), Part(findings=[found])
    document = read_toml(home.toml)
    sets = f"sets {', '.join(document.data)}" if document.data else "says nothing yet"
    part = Part(document=document, findings=[Finding(what, str(home.toml), "found", sets)])

    def missing(place: tuple[str | int, ...], name: str) -> None:
        text = f"${name} is not set in the environment, so it stays as written"
        part.findings.append(problem(what, document, text, *place))

    part.findings += exposed(what, document)
    document = replace(document, data=dollars(document.data, env, missing))
    file = document.fit(PointsmanToml)
    own_providers.providers(part, document, file, env)
    return file, part


def _ccr(home: Home, env: Mapping[str, str]) -> Part:
    if home.ccr_json.is_file():
        return ccr_json.read(home.ccr_json, env)
    return Part(findings=[Finding(ccr_routes.WHAT, str(home.ccr_json), "absent", "no such file")])


def _litellm(
    home: Home, env: Mapping[str, str], flags: Flags, taken: frozenset[str], listen: Listen
) -> Part:
    path = litellm_yaml.find(flags.litellm_config, flags.directory, home.litellm_yaml)
    taken |= {embedded.LITELLM, embedded.SIMULATOR}
    if path is not None:
        return litellm_yaml.read(path, env, taken, listen, home.litellm_models)
    part = litellm_yaml.only_added(home.litellm_models, env, taken, listen)
    also = f"no such file, nor in {flags.directory}" if flags.directory else "no such file"
    absent = Finding(litellm_routing.WHAT, str(home.litellm_yaml), "absent", also)
    part.findings.insert(0, absent)
    return part


# ── providers ─────────────────────────────────────────────────────────────────────────────────────


def _ollama(flags: Flags, neighbour: Neighbour) -> Provider | None:
    """The running Ollama, unless the real small model was asked to stand in its place."""
    if flags.local_model_url or neighbour.state != "found" or not neighbour.models:
        return None
    return embedded.ollama(neighbour.address, neighbour.models)


def _litellm_internal(
    role: Role, env: Mapping[str, str], names: tuple[str, ...], real: defaults.Real
) -> Provider:
    """The LiteLLM plane as a provider: in-process, or the real LiteLLM that plays the role."""
    simulated = not real.keyed and real.groups is None
    plane = embedded.litellm_plane(tuple(n for n in names if "*" not in n), simulated=simulated)
    if role.mode == "embedded":
        return plane
    key = role.keys[0] if role.keys else Secret(env.get("LITELLM_MASTER_KEY", ""))
    return replace(
        plane,
        plane=None,
        simulated=False,
        models=(),
        url=f"{role.url}/v1/chat/completions",
        base=f"{role.url}/v1",
        key=key,
        auth="bearer" if key else "none",
        source=role.url,
    )


def _providers(
    flags: Flags,
    ccr: Part,
    litellm: Part,
    keyed: Mapping[str, Provider],
    ollama: Provider | None,
    plane: Provider,
) -> dict[str, Provider]:
    """By name; a person's own file wins over what was found, and that over what stands in."""
    found: dict[str, Provider] = {plane.name: plane}
    standing_in = embedded.providers(flags.simulator_url)
    if ccr.providers:
        found[embedded.SIMULATOR] = standing_in[embedded.SIMULATOR]
    else:
        found |= standing_in
        if flags.local_model_url:
            found[embedded.OLLAMA] = embedded.local_model(flags.local_model_url)
    if ollama is not None:
        found[ollama.name] = ollama
    found |= {**litellm.providers, **keyed, **ccr.providers}
    # what a person named comes first where people choose from a list
    order = [*ccr.providers, *keyed, *litellm.providers]
    names = dict.fromkeys([*order, *(n for n in found if n not in order)])
    return {name: found[name] for name in names}


def _in_process(
    providers: dict[str, Provider], plane: Provider, listen: Listen, role: Role
) -> dict[str, Provider]:
    """A provider whose address is our own LiteLLM role needs no HTTP to get there, and an answer
    that goes round in a circle is noticed."""
    if role.mode == "external":
        return providers

    def ours(provider: Provider) -> bool:
        front = same_port(provider.url, listen.port) and "/litellm/" in provider.url
        return front or same_port(provider.url, listen.litellm_port)

    return {
        name: replace(plane, name=name, models=p.models or plane.models, source=p.source)
        if p.plane is None and ours(p)
        else p
        for name, p in providers.items()
    }


# ── the rest ──────────────────────────────────────────────────────────────────────────────────────


def _limits(file: PointsmanToml) -> Limits:
    table = file.limits
    return Limits(
        body_bytes=int(table.body_mb * 1024 * 1024),
        header_bytes=table.header_kb * 1024,
        header_seconds=table.header_seconds,
        body_seconds=table.body_seconds,
        connections=table.connections,
        socket_seconds=table.socket_seconds,
        unread_seconds=table.unread_seconds,
    )


def _retry(litellm: Part, file: PointsmanToml) -> RetryPolicy:
    own = {name: value for name, value in file.retry.model_dump().items() if value is not None}
    return replace(RetryPolicy(), **{**litellm.retry, **own})


def _level(
    file: PointsmanToml, env: Mapping[str, str]
) -> Literal["debug", "info", "warning", "error"]:
    """CCR_DEBUG=true is what the usage guide says for more words."""
    if env.get("CCR_DEBUG", "").lower() in ("1", "true", "yes"):
        return "debug"
    return file.log.level or "info"


def _ollama_finding(neighbour: Neighbour) -> Finding:
    what, where = "running Ollama", neighbour.address
    if neighbour.state == "found":
        models = ", ".join(neighbour.models[:6]) or "no model is installed: ollama pull …"
        more = f" and {len(neighbour.models) - 6} more" if len(neighbour.models) > 6 else ""
        text = f"Ollama {neighbour.version}: {models}{more}"
        return Finding(what, where, "found" if neighbour.models else "problem", text)
    return Finding(
        what,
        where,
        "problem" if neighbour.state == "problem" else "absent",
        neighbour.detail or "not asked",
    )


def _made(providers: Mapping[str, Provider], routes: Routes, flags: Flags) -> list[Finding]:
    """Says what is simulated, so that nobody takes it for an answer."""
    names = [p.name for p in providers.values() if p.simulated and p.name != embedded.SIMULATOR]
    if not names:
        return []
    default = routes.targets.get("default")
    chosen = default is not None and default.provider in names
    text = f"stands in for {', '.join(names)}"
    if not chosen:
        text += "; reached only by name"
    return [Finding("simulator", flags.simulator_url or "built in", "made", text)]


def _doubts(
    ccr: Part, own: Part, file: PointsmanToml, routes: Routes, providers: Mapping[str, Provider]
) -> list[Finding]:
    """Of the targets of both files that name some."""
    found: list[Finding] = []
    if ccr.document is not None and ccr.routes is not None:
        named = ccr_routes.named(ccr.routes)
        found += targets.doubts(ccr_routes.WHAT, ccr.document, named, providers)
    if own.document is not None:
        named = own_providers.named(file, routes)
        found += targets.doubts(own_providers.WHAT, own.document, named, providers)
    return found
