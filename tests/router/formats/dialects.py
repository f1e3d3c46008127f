"""The four dialects of the matrix, said by hand: how a client asks, how a provider answers, and
what either of them understands. Nothing here uses the code under test.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from router.framing import Framer
from tests.router.formats.grammar import check_anthropic, check_openai
from tests.router.formats.wire import begun, block, dumps, ended, piece, text
from tests.router.formats.wire import chunk as o_chunk

JSON = dict[str, Any]
SCHEMA: JSON = {"type": "object", "properties": {"city": {"type": "string"}}}
IMAGE, PDF = "iVBORw0KGgo=", "JVBERi0xLjc="
USED = (11, 7)  # tokens in, tokens out


@dataclass
class Answer:
    """What a model says: in no dialect."""

    text: str = ""
    thinking: str = ""
    calls: list[tuple[str, JSON]] = field(default_factory=list)
    stop: str = "end"  # "end", "tools", "length", "refusal"
    used: tuple[int, int] = USED
    cached: int = 0  # of the tokens in


@dataclass
class Question:
    """What a client asks: its last turn, after a loop of tools where `results` are given."""

    text: str = "hi"
    system: str = ""
    tools: tuple[str, ...] = ()
    calls: tuple[tuple[str, JSON], ...] = ()
    results: tuple[str, ...] = ()
    images: tuple[str, ...] = ()
    documents: tuple[str, ...] = ()
    think: bool = False
    stream: bool = False


# ── clients ask ───────────────────────────────────────────────────────────────────────────────────


def ask_anthropic(q: Question) -> JSON:
    said: list[JSON] = [text(q.text)]
    source: JSON = {"type": "base64", "media_type": "image/png"}
    said += [{"type": "image", "source": source | {"data": data}} for data in q.images]
    source = {"type": "base64", "media_type": "application/pdf"}
    said += [{"type": "document", "source": source | {"data": data}} for data in q.documents]
    messages: list[JSON] = [{"role": "user", "content": said}]
    if q.calls:
        uses = [
            {"type": "tool_use", "id": f"toolu_{n}", "name": name, "input": input}
            for n, (name, input) in enumerate(q.calls)
        ]
        results = [
            {"type": "tool_result", "tool_use_id": f"toolu_{n}", "content": result}
            for n, result in enumerate(q.results)
        ]
        messages += [{"role": "assistant", "content": uses}, {"role": "user", "content": results}]
    body: JSON = {"model": "m", "max_tokens": 4000, "messages": messages, "stream": q.stream}
    if q.system:
        body["system"] = q.system
    if q.tools:
        body["tools"] = [{"name": name, "input_schema": SCHEMA} for name in q.tools]
    if q.think:
        body["thinking"] = {"type": "enabled", "budget_tokens": 2000}
    return body


def ask_openai(q: Question) -> JSON:
    said: list[JSON] = [text(q.text)]
    url = "data:image/png;base64,"
    said += [{"type": "image_url", "image_url": {"url": url + data}} for data in q.images]
    url = "data:application/pdf;base64,"
    said += [
        {"type": "file", "file": {"filename": "x.pdf", "file_data": url + data}}
        for data in q.documents
    ]
    messages: list[JSON] = [{"role": "system", "content": q.system}] if q.system else []
    messages.append({"role": "user", "content": said})
    if q.calls:
        calls = [
            {
                "id": f"call_{n}",
                "type": "function",
                "function": {"name": name, "arguments": json.dumps(input)},
            }
            for n, (name, input) in enumerate(q.calls)
        ]
        messages.append({"role": "assistant", "content": None, "tool_calls": calls})
        messages += [
            {"role": "tool", "tool_call_id": f"call_{n}", "content": result}
            for n, result in enumerate(q.results)
        ]
    body: JSON = {"model": "m", "messages": messages, "stream": q.stream, "max_tokens": 4000}
    body["stream_options"] = {"include_usage": True}
    if q.tools:
        body["tools"] = [
            {"type": "function", "function": {"name": name, "parameters": SCHEMA}}
            for name in q.tools
        ]
    if q.think:
        body["reasoning_effort"] = "low"
    return body


def ask_ollama(q: Question) -> JSON:
    messages: list[JSON] = [{"role": "system", "content": q.system}] if q.system else []
    messages.append({"role": "user", "content": q.text, "images": list(q.images)})
    if q.calls:
        calls = [{"function": {"name": name, "arguments": input}} for name, input in q.calls]
        messages.append({"role": "assistant", "content": "", "tool_calls": calls})
        messages += [
            {"role": "tool", "tool_name": name, "content": result}
            for (name, _), result in zip(q.calls, q.results, strict=True)
        ]
    body: JSON = {"model": "m", "messages": messages, "stream": q.stream}
    body["options"] = {"num_predict": 4000}
    if q.tools:
        body["tools"] = [
            {"type": "function", "function": {"name": name, "parameters": SCHEMA}}
            for name in q.tools
        ]
    if q.think:
        body["think"] = True
    return body


def ask_gemini(q: Question) -> JSON:
    said: list[JSON] = [{"text": q.text}]
    for kind, files in (("image/png", q.images), ("application/pdf", q.documents)):
        said += [{"inlineData": {"mimeType": kind, "data": data}} for data in files]
    contents: list[JSON] = [{"role": "user", "parts": said}]
    if q.calls:
        calls = [{"functionCall": {"name": name, "args": input}} for name, input in q.calls]
        results = [
            {"functionResponse": {"name": name, "response": {"output": result}}}
            for (name, _), result in zip(q.calls, q.results, strict=True)
        ]
        contents += [{"role": "model", "parts": calls}, {"role": "user", "parts": results}]
    body: JSON = {"contents": contents, "generationConfig": {"maxOutputTokens": 4000}}
    if q.system:
        body["systemInstruction"] = {"parts": [{"text": q.system}]}
    if q.tools:
        declared = [
            {
                "name": name,
                "parameters": {"type": "OBJECT", "properties": {"city": {"type": "STRING"}}},
            }
            for name in q.tools
        ]
        body["tools"] = [{"functionDeclarations": declared}]
    if q.think:
        thinking = {"includeThoughts": True, "thinkingBudget": 2000}
        body["generationConfig"]["thinkingConfig"] = thinking
    return body


# ── providers understand ──────────────────────────────────────────────────────────────────────────


@dataclass
class Seen:
    system: str = ""
    texts: list[str] = field(default_factory=list)
    tools: list[str] = field(default_factory=list)
    calls: list[tuple[str, JSON]] = field(default_factory=list)
    results: list[str] = field(default_factory=list)
    images: list[str] = field(default_factory=list)
    documents: list[str] = field(default_factory=list)
    thinks: bool = False
    stream: bool = False
    most: int | None = None


def seen_by_anthropic(body: JSON) -> Seen:
    seen = Seen(stream=body.get("stream", False), most=body["max_tokens"])
    seen.system = "".join(b["text"] for b in body.get("system", ()))
    seen.tools = [tool["name"] for tool in body.get("tools", ())]
    seen.thinks = body.get("thinking", {}).get("type") == "enabled"
    ids: list[str] = []
    for message in body["messages"]:
        for part in message["content"]:
            match part["type"]:
                case "text":
                    seen.texts.append(part["text"])
                case "image":
                    seen.images.append(part["source"]["data"])
                case "document":
                    seen.documents.append(part["source"]["data"])
                case "tool_use":
                    ids.append(part["id"])
                    seen.calls.append((part["name"], part["input"]))
                case "tool_result":
                    assert part["tool_use_id"] in ids
                    seen.results.append(part["content"][0]["text"])
    return seen


def seen_by_openai(body: JSON) -> Seen:
    seen = Seen(stream=body.get("stream", False))
    seen.most = body.get("max_tokens") or body.get("max_completion_tokens")
    seen.tools = [tool["function"]["name"] for tool in body.get("tools", ())]
    seen.thinks = "reasoning_effort" in body
    ids: list[str] = []
    for message in body["messages"]:
        content = message["content"]
        if message["role"] == "system":
            seen.system += content if isinstance(content, str) else content[0]["text"]
        elif message["role"] == "tool":
            assert message["tool_call_id"] in ids
            seen.results.append(content)
        else:
            for call in message.get("tool_calls", ()):
                ids.append(call["id"])
                function = call["function"]
                seen.calls.append((function["name"], json.loads(function["arguments"])))
            for part in [text(content)] if isinstance(content, str) else content or ():
                if part["type"] == "text":
                    seen.texts.append(part["text"])
                elif part["type"] == "image_url":
                    seen.images.append(part["image_url"]["url"].partition(",")[2])
                else:
                    seen.documents.append(part["file"]["file_data"].partition(",")[2])
    return seen


def seen_by_ollama(body: JSON) -> Seen:
    seen = Seen(stream=body["stream"], most=body["options"].get("num_predict"))
    seen.tools = [tool["function"]["name"] for tool in body.get("tools", ())]
    seen.thinks = bool(body.get("think"))
    for message in body["messages"]:
        if message["role"] == "system":
            seen.system += message["content"]
        elif message["role"] == "tool":
            seen.results.append(message["content"])
        else:
            seen.texts += [message["content"]] if message["content"] else []
            seen.images += message.get("images", ())
            for call in message.get("tool_calls", ()):
                seen.calls.append((call["function"]["name"], call["function"]["arguments"]))
    return seen


def seen_by_gemini(body: JSON) -> Seen:
    config = body.get("generationConfig", {})
    seen = Seen(most=config.get("maxOutputTokens"))
    seen.system = "".join(p["text"] for p in body.get("systemInstruction", {}).get("parts", ()))
    for tool in body.get("tools", ()):
        seen.tools += [function["name"] for function in tool["functionDeclarations"]]
    seen.thinks = config.get("thinkingConfig", {}).get("includeThoughts", False)
    for content in body["contents"]:
        for part in content["parts"]:
            if "text" in part:
                seen.texts.append(part["text"])
            elif "inlineData" in part:
                file = part["inlineData"]
                pdf = file["mimeType"] == "application/pdf"
                (seen.documents if pdf else seen.images).append(file["data"])
            elif "functionCall" in part:
                seen.calls.append((part["functionCall"]["name"], part["functionCall"]["args"]))
            else:
                seen.results.append(part["functionResponse"]["response"]["output"])
    return seen


# ── providers answer ──────────────────────────────────────────────────────────────────────────────

A_STOP = {
    "end": "end_turn",
    "tools": "tool_use",
    "length": "max_tokens",
    "refusal": "refusal",
}
O_STOP = {"end": "stop", "tools": "tool_calls", "length": "length", "refusal": "content_filter"}
G_STOP = {"end": "STOP", "tools": "STOP", "length": "MAX_TOKENS", "refusal": "SAFETY"}


def halves(text: str) -> list[str]:
    return [half for half in (text[: len(text) // 2], text[len(text) // 2 :]) if half]


def say_anthropic(a: Answer, stream: bool) -> bytes:
    content: list[JSON] = []
    if a.thinking:
        content.append({"type": "thinking", "thinking": a.thinking, "signature": "c2ln"})
    if a.text:
        content.append(text(a.text))
    content += [
        {"type": "tool_use", "id": f"toolu_{n}", "name": name, "input": input}
        for n, (name, input) in enumerate(a.calls)
    ]
    fresh = {"input_tokens": a.used[0] - a.cached, "cache_read_input_tokens": a.cached}
    if not stream:
        usage = fresh | {"output_tokens": a.used[1]}
        head = {"id": "msg_1", "type": "message", "role": "assistant", "model": "x"}
        return dumps(head | {"content": content, "stop_reason": A_STOP[a.stop], "usage": usage})
    out = begun(**fresh, output_tokens=1)
    for n, part in enumerate(content):
        if part["type"] == "text":
            deltas = [{"type": "text_delta", "text": half} for half in halves(a.text)]
            out += block(n, text(""), *deltas)
        elif part["type"] == "thinking":
            deltas = [{"type": "thinking_delta", "thinking": h} for h in halves(a.thinking)]
            deltas.append({"type": "signature_delta", "signature": "c2ln"})
            out += block(n, {"type": "thinking", "thinking": "", "signature": ""}, *deltas)
        else:
            pieces = halves(json.dumps(part["input"]))
            deltas = [{"type": "input_json_delta", "partial_json": piece} for piece in pieces]
            out += block(n, part | {"input": {}}, *deltas)
    return out + ended(A_STOP[a.stop], output_tokens=a.used[1])


def say_openai(a: Answer, stream: bool) -> bytes:
    calls = [
        {
            "id": f"call_{n}",
            "type": "function",
            "function": {"name": name, "arguments": json.dumps(input)},
        }
        for n, (name, input) in enumerate(a.calls)
    ]
    usage: JSON = {"prompt_tokens": a.used[0], "completion_tokens": a.used[1]}
    usage["prompt_tokens_details"] = {"cached_tokens": a.cached}
    if not stream:
        message: JSON = {"role": "assistant", "content": a.text or None}
        message |= {"reasoning_content": a.thinking} if a.thinking else {}
        message |= {"tool_calls": calls} if calls else {}
        choice = {"index": 0, "message": message, "finish_reason": O_STOP[a.stop]}
        head = {"id": "c", "object": "chat.completion", "created": 1, "model": "x"}
        return dumps(head | {"choices": [choice], "usage": usage})
    out = b"".join(o_chunk(reasoning_content=half) for half in halves(a.thinking))
    out += b"".join(o_chunk(content=half) for half in halves(a.text))
    for n, (name, input) in enumerate(a.calls):
        out += o_chunk(tool_calls=[piece("", index=n, id=f"call_{n}", name=name)])
        for half in halves(json.dumps(input)):
            out += o_chunk(tool_calls=[piece(half, index=n)])
    out += o_chunk(O_STOP[a.stop])
    return out + b"data: " + dumps({"choices": [], "usage": usage}) + b"\n\ndata: [DONE]\n\n"


def say_ollama(a: Answer, stream: bool) -> bytes:
    calls = [{"function": {"name": name, "arguments": input}} for name, input in a.calls]
    end: JSON = {
        "done": True,
        "done_reason": "length" if a.stop == "length" else "stop",
        "prompt_eval_count": a.used[0],
        "eval_count": a.used[1],
    }
    if not stream:
        message: JSON = {"role": "assistant", "content": a.text}
        message |= {"thinking": a.thinking} if a.thinking else {}
        message |= {"tool_calls": calls} if calls else {}
        return dumps({"model": "x", "message": message} | end)
    bot: JSON = {"role": "assistant", "content": ""}
    messages: list[JSON] = [bot | {"thinking": half} for half in halves(a.thinking)]
    messages += [bot | {"content": half} for half in halves(a.text)]
    messages += [bot | {"tool_calls": [call]} for call in calls]
    lines: list[JSON] = [{"model": "x", "message": m, "done": False} for m in messages]
    lines.append({"model": "x", "message": bot} | end)
    return b"".join(dumps(line) + b"\n" for line in lines)


def say_gemini(a: Answer, stream: bool) -> bytes:
    parts: list[JSON] = [{"text": half, "thought": True} for half in halves(a.thinking)]
    parts += [{"text": half} for half in halves(a.text)]
    parts += [{"functionCall": {"name": name, "args": input}} for name, input in a.calls]
    thought = 2 if a.thinking else 0
    usage = {"promptTokenCount": a.used[0], "candidatesTokenCount": a.used[1] - thought}
    usage |= {"thoughtsTokenCount": thought} if thought else {}
    usage |= {"cachedContentTokenCount": a.cached} if a.cached else {}
    usage["totalTokenCount"] = sum(a.used)

    def chunk(parts: list[JSON], **more: Any) -> JSON:
        candidate = {"index": 0, "content": {"role": "model", "parts": parts}, **more}
        return {"candidates": [candidate], "modelVersion": "x", "responseId": "r"}

    if not stream:
        return dumps(chunk(parts, finishReason=G_STOP[a.stop]) | {"usageMetadata": usage})
    chunks = [chunk([part]) for part in parts]
    chunks.append(chunk([], finishReason=G_STOP[a.stop]) | {"usageMetadata": usage})
    return b"".join(b"data: " + dumps(one) + b"\r\n\r\n" for one in chunks)


# ── clients understand ────────────────────────────────────────────────────────────────────────────


def _stop(words: dict[str, str], told: str) -> str:
    return next(ours for ours, theirs in words.items() if theirs == told)


def heard_by_anthropic(data: bytes, stream: bool) -> Answer:
    message = check_anthropic(data) if stream else json.loads(data)
    answer = Answer(stop=_stop(A_STOP, message["stop_reason"]))
    for part in message["content"]:
        answer.text += part.get("text", "")
        answer.thinking += part.get("thinking", "")
        if part["type"] == "tool_use":
            answer.calls.append((part["name"], part["input"]))
    usage = message["usage"]
    answer.cached = usage["cache_read_input_tokens"]
    answer.used = (usage["input_tokens"] + answer.cached, usage["output_tokens"])
    return answer


def heard_by_openai(data: bytes, stream: bool) -> Answer:
    if stream:
        total = check_openai(data)
        calls = [(name, json.loads(arguments)) for _, name, arguments in total["calls"]]
        content, thinking, reason = total["content"], total["reasoning"], total["reason"]
    else:
        total = json.loads(data)
        choice = total["choices"][0]
        message, reason = choice["message"], choice["finish_reason"]
        content, thinking = message["content"] or "", message.get("reasoning_content", "")
        called = [call["function"] for call in message.get("tool_calls", ())]
        calls = [(function["name"], json.loads(function["arguments"])) for function in called]
    usage = total["usage"]
    used = (usage["prompt_tokens"], usage["completion_tokens"])
    cached = usage["prompt_tokens_details"]["cached_tokens"]
    return Answer(content, thinking, calls, _stop(O_STOP, reason), used, cached)


def heard_by_ollama(data: bytes, stream: bool) -> Answer:
    lines = [json.loads(line) for line in data.splitlines()]
    assert [line["done"] for line in lines] == [False] * (len(lines) - 1) + [True]
    answer = Answer(stop="length" if lines[-1]["done_reason"] == "length" else "end")
    for line in lines:
        answer.text += line["message"]["content"]
        answer.thinking += line["message"].get("thinking", "")
        for call in line["message"].get("tool_calls", ()):
            answer.calls.append((call["function"]["name"], call["function"]["arguments"]))
    answer.used = (lines[-1]["prompt_eval_count"], lines[-1]["eval_count"])
    if answer.calls:
        answer.stop = "tools"  # which this dialect has no word for
    return answer


def heard_by_gemini(data: bytes, stream: bool) -> Answer:
    framer = Framer()
    frames = (*framer.feed(data), *framer.close()) if stream else ()
    chunks = [json.loads(frame.data) for frame in frames] if stream else [json.loads(data)]
    answer = Answer()
    for chunk in chunks:
        (candidate,) = chunk["candidates"]
        for part in candidate["content"]["parts"]:
            if part.get("thought"):
                answer.thinking += part["text"]
            elif "text" in part:
                answer.text += part["text"]
            else:
                answer.calls.append((part["functionCall"]["name"], part["functionCall"]["args"]))
        assert ("finishReason" in candidate) == (chunk is chunks[-1])
    answer.stop = _stop(G_STOP, candidate["finishReason"])
    if answer.calls and answer.stop == "end":
        answer.stop = "tools"
    usage = chunks[-1]["usageMetadata"]
    answer.cached = usage.get("cachedContentTokenCount", 0)
    answer.used = (
        usage["promptTokenCount"],
        usage["candidatesTokenCount"] + usage.get("thoughtsTokenCount", 0),
    )
    return answer
