"""What the programs beside the router are told, and what they keep of it."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path

from router.neighbours import programs

ENV = {"OPENAI_API_BASE_URL": "http://127.0.0.1:5001/litellm/v1", "OPENAI_API_KEY": "sk-new"}


def test_open_webui_s_connection_to_us_follows_our_key_and_port(tmp_path: Path) -> None:
    rewire = programs()["chat"].rewire
    assert rewire is not None
    rewire(tmp_path, ENV)  # its first start
    assert list(tmp_path.iterdir()) == []
    path = tmp_path / "webui.db"
    with closing(sqlite3.connect(path)) as db, db:
        rewire(tmp_path, ENV)  # not as we know it
        db.execute("CREATE TABLE config (key TEXT PRIMARY KEY, value JSON, updated_at BIGINT)")
        theirs = ["https://api.openai.com/v1", "http://127.0.0.1:5000/litellm/v1", "http://h:1"]
        keys = ["sk-o", "any", "x"]
        kept = {"openai.api_base_urls": theirs, "openai.api_keys": keys, "ui": ["any"]}
        for name, value in kept.items():
            db.execute("INSERT INTO config VALUES (?, ?, 0)", (name, json.dumps(value)))
        db.commit()
        rewire(tmp_path, ENV)
        found = {k: json.loads(v) for k, v in db.execute("SELECT key, value FROM config")}
        assert found == {
            "openai.api_base_urls": [theirs[0], ENV["OPENAI_API_BASE_URL"], theirs[2]],
            "openai.api_keys": ["sk-o", "sk-new", "x"],
            "ui": ["any"],
        }
        db.execute("UPDATE config SET value = '{' WHERE key = 'openai.api_keys'")
        db.commit()
        rewire(tmp_path, ENV)
        (kept_as_it_is,) = db.execute("SELECT value FROM config WHERE key = 'openai.api_keys'")
        assert kept_as_it_is == ("{",)
