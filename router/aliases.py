"""Names under which Claude Code's picker shows any routed model: `claude-ccr-PROVIDER-MODEL`.

Its picker keeps only ids that begin with "claude" or "anthropic", and sends back what was picked.
An alias stands for one target; which one is looked up, never guessed from its spelling. Pure.
"""

from __future__ import annotations

import re
from hashlib import sha256

from router.settings import Generation

PREFIX = "claude-ccr-"
#: Claude Code adds it to a model's name for the long context
_LONG = "[1m]"
_ODD = re.compile(r"[^A-Za-z0-9._-]+")


def aliases(generation: Generation) -> dict[str, str]:
    """Alias → "provider,model" for every model that can be named, in the configured order."""
    found: dict[str, str] = {}
    for provider in generation.providers.values():
        for model in provider.models:
            target = f"{provider.name},{model}"
            alias = PREFIX + _ODD.sub("-", f"{provider.name}-{model}").strip("-")
            if alias in found:  # two targets that are spelled alike
                alias += "-" + sha256(target.encode()).hexdigest()[:6]
            found[alias] = target
    return found


def resolved(generation: Generation, asked: str) -> str:
    """The target that an alias stands for; any other name as it is."""
    if not asked.startswith(PREFIX):
        return asked
    return aliases(generation).get(asked.removesuffix(_LONG), asked)
