"""LiteLLM's `model: "*"`: every provider, by the prefix of the model's name or by its family.

One rule: that is an entry for each provider whose key or address the environment holds, and none
in the place of an entry that the file has for the same names.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from fnmatch import fnmatchcase

from router.config.litellm_bases import moved
from router.config.litellm_params import LiteLLMParams
from router.providers import KINDS
from router.settings import Listen

EVERY = "*"


def is_every(params: LiteLLMParams) -> bool:
    return params.model == EVERY and not params.custom_llm_provider


def unsaid(name: str, params: LiteLLMParams) -> str:
    """Why an entry cannot stand for every provider; "" where it can."""
    instead = 'write "openai/*" and the like, an entry each'
    if EVERY not in name:
        return f'model "*" under a name without * says no model: {instead}'
    if params.api_key or params.api_base or params.base_url:
        return f"one key or address for all providers is not done: {instead}"
    return ""


def each(
    name: str, env: Mapping[str, str], listen: Listen, others: Iterable[str]
) -> Iterator[tuple[str, str]]:
    """A model_name and a model for each entry that `name` stands for. `others` are the file's other
    names: LiteLLM prefers the pattern that says more."""
    narrower = [one for one in others if one != name]
    for kind in KINDS.values():
        if kind.sign_in not in ("", "azure"):
            continue  # the model's name says which API is asked: it must be known before
        keyed = any(env.get(key, "").strip() for key in kind.keys)
        if not (keyed or moved(kind, env, listen).base):
            continue
        models = {f"{prefix}/*": f"{prefix}/*" for prefix in kind.litellm}
        models |= {f"{family}*": f"{kind.litellm[0]}/{family}*" for family in kind.families}
        for pattern, model in models.items():
            made = name.replace(EVERY, pattern, 1)
            if not any(fnmatchcase(made, one) for one in narrower):
                yield made, model
