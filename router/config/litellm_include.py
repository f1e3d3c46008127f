"""LiteLLM's `include`: further files, whose lists extend those of the file that names them.

One rule: their other sections replace its own, and each is read with its own lines, for every
complaint.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from router.config.document import Document
from router.config.read_yaml import read_yaml

#: files of one configuration
MOST = 50


def read_all(path: Path) -> list[Document]:
    """The file, then those that are included in it or in them. One that is named twice is read
    once, as in LiteLLM. Raises ConfigError."""
    found, done = [read_yaml(path)], {path.resolve()}
    for document in found:  # which grows as we go
        for index, name in enumerate(_named(document)):
            beside = (Path(document.file).parent / name).absolute()
            if not beside.is_file():
                error = document.error(f"{name} is not there", "include", index)
                error.missing = str(beside)
                raise error
            if beside.resolve() in done:
                continue
            done.add(beside.resolve())
            if len(done) > MOST:
                raise document.error(f"leads to more than {MOST} files", "include", index)
            found.append(read_yaml(beside))
    return found


def joined(documents: Sequence[Document]) -> Document:
    """The first with what the others put into it, but for their models."""
    root, *included = documents
    data = dict(root.data)
    for document in included:
        for key, value in document.data.items():
            if key in ("model_list", "include"):
                continue
            own = data.get(key)
            if isinstance(own, list) and isinstance(value, list):
                data[key] = [*own, *value]
            else:
                data[key] = value
    return replace(root, data=data)


def _named(document: Document) -> list[str]:
    named = document.data.get("include") or []
    if not isinstance(named, list) or not all(isinstance(one, str) for one in named):
        raise document.error("should be a list of files", "include")
    return named
