"""What a request asks for, in no dialect: what the simulator needs of it and no more."""

from __future__ import annotations

from typing import Any, Literal

from msgspec import Struct, field

from router.simulator.tokens import Segment

JSON = dict[str, Any]


class BadRequestError(ValueError):
    """The request is not one of its dialect. The message is the provider's own kind of words."""

    def __init__(self, message: str, param: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.param = param


class Offer(Struct, frozen=True):
    """A tool that the client can run."""

    name: str
    schema: JSON


class Prompt(Struct):
    model: str
    stream: bool
    #: tools, system text and messages, in the order in which providers cache them
    segments: list[Segment]
    #: the newest text of the user
    words: str = ""
    #: what the tool said, when this request brings its result
    result: str | None = None
    tools: list[Offer] = field(default_factory=list)
    choice: Literal["auto", "any", "none"] = "auto"
    #: the one tool that must be called
    forced: str | None = None
    max_tokens: int | None = None
    stop: list[str] = field(default_factory=list)
    think: bool = False
    #: …but the client does not want to see it
    think_hidden: bool = False
    #: the answer must be JSON that satisfies this; {} is any object
    schema: JSON | None = None
    #: the beginning of the answer, given by the client
    prefill: str = ""
    #: an OpenAI client gets the usage of a stream only on request
    include_usage: bool = False

    @property
    def tokens(self) -> int:
        return sum(one.tokens for one in self.segments)


class Turn(Struct):
    """The last thing said in a conversation."""

    words: str = ""
    result: str | None = None
    prefill: str = ""


# ── reading JSON of strangers ─────────────────────────────────────────────────────────────────────


def dicts(value: Any) -> list[JSON]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def text_of(content: Any) -> str:
    """The text of a message's content: a string, or the text parts of a list."""
    if isinstance(content, str):
        return content
    return "\n".join(str(part["text"]) for part in dicts(content) if "text" in part)


def said(content: Any) -> str:
    """As text_of, without the reminders that Claude Code puts between a person's words."""
    if isinstance(content, str):
        return content
    parts = [str(part["text"]) for part in dicts(content) if "text" in part]
    return "\n".join(part for part in parts if not part.lstrip().startswith("<system-reminder>"))


def messages(body: JSON) -> list[JSON]:
    """The body's messages. Raises BadRequestError unless it is a list with at least one."""
    found = body.get("messages")
    if not isinstance(found, list) or not found:
        raise BadRequestError("messages: at least one message is required", "messages")
    if not all(isinstance(one, dict) and isinstance(one.get("role"), str) for one in found):
        raise BadRequestError("messages: each must be an object with a role", "messages")
    return found


def model(body: JSON) -> str:
    found = body.get("model")
    if not isinstance(found, str) or not found:
        raise BadRequestError("you must provide a model parameter", "model")
    return found


def whole_number(body: JSON, *names: str) -> int | None:
    """The first of these fields that is set. Raises BadRequestError unless it is above 0."""
    for name in names:
        value = body.get(name)
        if value is not None:
            if not isinstance(value, int) or isinstance(value, bool) or value < 1:
                raise BadRequestError(f"{name}: must be a whole number above 0", name)
            return value
    return None


def texts(value: Any) -> list[str]:
    """One string or a list of them."""
    if isinstance(value, str):
        return [value]
    return [one for one in value if isinstance(one, str) and one] if isinstance(value, list) else []
