"""The matrix's dialects, said by hand, of OpenAI's other two APIs: Responses, and the legacy
Completions that only a client speaks. Nothing here uses the code under test.
"""

from __future__ import annotations

import json
from typing import Any

from router.framing import Framer
from tests.router.formats.dialects import JSON, SCHEMA, Answer, Question, Seen, halves
from tests.router.formats.responses_grammar import check_response, check_responses
from tests.router.formats.wire import dumps, sse

# ── Responses ─────────────────────────────────────────────────────────────────────────────────────


def ask_responses(q: Question) -> JSON:
    said: list[JSON] = [{"type": "input_text", "text": q.text}]
    url = "data:image/png;base64,"
    said += [{"type": "input_image", "image_url": url + data} for data in q.images]
    url = "data:application/pdf;base64,"
    said += [
        {"type": "input_file", "filename": "x.pdf", "file_data": url + data} for data in q.documents
    ]
    items: list[JSON] = [{"role": "user", "content": said}]
    items += [
        {
            "type": "function_call",
            "call_id": f"call_{n}",
            "name": name,
            "arguments": json.dumps(input),
        }
        for n, (name, input) in enumerate(q.calls)
    ]
    items += [
        {"type": "function_call_output", "call_id": f"call_{n}", "output": result}
        for n, result in enumerate(q.results)
    ]
    body: JSON = {"model": "m", "input": items, "stream": q.stream, "max_output_tokens": 4000}
    if q.system:
        body["instructions"] = q.system
    if q.tools:
        body["tools"] = [
            {"type": "function", "name": name, "parameters": SCHEMA, "strict": False}
            for name in q.tools
        ]
    if q.think:
        body["reasoning"] = {"effort": "low"}
    return body


def seen_by_responses(body: JSON) -> Seen:
    seen = Seen(stream=body.get("stream", False), most=body.get("max_output_tokens"))
    seen.system = body.get("instructions", "")
    seen.tools = [tool["name"] for tool in body.get("tools", ())]
    seen.thinks = "reasoning" in body
    ids: list[str] = []
    for item in body["input"]:
        if item.get("type") == "function_call":
            ids.append(item["call_id"])
            seen.calls.append((item["name"], json.loads(item["arguments"])))
        elif item.get("type") == "function_call_output":
            assert item["call_id"] in ids
            seen.results.append(item["output"])
        else:
            for part in item["content"]:
                if part["type"] == "input_text":
                    seen.texts.append(part["text"])
                elif part["type"] == "input_image":
                    seen.images.append(part["image_url"].partition(",")[2])
                else:
                    seen.documents.append(part["file_data"].partition(",")[2])
    return seen


def say_responses(a: Answer, stream: bool) -> bytes:
    output: list[JSON] = []
    if a.thinking:
        summary = [{"type": "summary_text", "text": a.thinking}]
        thought: JSON = {"id": "rs_1", "type": "reasoning", "summary": summary}
        output.append(thought | {"encrypted_content": "abc"})
    if a.text:
        part: JSON = {"type": "output_text", "text": a.text, "annotations": []}
        output.append(
            {
                "id": "msg_1",
                "type": "message",
                "role": "assistant",
                "status": "completed",
                "content": [part],
            }
        )
    output += [
        {
            "id": f"fc_{n}",
            "type": "function_call",
            "call_id": f"call_{n}",
            "name": name,
            "arguments": json.dumps(input),
            "status": "completed",
        }
        for n, (name, input) in enumerate(a.calls)
    ]
    why = {"length": "max_output_tokens", "refusal": "content_filter"}.get(a.stop)
    response: JSON = {
        "id": "resp_1",
        "object": "response",
        "model": "x",
        "status": "incomplete" if why else "completed",
        "incomplete_details": {"reason": why} if why else None,
        "output": output,
        "usage": {
            "input_tokens": a.used[0],
            "input_tokens_details": {"cached_tokens": a.cached},
            "output_tokens": a.used[1],
        },
    }
    if not stream:
        return dumps(response)
    out = sse("response.created", response={**response, "output": [], "usage": None})
    for n, item in enumerate(output):
        out += _item(n, item)
    return out + sse(f"response.{response['status']}", response=response)


def _item(n: int, item: JSON) -> bytes:
    """One item as it is streamed: begun empty, filled, and whole at its end."""
    at = {"output_index": n, "item_id": item["id"]}
    empty: JSON = {"message": {"content": []}, "reasoning": {"summary": []}}
    begun = item | empty.get(item["type"], {"arguments": ""}) | {"status": "in_progress"}
    out = sse("response.output_item.added", output_index=n, item=begun)
    if item["type"] == "message":
        part = item["content"][0]
        out += sse("response.content_part.added", **at, content_index=0, part={**part, "text": ""})
        for half in halves(part["text"]):
            out += sse("response.output_text.delta", **at, content_index=0, delta=half)
        out += sse("response.output_text.done", **at, content_index=0, text=part["text"])
        out += sse("response.content_part.done", **at, content_index=0, part=part)
    elif item["type"] == "reasoning":
        for half in halves(item["summary"][0]["text"]):
            kind = "response.reasoning_summary_text.delta"
            out += sse(kind, **at, summary_index=0, delta=half)
    else:
        for half in halves(item["arguments"]):
            out += sse("response.function_call_arguments.delta", **at, delta=half)
    return out + sse("response.output_item.done", output_index=n, item=item)


def heard_by_responses(data: bytes, stream: bool) -> Answer:
    told = check_responses(data) if stream else check_response(data)
    answer = Answer()
    for item in told["output"]:
        match item["type"]:
            case "reasoning":
                answer.thinking += "".join(part["text"] for part in item["summary"])
            case "message":
                answer.text += "".join(p.get("text", p.get("refusal")) for p in item["content"])
            case _:
                answer.calls.append((item["name"], json.loads(item["arguments"])))
    why = (told["incomplete_details"] or {}).get("reason")
    assert (told["status"] == "incomplete") is bool(why)
    answer.stop = {"max_output_tokens": "length", "content_filter": "refusal"}.get(str(why), "end")
    if answer.calls and not why:
        answer.stop = "tools"  # which this dialect has no word for
    usage = told["usage"]
    answer.used = (usage["input_tokens"], usage["output_tokens"])
    answer.cached = usage["input_tokens_details"]["cached_tokens"]
    return answer


# ── legacy Completions ────────────────────────────────────────────────────────────────────────────


def ask_completions(q: Question) -> JSON:
    """Words are all that it has."""
    return {
        "model": "m",
        "prompt": q.text,
        "stream": q.stream,
        "stream_options": {"include_usage": True},
        "max_tokens": 4000,
    }


def check_completions(stream: bytes) -> JSON:
    """The completion as a client adds it up."""
    framer = Framer()
    frames = [frame for frame in (*framer.feed(stream), *framer.close()) if frame.data]
    assert frames[-1].data == b"[DONE]"
    total: JSON = {"text": ""}
    for frame in frames[:-1]:
        assert frame.event == ""
        chunk = json.loads(frame.data)
        if "error" in chunk:
            assert frame is frames[-2]
            return total | {"error": chunk["error"]}
        assert chunk["object"] == "text_completion"
        assert chunk["id"].startswith("cmpl")
        assert total.get("id", chunk["id"]) == chunk["id"]
        total |= {key: chunk[key] for key in ("id", "model", "created")}
        if not chunk["choices"]:
            total["usage"] = chunk["usage"]
            continue
        assert "reason" not in total, "a choice after its finish_reason"
        (choice,) = chunk["choices"]
        total["text"] += choice["text"]
        if choice["finish_reason"]:
            total["reason"] = choice["finish_reason"]
    return total


def heard_by_completions(data: bytes, stream: bool) -> Answer:
    if stream:
        total: Any = check_completions(data)
    else:
        total = json.loads(data)
        (choice,) = total["choices"]
        total |= {"text": choice["text"], "reason": choice["finish_reason"]}
    stop = {"stop": "end", "length": "length", "content_filter": "refusal"}[total["reason"]]
    usage = total["usage"]
    used = (usage["prompt_tokens"], usage["completion_tokens"])
    cached = usage["prompt_tokens_details"]["cached_tokens"]
    return Answer(total["text"], stop=stop, used=used, cached=cached)
