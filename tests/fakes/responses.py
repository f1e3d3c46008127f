"""What the fake upstream says in OpenAI's Responses dialect: a whole answer, or its stream.

Pure, and written from OpenAI's schema, not from our writer.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:
    from tests.fakes.upstream import Behaviour, Seen


def whole(asked: dict[str, Any], seen: Seen, behaviour: Behaviour, out: int) -> dict[str, Any]:
    output: list[dict[str, Any]] = []
    if behaviour.thinking:
        summary = [{"type": "summary_text", "text": behaviour.thinking}]
        output.append(
            {
                "id": "rs_1",
                "type": "reasoning",
                "summary": summary,
                "encrypted_content": behaviour.seal,
            }
        )
    if behaviour.words:
        text = "".join(behaviour.words)
        part = {"type": "output_text", "text": text, "annotations": [], "logprobs": []}
        output.append(
            {
                "id": "msg_1",
                "type": "message",
                "status": "completed",
                "role": "assistant",
                "content": [part],
            }
        )
    if behaviour.tool:
        arguments = msgspec.json.encode(behaviour.tool["input"]).decode()
        output.append(
            {
                "id": "fc_1",
                "type": "function_call",
                "status": "completed",
                "call_id": "call_1",
                "name": behaviour.tool["name"],
                "arguments": arguments,
            }
        )
    cut = behaviour.stop == "max_tokens"
    return {
        "id": "resp_fake",
        "object": "response",
        "created_at": 1_700_000_000,
        "status": "incomplete" if cut else "completed",
        "incomplete_details": {"reason": "max_output_tokens"} if cut else None,
        "error": None,
        "model": asked.get("model"),
        "output": output,
        "parallel_tool_calls": True,
        "tool_choice": "auto",
        "tools": asked.get("tools") or [],
        "usage": {
            "input_tokens": seen.input_tokens,
            "input_tokens_details": {"cached_tokens": behaviour.cached, "cache_write_tokens": 0},
            "output_tokens": out,
            "output_tokens_details": {"reasoning_tokens": 0},
            "total_tokens": seen.input_tokens + out,
        },
    }


def stream(
    asked: dict[str, Any], seen: Seen, behaviour: Behaviour, out: int
) -> list[tuple[bytes, int]]:
    """Frames, and the tokens that each is worth."""
    frames: list[tuple[bytes, int]] = []
    answer = whole(asked, seen, behaviour, out)

    def event(kind: str, worth: int = 0, **body: Any) -> None:
        told = {"type": f"response.{kind}", "sequence_number": len(frames), **body}
        text = msgspec.json.encode(told)
        frames.append((b"event: response.%b\ndata: %b\n\n" % (kind.encode(), text), worth))

    begun = {**answer, "status": "in_progress", "output": [], "usage": None}
    event("created", response=begun)
    event("in_progress", response=begun)
    for place, item in enumerate(answer["output"]):
        at = {"item_id": item["id"], "output_index": place}
        if item["type"] == "reasoning":
            part = item["summary"][0]
            text = part["text"]
            event("output_item.added", output_index=place, item={**item, "summary": []})
            event("reasoning_summary_part.added", summary_index=0, part={**part, "text": ""}, **at)
            event(
                "reasoning_summary_text.delta",
                len(text.split()),
                summary_index=0,
                delta=text,
                **at,
            )
            event("reasoning_summary_text.done", summary_index=0, text=text, **at)
            event("reasoning_summary_part.done", summary_index=0, part=part, **at)
        elif item["type"] == "message":
            part = item["content"][0]
            event(
                "output_item.added",
                output_index=place,
                item={**item, "content": [], "status": "in_progress"},
            )
            event("content_part.added", content_index=0, part={**part, "text": ""}, **at)
            at |= {"content_index": 0}
            for word in behaviour.words:
                worth = len(word.split())
                event("output_text.delta", worth, delta=word, logprobs=[], **at)
            event("output_text.done", text=part["text"], logprobs=[], **at)
            event("content_part.done", part=part, **at)
        else:
            text = item["arguments"]
            half = len(text) // 2
            event("output_item.added", output_index=place, item={**item, "arguments": ""})
            event("function_call_arguments.delta", delta=text[:half], **at)
            event("function_call_arguments.delta", len(text.split()), delta=text[half:], **at)
            event("function_call_arguments.done", arguments=text, **at)
        event("output_item.done", output_index=place, item=item)
    event(answer["status"], response=answer)
    return frames
