"""The tables of pointsman.toml that need more than reading: [providers.*], [routes], prices."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import TypeVar

from msgspec import structs

from router.config import cloud
from router.config.document import Document, Place
from router.config.endpoints import (
    ANTHROPIC,
    OLLAMA,
    Endpoint,
    from_base,
    from_full,
    keyless,
    shown_by,
)
from router.config.own import PointsmanToml, PriceTable, ProviderTable
from router.config.part import Part, first_key, price, problem, several_keys, sorted_out
from router.providers import KINDS, Kind, kind_of
from router.providers.adjustments import read as read_adjustment
from router.settings import (
    Adjustment,
    Auth,
    Price,
    Provider,
    Routes,
    Scenario,
    Secret,
    Target,
    Timeouts,
)

WHAT = "pointsman.toml"
Value = TypeVar("Value")


def providers(part: Part, document: Document, file: PointsmanToml, env: Mapping[str, str]) -> None:
    """Adds every [providers.NAME] to the part. Raises ConfigError for one that cannot be meant."""
    for name, table in file.providers.items():
        part.providers[name] = _provider(part, document, name, table, env)


def _provider(
    part: Part, document: Document, name: str, table: ProviderTable, env: Mapping[str, str]
) -> Provider:
    at = ("providers", name)
    if "," in name or not name.strip():
        raise document.error("a provider's name stands before a comma: it may hold none", *at)
    kind = _kind(document, table, at)
    key = table.key or first_key(table.keys) or next((env[k] for k in kind.keys if env.get(k)), "")
    if kind.sign_in:
        return _clouded(part, document, name, table, kind, key, env)
    endpoint = _endpoint(document, table, kind, at)
    if not key and not keyless(endpoint.url) and table.auth != "none":
        text = f"{name} has no key: it will most likely refuse every request"
        part.findings.append(problem(WHAT, document, text, *at))
    auth = table.auth or (shown_by(kind, endpoint) if key else "none")
    return _made(part, document, name, table, kind, endpoint, key, auth)


def _clouded(
    part: Part,
    document: Document,
    name: str,
    table: ProviderTable,
    kind: Kind,
    key: str,
    env: Mapping[str, str],
) -> Provider:
    """In a cloud: its address is made of what is said of the installation."""
    at = ("providers", name)
    told = cloud.places(kind, table.cloud, env)
    try:
        auth = table.auth or cloud.auth(kind, key)
        if table.url:
            endpoint = _endpoint(document, table, kind, at)
        else:
            endpoint = cloud.endpoint(kind, table.base, told)
    except cloud.UnplacedError as error:
        raise document.error(str(error), *at) from None
    made = _made(part, document, name, table, kind, endpoint, key, auth)
    return cloud.settled(made, told)


def _made(
    part: Part,
    document: Document,
    name: str,
    table: ProviderTable,
    kind: Kind,
    endpoint: Endpoint,
    key: str,
    auth: Auth,
) -> Provider:
    at, timeouts = ("providers", name), table.timeouts
    return Provider(
        name=name,
        format=endpoint.format,
        url=endpoint.url,
        base=endpoint.base,
        key=Secret(key),
        keys=several_keys(table.key, table.keys),
        auth=auth,
        models=table.models or (kind.offered if _usual(kind, endpoint) else ()),
        kind=kind.name,
        local=kind.local and keyless(endpoint.url) if table.local is None else table.local,
        adjustments=_adjustments(part, document, table.adjust, (*at, "adjust")),
        model_adjustments={
            model: _adjustments(part, document, uses, (*at, "adjust_model", model))
            for model, uses in table.adjust_model.items()
        },
        prices=prices(table.prices),
        context=table.context,
        max_output=table.max_output,
        headers=tuple(table.headers.items()),
        timeouts=Timeouts(timeouts.connect, timeouts.first_byte, timeouts.idle, timeouts.total),
        source=document.file,
        stream_url=endpoint.stream_url,
    )


def _kind(document: Document, table: ProviderTable, at: tuple[str, ...]) -> Kind:
    if not table.kind:
        if table.format == ANTHROPIC or table.url.rstrip("/").endswith("/messages"):
            return KINDS["anthropic"]
        if table.format == OLLAMA:
            return KINDS["ollama"]
        return kind_of(table.url or table.base)
    if table.kind not in KINDS:
        known = ", ".join(sorted(KINDS))
        raise document.error(f"no such kind; there are {known}", *at, "kind")
    return KINDS[table.kind]


def _endpoint(
    document: Document, table: ProviderTable, kind: Kind, at: tuple[str, ...]
) -> Endpoint:
    format = table.format or kind.format
    if table.url and table.base:
        raise document.error("give url (the whole address) or base, not both", *at, "base")
    if table.url:
        made = from_full(table.url, anthropic=format == ANTHROPIC)
        # a path of their own: what the file says of the format counts
        return replace(made, format=table.format) if table.format else made
    if not (table.base or kind.base):
        raise document.error("needs a url (the whole address) or a base", *at)
    return from_base(table.base or kind.base, format)


def _usual(kind: Kind, endpoint: Endpoint) -> bool:
    """Whether an endpoint is the vendor's own, by whichever of its formats."""
    return bool(kind.base) and endpoint.base == from_base(kind.base, endpoint.format).base


def _adjustments(
    part: Part, document: Document, uses: tuple[object, ...], at: tuple[str, ...]
) -> tuple[Adjustment, ...]:
    found: list[tuple[Adjustment, tuple[str | int, ...]]] = []
    for index, use in enumerate(uses):
        adjustment = read_adjustment(use)
        if adjustment is None:
            raise document.error('should be "name" or ["name", { options }]', *at, index)
        found.append((adjustment, (*at, index)))
    kept, findings = sorted_out(WHAT, document, found)
    part.findings += findings
    return kept


def prices(tables: Mapping[str, PriceTable]) -> dict[str, Price]:
    """Model → price, from dollars per million tokens."""
    return {model: _price(table, "config") for model, table in tables.items()}


def _price(table: PriceTable, source: str, usual: PriceTable | None = None) -> Price:
    """What a tier does not say costs what is `usual`."""
    said = table.model_dump(exclude={"above", "services", "request", "searches"})
    if usual is not None:
        said |= {name: getattr(usual, name) for name, told in said.items() if told is None}
    made = price(**said, source=source)
    search = table.searches if table.searches is not None or usual is None else usual.searches
    request = table.request if table.request is not None or usual is None else usual.request
    return structs.replace(
        made,
        request=None if request is None else request * 1e9,
        search=made.search if search is None else search * 1e6,
        above=tuple(
            (limit, _price(over, f"{source}, above {limit:,}", table))
            for limit, over in sorted(table.above.items())
        ),
        services=tuple(
            (name, _price(served, f"{source}, {name}", table))
            for name, served in table.services.items()
        ),
    )


def routes(usual: Routes, file: PointsmanToml) -> Routes:
    """`usual` with what [routes] says put over it; an empty target clears a scenario."""
    table = file.routes
    targets: dict[Scenario, Target] = dict(usual.targets)
    for scenario, text in table.targets.items():
        target = Target.parse(text)
        if target is None:
            targets.pop(scenario, None)
        else:
            targets[scenario] = target
    chains = dict(usual.fallback)
    for scenario, chain in table.fallback.items():
        chains[scenario] = tuple(filter(None, map(Target.parse, chain)))
    return replace(
        usual,
        targets=targets,
        fallback=chains,
        long_context_threshold=_said(table.long_context_threshold, usual.long_context_threshold),
        think_budget=_said(table.think_budget, usual.think_budget),
        think_efforts=_said(table.think_efforts, usual.think_efforts),
        strict=_said(table.strict, usual.strict),
        from_file=usual.from_file or bool(table.targets),
        source=f"pointsman.toml, over {usual.source}" if table.model_fields_set else usual.source,
    )


def named(file: PointsmanToml, made: Routes) -> Iterator[tuple[Target, Place]]:
    """Each target that is named, with its place; `made`: by `routes`."""
    for scenario, text in file.routes.targets.items():
        if text:
            yield made.targets[scenario], ("routes", "targets", scenario)
    for scenario in file.routes.fallback:
        for index, target in enumerate(made.fallback[scenario]):
            yield target, ("routes", "fallback", scenario, index)
    for index, budget in enumerate(file.budgets):
        if (cheaper := Target.parse(budget.cheaper)) is not None:
            yield cheaper, ("budgets", index, "cheaper")


def _said(value: Value | None, usual: Value) -> Value:
    return usual if value is None else value
