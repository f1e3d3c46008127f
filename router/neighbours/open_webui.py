"""Open WebUI, a chat page. It cannot live under a path: its pages ask for /_app, /static and /api
at the root (0.12.4), so it gets a name of its own and the path only leads there."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from urllib.parse import urlsplit

import msgspec

from router.guards.host import is_loopback
from router.neighbours import Means, Program

#: its connections: addresses, and the key of each
_KEPT = ("openai.api_base_urls", "openai.api_keys")


def _environment(means: Means) -> dict[str, str]:
    return {
        "DATA_DIR": str(means.data),
        "OPENAI_API_BASE_URL": means.api,
        "OPENAI_API_KEY": means.key,
        "ENABLE_OLLAMA_API": "False",  # the router offers Ollama's models
        # the router sees whole conversations only if it is told which chat a request belongs to
        "ENABLE_FORWARD_USER_INFO_HEADERS": "True",
        "OFFLINE_MODE": "True",
        "HF_HUB_OFFLINE": "1",
        "ENABLE_VERSION_UPDATE_CHECK": "False",
        "RAG_EMBEDDING_ENGINE": "openai",  # else it loads a model of its own, from the network
        "WEBUI_AUTH": "False",  # one person's, on this machine; with it others would need accounts
    }


def _rewire(folder: Path, env: Mapping[str, str]) -> None:
    """It keeps its first environment in its database (0.12.4), and looks at no other later. Of its
    connections the one to us is made to follow; a table of another shape is left alone."""
    path = folder / "webui.db"
    if not path.exists():
        return
    try:
        with closing(sqlite3.connect(path, timeout=0.5)) as db, db:
            kept = dict(db.execute("SELECT key, value FROM config WHERE key IN (?, ?)", _KEPT))
            urls, keys = (msgspec.json.decode(kept[name], type=list[str]) for name in _KEPT)
            for place in [n for n, url in enumerate(urls[: len(keys)]) if _ours(url)]:
                urls[place], keys[place] = env["OPENAI_API_BASE_URL"], env["OPENAI_API_KEY"]
            for name, found in zip(_KEPT, (urls, keys), strict=True):
                text = msgspec.json.encode(found).decode()
                db.execute("UPDATE config SET value = ? WHERE key = ?", (text, name))
    except (sqlite3.Error, msgspec.DecodeError, KeyError, TypeError):
        pass


def _ours(url: str) -> bool:
    parts = urlsplit(url)
    return is_loopback(parts.hostname or "") and parts.path == "/litellm/v1"


PROGRAM = Program(
    name="chat",
    title="Open WebUI",
    port=8080,
    path="/chat",
    host="chat.localhost",
    health="/api/config",
    marker='"name":"Open WebUI"',
    command=("open-webui", "serve", "--host", "127.0.0.1", "--port", "{port}"),
    environment=_environment,
    about="chat",
    install="pip install open-webui",
    stand_in="playground",
    rewire=_rewire,
)
