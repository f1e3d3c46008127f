"""Targets that a configuration names, held against the providers that there are.

One rule: it only tells. A target is used as it is written, for lists of models are often short.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from router.config.document import Document, Place
from router.config.part import problem
from router.contract import Finding
from router.did_you_mean import mistyped
from router.settings import Provider, Target

Named = Iterable[tuple[Target, Place]]


def doubts(
    what: str, document: Document, named: Named, providers: Mapping[str, Provider]
) -> list[Finding]:
    """A problem for each target whose provider is not there, or whose model is probably another's
    name mistyped."""
    by_name = {name.casefold(): provider for name, provider in providers.items()}
    findings = []
    for target, place in named:
        provider = by_name.get(target.provider.casefold())
        if provider is None:
            words = f"no provider is called {target.provider!r}"
        else:
            words = mistyped(provider, target.model)
        if words:
            findings.append(problem(what, document, words, *place))
    return findings
