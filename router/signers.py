"""Who signed which thought, so that each provider is sent its own and nobody else's.

What one provider signed (thinking, redacted thinking, encrypted reasoning) another refuses with a
400, also where both speak one dialect and the client's own bytes would pass. One rule: what nobody
was seen to sign goes on as it came, since its session may have begun elsewhere; if it is refused,
it is left out from then on. Held in memory, by a fingerprint, and bounded.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import partial

from msgspec.structs import replace

from router.errors import UpstreamError
from router.messages import Message, Part, RedactedThinking, Request, Thinking
from router.providers import KINDS
from router.rules.plan import Candidate

#: thoughts remembered, the newest ones
REMEMBERED = 20_000
#: Claude's signatures hold wherever it runs: at Anthropic, Bedrock and Vertex
_CLAUDE = "claude"
_CLOUDS = frozenset({"bedrock", "vertex-claude"})
#: what no provider is sent: one has refused it, and who signed it is not known
_NOBODY = ""
# Anthropic: "messages.1.content.0: Invalid `signature` in `thinking` block"; OpenAI: "The encrypted
# content gAAA… could not be verified".
_REFUSAL = re.compile(
    r"invalid .?(?:signature|data).{0,5} in .?(?:redacted_)?thinking|thinking.{0,40}signature|"
    r"encrypted.content .{0,4000}could not be (?:verified|decrypted)|invalid_encrypted_content",
    re.IGNORECASE | re.DOTALL,
)


class Signers:
    """One per router."""

    def __init__(self) -> None:
        self._who: dict[int, str] = {}
        self._first = ""  # who signed the first thought of all
        self._several = False  # somebody else did too

    def learner(self, candidate: Candidate) -> Callable[[str], None]:
        """To be called with each signature of an answer of that candidate."""
        return partial(self._learn, candidate)

    def _learn(self, candidate: Candidate, signature: str) -> None:
        who = signer(candidate)
        self._first = self._first or who
        self._several = self._several or who != self._first
        self._keep(signature, who)

    def _keep(self, signature: str, who: str) -> None:
        self._who[hash(signature)] = who
        if len(self._who) > REMEMBERED:
            del self._who[next(iter(self._who))]

    def fit(self, request: Request, candidate: Candidate) -> Request:
        """The request without the thoughts that others signed; itself where it has none."""
        if not self._who:
            return request
        me = signer(candidate)
        if me == self._first and not self._several:
            return request
        foreign = {
            id(part)
            for part, signature in _signed(request)
            if self._who.get(hash(signature), me) != me
        }
        if not foreign:
            return request
        return replace(request, messages=[_without(foreign, one) for one in request.messages])

    def refused(self, error: UpstreamError, request: Request) -> bool:
        """Whether a provider would not take a thought, and `fit` leaves it out from now on."""
        if error.kind != "caller" or not _REFUSAL.search(error.message):
            return False
        unknown = [s for _, s in _signed(request) if hash(s) not in self._who]
        for signature in unknown:
            self._keep(signature, _NOBODY)
        self._several = self._several or bool(unknown)
        return bool(unknown)


def signer(candidate: Candidate) -> str:
    """Whose signature an answer of it bears. Reasoning that OpenAI's Responses encrypted is for the
    same account and model alone."""
    provider = candidate.provider
    if provider.format == "openai_responses":
        return str(hash((provider.base, provider.key.reveal(), candidate.model)))
    own = provider.kind == "anthropic" and provider.base == KINDS["anthropic"].base
    return _CLAUDE if own or provider.kind in _CLOUDS else provider.base


def _signed(request: Request) -> Iterator[tuple[Part, str]]:
    for message in request.messages:
        if message.role == "assistant":
            for part in message.parts:
                if type(part) is Thinking and part.signature:
                    yield part, part.signature
                elif type(part) is RedactedThinking:
                    yield part, part.data


def _without(foreign: set[int], message: Message) -> Message:
    kept = [part for part in message.parts if id(part) not in foreign]
    return message if len(kept) == len(message.parts) else replace(message, parts=kept)
