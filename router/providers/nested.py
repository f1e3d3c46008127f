"""Settings that people write at the top of a body, put where a format nests them.

A deployment's parameters and CCR's transformers name OpenAI's fields; Ollama has its own inside of
`options`, Gemini inside of `generationConfig`. Its one rule: what the body already says stays, but
for `num_ctx`, which an operator sets to spare memory.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

JSON = dict[str, Any]

#: format → the field that holds them, and what each is called there
_NESTED: Mapping[str, tuple[str, Mapping[str, str]]] = {
    "ollama_chat": (
        "options",
        {
            "max_tokens": "num_predict",
            "stop": "stop",
            **{
                name: name
                for name in (
                    *("temperature", "top_p", "top_k", "min_p", "seed", "num_ctx", "num_predict"),
                    *("repeat_penalty", "repeat_last_n", "mirostat", "mirostat_eta", "num_gpu"),
                    *("mirostat_tau", "tfs_z", "num_thread", "num_batch", "num_keep"),
                    *("presence_penalty", "frequency_penalty"),
                )
            },
        },
    ),
    "gemini": (
        "generationConfig",
        {
            "max_tokens": "maxOutputTokens",
            "temperature": "temperature",
            "top_p": "topP",
            "top_k": "topK",
            "stop": "stopSequences",
            "seed": "seed",
            "presence_penalty": "presencePenalty",
            "frequency_penalty": "frequencyPenalty",
        },
    ),
}
_WINS = frozenset({"num_ctx"})


def nested(body: JSON, format: str) -> JSON:
    """The same body where nothing has to move."""
    place = _NESTED.get(format)
    if place is None:
        return body
    field, names = place
    moving = [name for name in names if name in body]
    if not moving:
        return body
    inner = dict(body.get(field) or {})
    for name in moving:
        if name in _WINS:
            inner[names[name]] = body[name]
        else:
            inner.setdefault(names[name], body[name])
    kept = {name: value for name, value in body.items() if name not in names}
    return {**kept, field: inner}
