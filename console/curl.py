"""The command that asks the same way again, as a request's page shows it.

Its rule: names come from strangers: each is cleaned and quoted for the shell. The prompt is not
kept, so the command says hello.
"""

from __future__ import annotations

import shlex
from urllib.parse import quote

import msgspec

from console.text import clean
from router.contract import RequestView

_PATHS = {
    "litellm": "/litellm/v1",
    "ollama": "/ollama/v1",
    "gemini": "/litellm/v1",
    "ccr": "/ccr/v1",
    "claude-code": "/claude-code/v1",
}
#: endpoints that take a text as it is, and the field for it, by dialect
_ASKED = {
    "openai_responses": ("responses", "input"),
    "openai_completions": ("completions", "prompt"),
}


def curl(request: RequestView, door: str) -> str:
    """A command that takes the same way, on one line; `door` is the front door's address."""
    path = _PATHS.get(request.door, "/ccr/v1")
    said = {"role": "user", "content": "hello"}
    body: dict[str, object]
    if request.door == "gemini" and request.endpoint != "embeddings":
        method = "streamGenerateContent?alt=sse" if request.stream else "generateContent"
        model = quote(clean(request.asked), safe="")
        return _command(
            f"{door}/gemini/v1beta/models/{model}:{method}",
            {"contents": [{"role": "user", "parts": [{"text": "hello"}]}]},
        )
    if request.door == "ollama" and request.endpoint != "embeddings":
        body = {"model": clean(request.asked), "messages": [said], "stream": request.stream}
        return _command(f"{door}/ollama/api/chat", body)
    if request.endpoint == "embeddings":
        endpoint, body = "embeddings", {"input": "hello"}
    elif request.dialect in _ASKED:
        endpoint, field = _ASKED[request.dialect]
        body = {field: "hello"}
    else:
        endpoint = "chat/completions" if request.dialect == "openai_chat" else "messages"
        body = {"messages": [said], "max_tokens": 256}
    if request.stream:
        body["stream"] = True
    if request.asked:
        body = {"model": clean(request.asked), **body}
    return _command(f"{door}{path}/{endpoint}", body)


def _command(address: str, body: dict[str, object]) -> str:
    address = shlex.quote(clean(address))
    data = shlex.quote(msgspec.json.encode(body).decode())
    return f"curl {address} -H 'content-type: application/json' -d {data}"


def folded(command: str) -> list[str]:
    """The command on one line per option, as it is shown; it is copied on one."""
    return command.replace(" -H ", " \\\n  -H ").replace(" -d ", " \\\n  -d ").split("\n")
