"""A person's file as plain data that remembers its lines, so that every complaint names one.

Nothing from the file's values ever goes into a complaint: a value may be a secret.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar, get_args

import pydantic
from ruamel.yaml import YAML
from ruamel.yaml.constructor import DuplicateKeyError
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, SequenceNode

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


# ── JSON5 ─────────────────────────────────────────────────────────────────────────────────────────


def read_json5(path: Path) -> Document:
    """CCR's config.json: JSON with comments and trailing commas."""
    # imported here: 85 ms that a start without such a file need not pay
    from json5 import JSON5DecodeError, loads
    from json5.loader import ModelLoader

    file, text = str(path), read_text(path)
    try:
        root = loads(text, loader=ModelLoader()).value
    except JSON5DecodeError as error:
        raise _json5_error(str(error), file, text) from None
    lines: dict[Place, int] = {}
    data = _json5_value(root, (), lines, file)
    if not isinstance(data, dict):
        raise ConfigError("should be an object: { … }", file=file, line=1)
    return Document(file, data, lines)


#: json5's names for what it waited for
_WANTED = {"COLON": "':'", "COMMA": "','", "RBRACE": "'}'", "RBRACKET": "']'"}


def _json5_error(message: str, file: str, text: str) -> ConfigError:
    """In our words. Only the first complaint counts: the rest are json5 tripping over that one."""
    primary = message.partition("\nAdditionally")[0]
    at = re.search(r"(?:char|index) (\d+)", primary)
    offset = int(at[1]) if at else len(text)
    line = text.count("\n", 0, offset) + 1
    before = text[text.rfind("\n", 0, offset) + 1 : offset]
    wanted = re.search(r"Was expecting ([A-Za-z ]+?)(?: in or near|$|\n)", primary)
    if not text.strip():
        problem = "is empty: write {} or remove it"
    elif "UNTERMINATED" in primary or "line terminator" in primary:
        problem = "is not JSON: a quote is not closed"
    elif "EOF" in primary or offset >= len(text.rstrip()) or text[offset:].startswith("/*"):
        problem = "ends too early: a brace, bracket, quote or comment is not closed"
    else:
        place = f"at column {len(before) + 1}" if before.strip() else "before this line"
        words = [_WANTED.get(word, word) for word in wanted[1].split()] if wanted else []
        problem = (
            f"is not JSON: expected {' '.join(words)} {place}"
            if words
            else (f"is not JSON: something that may not be there, at column {len(before) + 1}")
        )
    return ConfigError(problem, file=file, line=line)


def _json5_value(node: Any, path: Place, lines: dict[Place, int], file: str) -> Any:
    if len(path) > DEEPEST:
        raise ConfigError("is nested too deeply", file=file, line=node.lineno)
    kind = type(node).__name__
    if kind == "JSONObject":
        result: dict[str, Any] = {}
        for key, value in node.key_value_pairs:
            name = key.name if type(key).__name__ == "Identifier" else key.characters
            if name in result:
                raise _twice(file, (*path, name), key.lineno, lines[(*path, name)])
            lines[(*path, name)] = key.lineno
            result[name] = _json5_value(value, (*path, name), lines, file)
        return result
    if kind == "JSONArray":
        entries = []
        for index, value in enumerate(node.values):
            lines[(*path, index)] = value.lineno or lines.get(path, 1)
            entries.append(_json5_value(value, (*path, index), lines, file))
        return entries
    if kind == "UnaryOp":
        inner = node.value.value
        return -inner if node.op == "-" else inner
    return node.characters if hasattr(node, "characters") else node.value


def _twice(file: str, path: Place, line: int, first: int) -> ConfigError:
    return ConfigError(
        f"is written twice (first in line {first}): join the two",
        file=file,
        key=dotted(path),
        line=line,
    )


# ── YAML ──────────────────────────────────────────────────────────────────────────────────────────


def read_yaml(path: Path) -> Document:
    """LiteLLM's config.yaml. A key that stands twice is no error there."""
    file, text = str(path), read_text(path)
    yaml = YAML(typ="safe", pure=True)
    lines: dict[Place, int] = {}
    repeated: dict[Place, int] = {}
    try:
        root = yaml.compose(text)
        if root is None:
            return Document(file, {}, lines)
        for place, line, first in _yaml_places(root, ()):
            if len(place) > DEEPEST:
                raise ConfigError("is nested too deeply", file=file, line=line)
            if first:
                repeated[place] = first
                lines = {key: at for key, at in lines.items() if key[: len(place)] != place}
            lines[place] = line
        if repeated:
            _keep_last(root)
        data = yaml.constructor.construct_document(root)
    except DuplicateKeyError as error:  # as `true` and `True`; its own words quote the values
        raise ConfigError("a key is written twice", file=file, line=_mark(error)) from None
    except MarkedYAMLError as error:
        problem = f"is not YAML: {error.problem or 'cannot be read'}"
        raise ConfigError(problem, file=file, line=_mark(error)) from None
    except YAMLError:
        raise ConfigError("is not YAML: a character that may not be there", file=file) from None
    except ValueError:  # of a scalar that looks like one: 2026-02-30
        problem = "is not YAML: a date or a number that cannot be; in quotes it is text"
        raise ConfigError(problem, file=file) from None
    if not isinstance(data, dict):
        raise ConfigError("should be a mapping: `model_list: …`", file=file, line=1)
    return Document(file, data, lines, repeated)


def _mark(error: MarkedYAMLError) -> int | None:
    return error.problem_mark.line + 1 if error.problem_mark else None


def _yaml_places(node: Node, path: Place) -> Iterator[tuple[Place, int, int]]:
    """Every key and entry with its line; the third is the line of the same key before, or 0."""
    if len(path) > DEEPEST + 1:
        return  # an alias may hold itself: what is too deep is refused above
    if isinstance(node, MappingNode):
        seen: dict[str, int] = {}
        for key, value in node.value:
            name, line = str(key.value), key.start_mark.line + 1
            yield (*path, name), line, 0 if name == "<<" else seen.get(name, 0)
            seen[name] = line
            yield from _yaml_places(value, (*path, name))
    elif isinstance(node, SequenceNode):
        for index, value in enumerate(node.value):
            yield (*path, index), value.start_mark.line + 1, 0
            yield from _yaml_places(value, (*path, index))


def _keep_last(node: Node) -> None:
    """Of a key that stands twice the last one, as LiteLLM's reader has it. Nothing here is deep."""
    if isinstance(node, MappingNode):
        last: dict[str | int, tuple[Node, Node]] = {}
        for key, value in node.value:
            name = str(key.value)
            last[name if name != "<<" else len(last)] = key, value
        node.value = list(last.values())
    for inner in node.value if not isinstance(node.value, str) else ():
        for one in inner if isinstance(inner, tuple) else (inner,):
            _keep_last(one)


# ── TOML ──────────────────────────────────────────────────────────────────────────────────────────

_TABLE = re.compile(r"^\s*\[\[?\s*([^\]]+?)\s*\]\]?\s*(?:#.*)?$")
_KEY = re.compile(r"""^\s*((?:[A-Za-z0-9_-]+|"[^"]*"|'[^']*')(?:\s*\.\s*[^=\s]+)*)\s*=""")
_PART = re.compile(r""""([^"]*)"|'([^']*)'|([A-Za-z0-9_-]+)""")


def read_toml(path: Path) -> Document:
    """pointsman.toml. The standard reader gives no lines, so they are found by a scan for keys."""
    file, text = str(path), read_text(path)
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        at = re.search(r"\(at line (\d+)", str(error))
        line = int(at[1]) if at else text.count("\n") + 1
        problem = str(error).partition(" (at ")[0]
        raise ConfigError(f"is not TOML: {problem}", file=file, line=line) from None
    return Document(file, data, _toml_lines(text))


def _toml_lines(text: str) -> dict[Place, int]:
    lines: dict[Place, int] = {}
    table: Place = ()
    listed: list[Place] = []
    for number, line in enumerate(text.splitlines(), 1):
        if header := _TABLE.match(line):
            table = _parts(header[1])
            for length in range(1, len(table) + 1):
                lines.setdefault(table[:length], number)
            if line.lstrip().startswith("[["):  # one more of a list
                table = (*table, sum(found[:-1] == table for found in listed))
                listed.append(table)
            lines[table] = number
        elif entry := _KEY.match(line):
            path = (*table, *_parts(entry[1]))
            lines[path] = number
            # keys of an inline table stand on its own line
            for inner in re.finditer(r"[{,]\s*([A-Za-z0-9_-]+)\s*=", line[entry.end() :]):
                lines.setdefault((*path, inner[1]), number)
    return lines


def _parts(dotted_key: str) -> Place:
    return tuple(a or b or c for a, b, c in _PART.findall(dotted_key))
