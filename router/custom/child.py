"""Runs in a process of its own: `python -P child.py FILE`, FILE being a person's custom router.

FILE defines `router(req, config)` or `router(req, config, context)`, plain or async, which returns
"provider,model", or None to leave it to the rules: CCR's contract, in Python. `req` has `body`
(dict), `headers`, `sessionId`, `tokenCount`; also as `req["body"]`. `config` is config.json. What
it changes in the body goes on, as with CCR.

Reads one JSON object a line (first the config, then questions), writes one. Whatever the person's
code prints goes to stderr. Ends when stdin closes. Uses nothing but the standard library.
"""

from __future__ import annotations

import asyncio
import inspect
import json
import os
import runpy
import sys
import traceback
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any


class Req(SimpleNamespace):
    def __getitem__(self, name: str) -> Any:
        return getattr(self, name)


def load(path: str) -> Callable[..., Any]:
    names = runpy.run_path(path)
    for name in ("router", "route", "main"):
        if callable(names.get(name)):
            found: Callable[..., Any] = names[name]
            return found
    raise AttributeError("defines no function `router(req, config)`")


async def answer(function: Callable[..., Any], req: Req, config: Any) -> Any:
    given = [req, config, {"event": None}]
    count = len(inspect.signature(function).parameters)
    result = function(*given[: max(1, min(count, 3))])
    return await result if inspect.isawaitable(result) else result


def main() -> None:
    told = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # print() of the person's code must not look like an answer
    config = json.loads(sys.stdin.readline())
    try:
        function = load(sys.argv[1])
    except BaseException as error:  # noqa: BLE001  the person's code, at its own border
        sys.stderr.write(f"{type(error).__name__}: {error}\n")
        sys.exit(1)
    for line in sys.stdin:
        question = json.loads(line)
        reply: dict[str, Any] = {"id": question.pop("id")}
        req = Req(**question, url="/v1/messages", method="POST")
        before = json.dumps(req.body)
        try:
            model = asyncio.run(answer(function, req, config))
            if model is not None and not isinstance(model, str):
                raise TypeError(f"returned {type(model).__name__}, not a string or None")
            reply["model"] = model
            if json.dumps(req.body) != before:
                reply["body"] = req.body
        except Exception as error:  # noqa: BLE001  the person's code, at its own border
            frame = traceback.extract_tb(error.__traceback__)[-1]
            reply["error"] = f"{type(error).__name__}: {error} (line {frame.lineno})"
        told.write(json.dumps(reply) + "\n")
        told.flush()


if __name__ == "__main__":
    main()
