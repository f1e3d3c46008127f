"""LangChain's clients at a router, run by a Python that has them: prints what each turn gave.

    python langchain_turns.py FRONT MODEL → {client: {turn: {text, calls, tokens}}} as JSON

Not a test itself: the packages need other versions of the vendors' SDKs than our tests do.
"""

from __future__ import annotations

import importlib
import json
import sys
from typing import Any

CLIENTS = ("openai", "responses", "anthropic", "ollama", "google")


def client_of(name: str, front: str, model: str) -> Any:
    def made(module: str, kind: str, **options: Any) -> Any:
        return getattr(importlib.import_module(module), kind)(model=model, **options)

    openai = {"base_url": f"{front}/litellm/v1", "api_key": "k", "max_retries": 0}
    match name:
        case "openai":
            return made("langchain_openai", "ChatOpenAI", stream_usage=True, **openai)
        case "responses":
            return made("langchain_openai", "ChatOpenAI", use_responses_api=True, **openai)
        case "anthropic":
            at = {"base_url": f"{front}/claude-code", "api_key": "k", "max_retries": 0}
            model = f"litellm-internal,{model}"  # this door names a model's provider
            return made("langchain_anthropic", "ChatAnthropic", **at)
        case "ollama":
            return made("langchain_ollama", "ChatOllama", base_url=f"{front}/ollama")
        case _:
            at = {"base_url": f"{front}/gemini", "api_key": "k", "max_retries": 1}
            return made("langchain_google_genai", "ChatGoogleGenerativeAI", **at)


def weather(city: str) -> str:
    """The weather in a city."""
    return city


def streamed(client: Any, said: Any) -> Any:
    whole = None
    for chunk in client.stream(said):
        whole = chunk if whole is None else whole + chunk
    return whole


def told(message: Any) -> dict[str, Any]:
    used = message.usage_metadata or {}
    calls = [{"name": call["name"], "args": call["args"]} for call in message.tool_calls]
    return {"text": str(message.text), "calls": calls, "tokens": used.get("output_tokens")}


def turns(client: Any) -> dict[str, Any]:
    messages = importlib.import_module("langchain_core.messages")
    able = client.bind_tools([weather])
    question = messages.HumanMessage("what is it like in Rome?")
    called = able.invoke([question])
    results = [messages.ToolMessage("sunny-42", tool_call_id=x["id"]) for x in called.tool_calls]
    return {
        "plain": told(client.invoke("hello")),
        "streamed": told(streamed(client, "hello")),
        "called": told(called),
        "called, streamed": told(streamed(able, [question])),
        "after": told(able.invoke([question, called, *results])),
    }


if __name__ == "__main__":
    front, model = sys.argv[1:]
    print(json.dumps({name: turns(client_of(name, front, model)) for name in CLIENTS}))
