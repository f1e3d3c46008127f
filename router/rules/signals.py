"""What rules may want to know beyond the facts, read from the request only when a rule asks."""

from __future__ import annotations

from msgspec import Struct

from router.aliases import PREFIX
from router.facts import newest_user_texts, own_words
from router.messages import Message, Request, Text
from router.rules.directives import mentioned


class Signals(Struct):
    """Of one request. `asked` is the model that the client named, "" for none. Without
    functools.cached_property, whose lock (until Python 3.12) costs more than what it keeps."""

    request: Request
    asked: str
    _newest: tuple[Message | None, list[Text]] | None = None
    _prompt: str | None = None
    _directed: bool | None = None

    @property
    def picked(self) -> bool:
        """Was the model named by an alias: picked in Claude Code's picker?"""
        named = self.request.model or ""
        return named.startswith(PREFIX) and named != self.asked

    @property
    def newest(self) -> tuple[Message | None, list[Text]]:
        """The newest message in which the user said something, and its texts."""
        if self._newest is None:
            self._newest = newest_user_texts(self.request)
        return self._newest

    @property
    def directed(self) -> bool:
        """Whether there may be a `/model` in what the user said, in any turn."""
        if self._directed is None:
            self._directed = mentioned(self.request)
        return self._directed

    @property
    def prompt(self) -> str:
        """The newest words of the user, without what the client put around them."""
        if self._prompt is None:
            self._prompt = "\n".join(own_words(text.text) for text in self.newest[1]).strip()
        return self._prompt
