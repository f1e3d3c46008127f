"""What rules may want to know beyond the facts, read from the request only when a rule asks."""

from __future__ import annotations

from functools import cached_property

from router.facts import newest_user_texts, own_words
from router.messages import Message, Text
from router.rules.plan import Case


class Signals:
    """Of one case. `asked` is the model that the client named, "" for none."""

    def __init__(self, case: Case, asked: str) -> None:
        self._request = case.request
        self.asked = asked

    @cached_property
    def newest(self) -> tuple[Message | None, list[Text]]:
        """The newest message in which the user said something, and its texts."""
        return newest_user_texts(self._request)

    @cached_property
    def prompt(self) -> str:
        """The newest words of the user, without what the client put around them."""
        return "\n".join(own_words(text.text) for text in self.newest[1]).strip()
