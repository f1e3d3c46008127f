"""The conversation in no provider's dialect: what formats parse into and render from.

Rich enough that nothing a client sent is silently lost between formats: a field without a place of
its own rides in `extra`, a block that nobody knows in `Opaque`. Structs, not dataclasses: a Claude
Code request has hundreds of parts, and these are made five times faster. They are trees of values,
never rings, so the garbage collector need not look at them (gc=False).

A response, streamed or not, is one sequence of events with this grammar (Anthropic's, which is the
strictest; every format's reader produces it and every writer may rely on it):

    Start (BlockStart Delta* BlockStop)* Usage* Finish
    Blocks never overlap; their indices are 0, 1, 2…
    Usage may come anywhere after Start, each one replacing the last (cumulative)
    Failure may come anywhere and ends the sequence
"""

from __future__ import annotations

from typing import Any, Literal

from msgspec import Struct, field

from router.contract import Apart
from router.errors import Kind

JSON = dict[str, Any]
Role = Literal["system", "user", "assistant"]
StopReason = Literal[
    "end_turn", "max_tokens", "stop_sequence", "tool_use", "refusal", "pause_turn", "context_full"
]


# ── parts of a message ────────────────────────────────────────────────────────────────────────────


class Text(Struct, gc=False):
    text: str
    cache: JSON | None = None  # Anthropic's cache_control, as sent
    extra: JSON | None = None  # citations and the like


class Thinking(Struct, gc=False):
    text: str
    signature: str | None = None  # only valid for the provider that signed it
    extra: JSON | None = None


class RedactedThinking(Struct, gc=False):
    data: str


class Image(Struct, gc=False):
    """Exactly one of `data` (base64, no data: prefix) and `url` is set."""

    media_type: str | None = None
    data: str | None = None
    url: str | None = None
    cache: JSON | None = None
    extra: JSON | None = None  # detail and the like


class Document(Struct, gc=False):
    """A PDF or text file: one of `data` (base64), `url`, `text`."""

    media_type: str | None = None
    data: str | None = None
    url: str | None = None
    text: str | None = None
    name: str | None = None
    cache: JSON | None = None
    extra: JSON | None = None


class ToolUse(Struct, gc=False):
    """A call the model made. `arguments` is its JSON text as first received, when it was text."""

    id: str
    name: str
    input: Any = field(default_factory=dict)
    arguments: str | None = None
    cache: JSON | None = None
    extra: JSON | None = None


class ToolResult(Struct, gc=False):
    tool_use_id: str
    parts: list[Part] = field(default_factory=list)
    is_error: bool = False
    cache: JSON | None = None
    extra: JSON | None = None


class Opaque(Struct, gc=False):
    """A block of a kind that only its own format knows (server tools, compaction, …)."""

    kind: str
    body: JSON


#: kinds of Opaque that are files, by whatever dialect's name: never to be dropped in silence
#: and never counted as text
FILES = frozenset(
    {
        *("image", "document", "container_upload", "input_audio", "video_url", "file"),
        *("image_url", "inlineData", "inline_data", "fileData", "file_data"),
    }
)

Part = Text | Thinking | RedactedThinking | Image | Document | ToolUse | ToolResult | Opaque


class Message(Struct, gc=False):
    """`system` may also stand in mid-conversation: today's Claude Code does that."""

    role: Role
    parts: list[Part]
    extra: JSON | None = None  # `name` and the like


# ── the request ───────────────────────────────────────────────────────────────────────────────────


class Tool(Struct, gc=False):
    """`kind` is "function" for a tool the client runs, else the server tool's own type name."""

    name: str
    description: str | None = None
    schema: JSON | None = None
    kind: str = "function"
    cache: JSON | None = None
    extra: JSON | None = None


class ToolChoice(Struct, gc=False):
    mode: Literal["auto", "any", "none", "tool"] = "auto"
    name: str | None = None  # with mode "tool"
    parallel: bool | None = None  # None: not said


class Reasoning(Struct, gc=False):
    """What the client asked of the model's thinking. All None: it said nothing."""

    mode: Literal["off", "on", "adaptive"] | None = None
    budget: int | None = None  # tokens
    effort: str | None = None  # "low", "medium", "high", "max", as sent
    extra: JSON | None = None


class Bound(Struct, frozen=True, gc=False):
    """Why a request can only be served in its own dialect, in words for the client."""

    words: str
    param: str
    code: str | None = None


class Request(Struct, gc=False):
    """One request for a completion, as the client meant it.

    `body` is the decoded original and `raw` its bytes: where both sides speak the same format those
    go upstream, not a rendering of this. `extra` holds every top-level field without a place here.
    """

    dialect: str  # name of the format it came in
    model: str | None
    messages: list[Message]
    system: list[Part] = field(default_factory=list)
    tools: list[Tool] = field(default_factory=list)
    tool_choice: ToolChoice | None = None
    max_tokens: int | None = None
    temperature: float | None = None
    top_p: float | None = None
    top_k: int | None = None
    stop: list[str] = field(default_factory=list)
    stream: bool = False
    include_usage: bool = True  # an OpenAI client gets the usage chunk only on request
    reasoning: Reasoning = field(default_factory=Reasoning)
    response_format: JSON | None = None  # in OpenAI's form
    user: str | None = None  # the client's id for its end user, as sent
    context: str | None = None  # the guide's own field: a scenario's name; never sent upstream
    bound: Bound | None = None  # set: a provider of another dialect cannot do what is asked
    extra: JSON = field(default_factory=dict)
    body: JSON = field(default_factory=dict)
    raw: bytes = b""


# ── the response, as events ───────────────────────────────────────────────────────────────────────


class Usage(Struct, frozen=True, gc=False):
    """Tokens, normalised once: the four kinds of input and the output never overlap.

    `reasoning` is the part of `output` spent on thinking, where it is known: it is inside `output`.
    `estimated` says that at least one figure is our estimate, not the provider's.
    """

    input: int = 0  # uncached input
    cache_read: int = 0
    cache_write: int = 0  # 5-minute entries, and those of unknown age
    cache_write_1h: int = 0
    output: int = 0
    reasoning: int = 0
    estimated: bool = False
    apart: Apart | None = None

    @property
    def prompt(self) -> int:
        """All input tokens, cached or not."""
        return self.input + self.cache_read + self.cache_write + self.cache_write_1h


class Start(Struct, gc=False):
    id: str
    model: str
    usage: Usage | None = None


class BlockStart(Struct, gc=False):
    """`part` is an empty Text, Thinking or ToolUse (with id and name), or a whole other part."""

    index: int
    part: Part


class TextDelta(Struct, gc=False):
    index: int
    text: str


class ThinkingDelta(Struct, gc=False):
    index: int
    text: str


class SignatureDelta(Struct, gc=False):
    index: int
    signature: str


class ArgumentsDelta(Struct, gc=False):
    """A piece of a tool call's JSON text; the pieces joined are the whole text ("" means {})."""

    index: int
    json: str


class Citation(Struct, gc=False):
    """A source behind words of the answer. `start` and `end` count characters of all its text, its
    Text blocks joined; None: the whole of the block that it is told in."""

    url: str  # "" where it is no page, but a place in what the client sent
    title: str = ""
    quote: str = ""  # words of the source
    start: int | None = None
    end: int | None = None
    own: JSON | None = None  # as Anthropic told it


class Cited(Struct, gc=False):
    """A source of the open Text block."""

    index: int
    citation: Citation


class BlockStop(Struct, gc=False):
    index: int


class UsageSeen(Struct, gc=False):
    usage: Usage


class Finish(Struct, gc=False):
    reason: StopReason
    sequence: str | None = None  # the stop sequence, where known


class Failure(Struct, gc=False):
    """The response broke after it began."""

    kind: Kind
    message: str
    provider_type: str | None = None


class OpaqueEvent(Struct, gc=False):
    """An event that only its own format knows, or a ping (`kind` "ping")."""

    kind: str
    body: JSON


Event = (
    Start
    | BlockStart
    | TextDelta
    | ThinkingDelta
    | SignatureDelta
    | ArgumentsDelta
    | Cited
    | BlockStop
    | UsageSeen
    | Finish
    | Failure
    | OpaqueEvent
)
