"""A person's file as plain data that remembers its lines, so that every complaint names one.

Nothing from the file's values ever goes into a complaint: a value may be a secret.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar, get_args

import pydantic

from router.did_you_mean import KEY, nearest
from router.errors import ConfigError

Place = tuple[str | int, ...]
_Model = TypeVar("_Model", bound=pydantic.BaseModel)

#: no configuration is larger; a log or a model named by mistake is
MOST_BYTES = 4 * 1024 * 1024
#: no configuration is deeper
DEEPEST = 60


@dataclass(frozen=True, slots=True)
class Document:
    """`data` is what the file says; `lines` the line (from 1) of each key and list entry."""

    file: str
    data: dict[str, Any]
    lines: dict[Place, int] = field(default_factory=dict)
    #: keys that stand there again, each with the line where it stood before: the last one counts
    repeated: dict[Place, int] = field(default_factory=dict)

    def line(self, *path: str | int) -> int | None:
        """The line of a key, or of the nearest thing around it that is there."""
        for length in range(len(path), 0, -1):
            if path[:length] in self.lines:
                return self.lines[path[:length]]
        return None

    def error(self, problem: str, *path: str | int) -> ConfigError:
        return ConfigError(problem, file=self.file, key=dotted(path) or None, line=self.line(*path))

    def where(self, *path: str | int) -> str:
        """`config.json:12: Router.think`, for a finding."""
        line = self.line(*path)
        return f"{self.file}:{line}: {dotted(path)}" if line else f"{self.file}: {dotted(path)}"

    def fit(self, model: type[_Model]) -> _Model:
        """The data as `model`. Raises ConfigError for the first thing that does not fit; a key that
        is mistyped is told before the one that is missing for it."""
        try:
            return model.model_validate(self.data)
        except pydantic.ValidationError as error:
            found = error.errors(include_url=False, include_input=False, include_context=False)
            mistyped = (each for each in found if each["type"] == "extra_forbidden")
            first = next(mistyped, None) if found[0]["type"] == "missing" else None
            first = first or found[0]
            path = self._real(first["loc"], missing=first["type"] in ("missing", "extra_forbidden"))
            words = _plain(first["type"], first["msg"])
            if first["type"] == "extra_forbidden":
                meant = nearest(str(first["loc"][-1]), _keys(model, first["loc"]), KEY)
                words += f": is {meant} meant?" if meant else ""
            raise self.error(words, *path) from None

    def _real(self, loc: tuple[int | str, ...], *, missing: bool) -> Place:
        """Pydantic's path without the names of union members, which are not in the file."""
        here: Any = self.data
        path: list[str | int] = []
        for part in loc:
            try:
                here = here[part]
            except (KeyError, IndexError, TypeError):
                if missing and part == loc[-1]:
                    path.append(part)
                break
            path.append(part)
        return tuple(path)


def dotted(path: Place) -> str:
    """`Providers[2].name`."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text


def _keys(model: type[pydantic.BaseModel], loc: tuple[int | str, ...]) -> list[str]:
    """What may stand where pydantic's path ends."""
    for part in loc[:-1]:
        known = model.model_fields.get(str(part))
        model = (_inner(known.annotation) if known else None) or model
    return [known.alias or name for name, known in model.model_fields.items()]


def _inner(annotation: Any) -> type[pydantic.BaseModel] | None:
    """The model in a list, a dict or an option of it."""
    if isinstance(annotation, type) and issubclass(annotation, pydantic.BaseModel):
        return annotation
    return next((found for each in get_args(annotation) if (found := _inner(each))), None)


def _plain(kind: str, message: str) -> str:
    if kind == "extra_forbidden":
        return "no such key"
    if kind == "missing":
        return "is missing"
    return message.removeprefix("Value error, ").replace("Input should be", "should be", 1)


def read_text(path: Path) -> str:
    """A file's text without a byte-order mark. Raises ConfigError, also for one that vanished."""
    try:
        raw = path.read_bytes()
    except OSError as error:
        reason = (error.strerror or "cannot be read").lower()
        raise ConfigError(f"cannot be read: {reason}", file=str(path)) from None
    if len(raw) > MOST_BYTES:
        raise ConfigError(
            f"is larger than {MOST_BYTES // 1024 // 1024} MB: is it a configuration?",
            file=str(path),
        )
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise ConfigError("is not UTF-8 text", file=str(path), line=line) from None
