"""Where a preset comes from: a folder, a file, an address, or the marketplace.

One rule: what is fetched is a stranger's. It comes over TLS (or from this machine), is bounded in
size, and lies in a folder that is thrown away until its manifest was read; nothing of it is run.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import re
import stat
import tempfile
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import httpx

from console.presets import MANIFEST, PresetError
from console.quick_json5 import parsed

#: the index that Claude Code Router 2.0.0 reads: [{"id", "name", "repo", "url"?}, …]
MARKET = "https://pub-0dc3e1677e894f07bbea11b17a29e032.r2.dev/presets.json"
#: bytes of an answer, and of all files of an archive together; files in it
LONGEST, LARGEST, MOST = 20_000_000, 50_000_000, 1000
PATIENCE = httpx.Timeout(30.0, connect=10.0)
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
#: how Python begins what the system says
_ERRNO = re.compile(r"^\[Errno -?\d+\] ")
_REPOSITORY = re.compile(
    r"(?:(?:https?://|git@)?(?:www\.)?github\.com[:/])?([\w.-]+)/([\w.-]+?)(?:\.git)?/?"
)


class Found(NamedTuple):
    """`folder` has the manifest. `about` is added to what the manifest says of itself."""

    folder: Path
    name: str
    about: Mapping[str, str]


@contextlib.contextmanager
def found(source: str, market: str) -> Iterator[Found]:
    """`source` as a folder with a manifest, kept until the end of the `with`: a folder, a file (a
    manifest, or a zip), an address of one, of a repository on GitHub, or a name in the index at
    `market`. Raises PresetError."""
    path = Path(source).expanduser()
    if path.is_dir():
        yield Found(path, path.resolve().name, {})
        return
    with tempfile.TemporaryDirectory(prefix="pointsman-preset-") as made:
        folder = Path(made)
        if path.is_file():
            name, about = _unpack(path.read_bytes(), folder, source), {}
        elif source.startswith(("http://", "https://")):
            name = _unpack(_get(archive(source) or source), folder, source)
            about = {"source": source}
        elif os.sep in source:
            raise PresetError(f"there is no folder or file {source}")
        else:
            name, about = _from_market(source, market, folder)
        yield Found(folder, name or _stem(source), about)


def _from_market(wanted: str, market: str, folder: Path) -> tuple[str, dict[str, str]]:
    entry = _listed(wanted, market)
    repository = str(entry.get("repo") or "")
    address = archive(repository) or repository
    if not address.startswith(("http://", "https://")):
        raise PresetError(f"the marketplace {market} names no repository of {wanted!r}")
    _unpack(_get(address), folder, address)
    about = {"repository": repository, "source": str(entry.get("url") or "")}
    name = str(entry.get("name") or wanted)
    return name, {key: value for key, value in about.items() if value}


def _listed(wanted: str, market: str) -> Mapping[str, Any]:
    """The index's entry for a name, as the original looks it up: by id, by name, in any case."""
    try:
        listed = json.loads(_get(market))
    except PresetError as error:
        raise PresetError(
            f"no preset {wanted!r} is installed or lies here, and the marketplace cannot be asked: "
            f"{error}\nOne from elsewhere: ccr preset install FOLDER|FILE|https://…"
        ) from error
    except ValueError as error:
        raise PresetError(f"{market} is no list of presets: {error}") from error
    entries = [one for one in listed if isinstance(one, dict)] if isinstance(listed, list) else []
    for key, fold in (("id", str), ("name", str), ("name", str.lower)):
        for entry in entries:
            if key in entry and fold(str(entry[key])) == fold(wanted):
                return entry
    names = ", ".join(str(entry.get("name") or entry.get("id")) for entry in entries[:20])
    raise PresetError(
        f"no preset {wanted!r} is installed, lies here, or is in the marketplace {market}"
        + (f", which has: {names}" if names else ", which is empty")
    )


def archive(repository: str) -> str:
    """Where a repository on GitHub ("owner/name", or its address) can be had as a zip; else ""."""
    match = _REPOSITORY.fullmatch(repository)
    if match is None or (repository.startswith("http") and "github.com" not in repository):
        return ""
    return f"https://github.com/{match[1]}/{match[2]}/archive/HEAD.zip"


def _get(address: str) -> bytes:
    """Raises PresetError where it cannot be had, is too long, or would come unprotected."""
    body = bytearray()
    hooks = {"request": [_protected]}
    try:
        with (
            httpx.Client(follow_redirects=True, timeout=PATIENCE, event_hooks=hooks) as client,
            client.stream("GET", address) as response,
        ):
            if not response.is_success:
                raise PresetError(f"{address} answered {response.status_code}")
            for piece in response.iter_bytes():
                body += piece
                if len(body) > LONGEST:
                    raise PresetError(f"{address} is longer than {LONGEST // 1_000_000} MB")
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        words = _ERRNO.sub("", str(error)) or type(error).__name__
        raise PresetError(f"{address} cannot be reached: {words}") from error
    return bytes(body)


def _protected(request: httpx.Request) -> None:
    if request.url.scheme != "https" and request.url.host not in _LOOPBACK:
        raise PresetError(
            f"{request.url} is not protected on its way here, and a preset says where prompts go: "
            "use https, or fetch it yourself and install the file"
        )


def _unpack(data: bytes, folder: Path, source: str) -> str:
    """Writes a zip's files, or a lone manifest, into `folder`. Returns the name that the manifest
    gives itself, where that is one."""
    if data.startswith(b"PK"):
        _unzip(data, folder, source)
        data = (folder / MANIFEST).read_bytes()
    try:
        manifest = parsed(data.decode("utf-8-sig"))
    except ValueError as error:
        raise PresetError(f"{source} is no preset, nor a zip of one: {error}") from None
    (folder / MANIFEST).write_bytes(data)
    name = manifest.get("name")
    return re.sub(r"[^A-Za-z0-9._-]+", "-", name).strip("-.")[:64] if isinstance(name, str) else ""


def _unzip(data: bytes, folder: Path, source: str) -> None:
    """What lies beside the topmost manifest and below; neither links nor ways out of the folder."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            entries = [one for one in archive.infolist() if not one.is_dir()]
            if len(entries) > MOST or sum(one.file_size for one in entries) > LARGEST:
                raise PresetError(f"{source} holds too much for a preset")
            tops = [
                PurePosixPath(one.filename).parent
                for one in entries
                if PurePosixPath(one.filename).name == MANIFEST
            ]
            if not tops:
                raise PresetError(f"{source} has no {MANIFEST}")
            top = min(tops, key=lambda path: len(path.parts))
            for entry in entries:
                path = PurePosixPath(entry.filename)
                inside = path.is_relative_to(top) and not path.is_absolute()
                if not inside or ".." in path.parts or stat.S_ISLNK(entry.external_attr >> 16):
                    continue
                place = folder / path.relative_to(top)
                place.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
                place.write_bytes(archive.read(entry))
    # a compression that zipfile does not know, a password
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError) as error:
        raise PresetError(f"{source} is a damaged zip: {error}") from error


def _stem(source: str) -> str:
    """A name for what does not name itself: the last word of where it comes from."""
    path = urlsplit(source).path if "://" in source else source
    return PurePosixPath(path.rstrip("/")).name.removesuffix(".zip").removesuffix(".json")
