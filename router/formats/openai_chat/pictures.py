"""Images that a model made, in Chat Completions: `images` beside the text.

Its one rule: the form is that of OpenRouter and LiteLLM; OpenAI itself has none here.
"""

from __future__ import annotations

from typing import Any

from router.messages import JSON, Image


def images(told: Any) -> list[Image]:
    """Of a message or a delta. What is no image is none."""
    found = []
    for one in told if type(told) is list else ():
        inner = one.get("image_url") if type(one) is dict else None
        url = inner.get("url") if type(inner) is dict else inner
        if type(url) is not str or not url:
            continue
        head, comma, data = url.partition(";base64,")
        if comma and head.startswith("data:"):
            found.append(Image(head.removeprefix("data:"), data))
        else:
            found.append(Image(url=url))
    return found


def image(part: Image, index: int) -> JSON:
    data = f"data:{part.media_type or 'image/png'};base64,{part.data}"
    url = part.url if part.url is not None else data
    return {"type": "image_url", "image_url": {"url": url}, "index": index}
