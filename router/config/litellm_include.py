"""LiteLLM's `include`: further files, whose lists extend those of the file that names them.

One rule: their other sections replace its own, and each keeps its own lines, for every complaint.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from router.config.document import Document, read_yaml

#: files of one configuration
MOST = 50


def read_all(path: Path) -> tuple[Document, list[Document]]:
    """The file with what is included in it, but for the models of the others; and the others. A
    file that is named twice is read once, as in LiteLLM. Raises ConfigError."""
    root = read_yaml(path)
    data, found, done = dict(root.data), list[Document](), {path.absolute()}
    waiting = [root]
    while waiting:
        document = waiting.pop(0)
        for index, name in enumerate(_named(document)):
            beside = (Path(document.file).parent / name).absolute()
            if beside in done:
                continue
            done.add(beside)
            if len(done) > MOST:
                raise document.error(f"leads to more than {MOST} files", "include", index)
            if not beside.is_file():
                raise document.error(f"{name} is not there", "include", index)
            found.append(read_yaml(beside))
            waiting.append(found[-1])
    for document in found:
        for key, value in document.data.items():
            if key in ("model_list", "include"):
                continue
            own = data.get(key)
            data[key] = (
                [*own, *value] if isinstance(own, list) and isinstance(value, list) else value
            )
    return replace(root, data=data), found


def _named(document: Document) -> list[str]:
    named = document.data.get("include") or []
    if not isinstance(named, list) or not all(isinstance(one, str) for one in named):
        raise document.error("should be a list of files", "include")
    return named
