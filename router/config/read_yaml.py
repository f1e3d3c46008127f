"""LiteLLM's config.yaml, as a Document.

One rule: of a key that stands twice the last one counts, as with LiteLLM's own reader, and it is
remembered where the first one stood.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from ruamel.yaml import YAML
from ruamel.yaml.constructor import DuplicateKeyError
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, SequenceNode

from router.config.document import DEEPEST, Document, Place, read_text
from router.errors import ConfigError


def read_yaml(path: Path) -> Document:
    """Raises ConfigError."""
    file, text = str(path), read_text(path)
    yaml = YAML(typ="safe", pure=True)
    lines: dict[Place, int] = {}
    repeated: dict[Place, int] = {}
    try:
        root = yaml.compose(text)
        if root is None:
            return Document(file, {}, lines)
        for place, line, first in _places(root, ()):
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


def _places(node: Node, path: Place) -> Iterator[tuple[Place, int, int]]:
    """Every key and entry with its line; the third is the line of the same key before, or 0."""
    if len(path) > DEEPEST + 1:
        return  # an alias may hold itself: what is too deep is refused above
    if isinstance(node, MappingNode):
        seen: dict[str, int] = {}
        for key, value in node.value:
            name, line = str(key.value), key.start_mark.line + 1
            yield (*path, name), line, 0 if name == "<<" else seen.get(name, 0)
            seen[name] = line
            yield from _places(value, (*path, name))
    elif isinstance(node, SequenceNode):
        for index, value in enumerate(node.value):
            yield (*path, index), value.start_mark.line + 1, 0
            yield from _places(value, (*path, index))


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
