"""Turns of another dialect in the order that Anthropic demands.

Its one rule: turns alternate and the first is the user's; every call is answered in the turn behind
it, results stand first there, and a result answers a call. Whatever breaks this is a 400.
"""

from __future__ import annotations

from router.messages import JSON

_NO_RESULT = "(no result)"
_NOTHING: JSON = {"type": "text", "text": "(continue)"}


def in_order(messages: list[JSON]) -> list[JSON]:
    """The messages, as blocks in lists; they are changed."""
    ordered: list[JSON] = []
    if not messages or messages[0]["role"] != "user":
        ordered.append({"role": "user", "content": [_NOTHING]})
    for message in messages:
        if ordered and ordered[-1]["role"] == message["role"]:
            ordered[-1]["content"] += message["content"]
        else:
            ordered.append(message)
    return _prefilled(_answered(ordered))


def _answered(ordered: list[JSON]) -> list[JSON]:
    """`ordered` with each call of a tool answered by the user's next turn, and by nothing else."""
    waiting: dict[str, None] = {}
    for message in ordered:
        content = message["content"]
        if message["role"] == "user":
            message["content"] = _results(content, waiting) or [_NOTHING]
            waiting = {}
        else:
            waiting = {_id(block, "id"): None for block in content if block["type"] == "tool_use"}
    if waiting:
        ordered.append({"role": "user", "content": _results([], waiting)})
    return ordered


def _results(content: list[JSON], waiting: dict[str, None]) -> list[JSON]:
    """The results of the waiting calls, then what else the user said."""
    results, said = [], []
    for block in content:
        if block["type"] != "tool_result":
            said.append(block)
        elif (id := _id(block, "tool_use_id")) in waiting:
            del waiting[id]
            results.append(block)
    for id in waiting:
        results.append({"type": "tool_result", "tool_use_id": id, "content": _NO_RESULT})
    return results + said


def _id(block: JSON, key: str) -> str:
    """Also of a block that a client wrote by itself, and as it liked."""
    id = block.get(key)
    return id if type(id) is str else ""


def _prefilled(ordered: list[JSON]) -> list[JSON]:
    """A prefill that ends in white space is refused."""
    last = ordered[-1]
    if last["role"] == "assistant" and last["content"][-1]["type"] == "text":
        last["content"][-1]["text"] = last["content"][-1]["text"].rstrip() or "…"
    return ordered
