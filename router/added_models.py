"""Models that were added over HTTP: a model_list of ours, in a file beside the person's own.

One rule: a change that the configuration does not take is taken back before anybody is told; what
is in the file is in force.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import msgspec

from router.config.edit import put_back
from router.errors import CallerError
from router.messages import JSON

Edit = Callable[[list[JSON]], list[JSON]]


class AddedModels:
    """`reload` takes over the files as they are and says why not, or "". Entries are LiteLLM's:
    model_name, litellm_params (with their keys) and model_info."""

    def __init__(self, path: Path, reload: Callable[[], Awaitable[str]]) -> None:
        self._path = path
        self._reload = reload
        self._changing = asyncio.Lock()

    def entries(self) -> list[JSON]:
        """As they are on the disk. Raises CallerError for a file that somebody has broken."""
        try:
            data = self._path.read_bytes()
        except FileNotFoundError:
            return []
        except OSError as error:
            raise _ours(f"cannot be read: {error.strerror}") from None
        try:
            return msgspec.convert(msgspec.json.decode(data)["model_list"], list[JSON])
        except (msgspec.MsgspecError, KeyError, TypeError):
            raise _ours("is no JSON with a model_list any more: mend or remove it") from None

    async def change(self, edit: Edit, check: Callable[[], str] = lambda: "") -> None:
        """Puts what `edit` makes of the entries in force. `check` looks at the configuration then,
        and says what is wrong with it. Raises CallerError; then nothing has changed."""
        async with self._changing:
            before = await asyncio.to_thread(self.entries)
            await asyncio.to_thread(self._write, edit(before))
            refused = await self._reload()
            trouble = "the configuration does not take it" if refused else check()
            if trouble:
                await asyncio.to_thread(self._write, before)
                await self._reload()
                raise CallerError(trouble, status=400, code="bad_request_error")

    def _write(self, entries: list[JSON]) -> None:
        """Whole or not at all, and readable by its owner alone: there are keys in it."""
        data = msgspec.json.format(msgspec.json.encode({"model_list": entries}), indent=2)
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            put_back(self._path, data.decode() if entries else None)
        except OSError as error:
            raise _ours(f"cannot be written: {error.strerror}") from None


def _ours(words: str) -> CallerError:
    return CallerError(
        f"the file of added models {words}",
        status=500,
        kind="ours",
        code="internal_server_error",
    )
