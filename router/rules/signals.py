"""What rules may want to know beyond the facts, read from the request only when a rule asks."""

from __future__ import annotations

from router.aliases import PREFIX
from router.facts import newest_user_texts, own_words
from router.messages import Message, Text
from router.rules.plan import Case


class Signals:
    """Of one case. `asked` is the model that the client named, "" for none. Without
    functools.cached_property, whose lock (until Python 3.12) costs more than what it keeps."""

    __slots__ = ("_newest", "_prompt", "_request", "asked")

    def __init__(self, case: Case, asked: str) -> None:
        self._request = case.request
        self.asked = asked
        self._newest: tuple[Message | None, list[Text]] | None = None
        self._prompt: str | None = None

    @property
    def picked(self) -> bool:
        """Was the model named by an alias: picked in Claude Code's picker?"""
        named = self._request.model or ""
        return named.startswith(PREFIX) and named != self.asked

    @property
    def newest(self) -> tuple[Message | None, list[Text]]:
        """The newest message in which the user said something, and its texts."""
        if self._newest is None:
            self._newest = newest_user_texts(self._request)
        return self._newest

    @property
    def prompt(self) -> str:
        """The newest words of the user, without what the client put around them."""
        if self._prompt is None:
            self._prompt = "\n".join(own_words(text.text) for text in self.newest[1]).strip()
        return self._prompt
