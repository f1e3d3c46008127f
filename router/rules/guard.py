"""The last look: what cannot be held by a model is not sent to it.

Candidates whose known context is too small go behind those that can hold the tokens. When none can,
the client is told in Anthropic's own words, on which Claude Code compacts its conversation.
"""

from __future__ import annotations

from collections.abc import Sequence

from router.errors import CallerError
from router.rules.plan import Candidate


def context_of(candidate: Candidate) -> int | None:
    """Tokens that a candidate can hold; None where that is not known."""
    known = candidate.provider.context
    return known.get(candidate.model, known.get("")) if known else None


def holds(candidate: Candidate, tokens: int) -> bool:
    """A fallback with a prompt of its own may hold that."""
    context = context_of(candidate)
    return context is None or tokens <= context or candidate.other is not None


def all_hold(candidates: Sequence[Candidate], tokens: int) -> bool:
    for candidate in candidates:
        if candidate.provider.context and not holds(candidate, tokens):
            return False
    return True


def by_room(candidates: Sequence[Candidate], tokens: int) -> tuple[Candidate, ...]:
    """The same candidates, those with room first; the order among equals stays."""
    return tuple(sorted(candidates, key=lambda candidate: not holds(candidate, tokens)))


def too_long(candidates: Sequence[Candidate], tokens: int) -> CallerError:
    most = max(context_of(candidate) or 0 for candidate in candidates)
    return CallerError(
        f"prompt is too long: {tokens} tokens > {most} maximum", status=400, kind="too_long"
    )
