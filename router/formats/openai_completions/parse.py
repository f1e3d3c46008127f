"""A client's legacy Completions request: a prompt to go on from, as a conversation of one turn.

Its one rule: what a chat model cannot do (tokens as input, a suffix, several answers, log
probabilities) binds the request to a provider that serves this endpoint itself.
"""

from __future__ import annotations

from typing import Any

from router.errors import CallerError
from router.formats.fields import body_of, take, take_model, take_number
from router.messages import JSON, Bound, Message, Request, Text

NAME = "openai_completions"

#: stands for one token, where the prompt came as token ids
_ONE = " a"
_CHAT_CANNOT = (
    "{}: the model's provider serves chat only, which has no such thing. Leave it out, or route "
    "the model to a provider that serves /v1/completions itself."
)


def parse_request(raw: bytes) -> Request:
    """Raises CallerError."""
    body = body_of(raw)
    left = dict(body)
    options = take(left, "stream_options", dict) or {}
    request = Request(
        dialect=NAME,
        model=take_model(left),
        messages=[],
        max_tokens=take(left, "max_tokens", int),
        temperature=take_number(left, "temperature"),
        top_p=take_number(left, "top_p"),
        stop=_stop(left.pop("stop", None)),
        stream=take(left, "stream", bool) or False,
        include_usage=options.get("include_usage") is True,
        user=take(left, "user", str),
        context=take(left, "context", str),
        body=body,
        raw=raw,
    )
    request.messages.append(Message("user", [Text(_prompt(request, left.pop("prompt", None)))]))
    for field in ("suffix", "logprobs"):
        if body.get(field) is not None:
            _bind(request, field)
    for field in ("n", "best_of"):
        count = take(left, field, int)
        if count is not None and count != 1:
            _bind(request, field)
    request.extra = left
    return request


def _bind(request: Request, field: str) -> None:
    request.bound = request.bound or Bound(_CHAT_CANNOT.format(field), field)


def _prompt(request: Request, prompt: Any) -> str:
    """One text. Token ids, and several prompts, can be counted but not put to a chat model."""
    if prompt is None:
        raise CallerError("Missing required parameter: 'prompt'.", param="prompt")
    if type(prompt) is str:
        return prompt
    if type(prompt) is list and prompt:
        if len(prompt) == 1 and type(prompt[0]) is str:
            return prompt[0]
        texts = [_text(each) for each in prompt]
        if all(text is not None for text in texts):
            _bind(request, "prompt")
            return "\n".join(filter(None, texts))
    raise CallerError("prompt: should be a string, token ids, or a list of them", param="prompt")


def _text(prompt: Any) -> str | None:
    if type(prompt) is str:
        return prompt
    if type(prompt) is int:
        return _ONE
    if type(prompt) is list and all(type(token) is int for token in prompt):
        return _ONE * len(prompt)
    return None


def _stop(stop: Any) -> list[str]:
    stops = [stop] if type(stop) is str else stop or []
    if type(stops) is list and all(type(item) is str for item in stops):
        return stops
    raise CallerError("stop: should be a string or a list of strings", param="stop")


def echo_of(request: Request) -> str:
    """What stands before the answer: the prompt, where the client wants it back."""
    if request.body.get("echo") is not True:
        return ""
    part = request.messages[0].parts[0]
    return part.text if isinstance(part, Text) else ""


def render(request: Request, model: str) -> JSON:
    """For a provider of this endpoint, where the rules changed the prompt."""
    body: JSON = {**request.body, "model": model}
    body.pop("context", None)
    parts = request.messages[0].parts if request.messages else []
    if type(body.get("prompt")) is str:
        body["prompt"] = "".join(part.text for part in parts if isinstance(part, Text))
    return body
