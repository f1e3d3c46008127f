"""CCR's presets: what a manifest stands for, and where its requests go."""

from __future__ import annotations

import json
from typing import Any

import pytest

from router.config.ccr_presets import configured
from router.settings import Target
from tests.router.config.conftest import House, said

PROVIDER = {"name": "p", "api_base_url": "https://h.test/v1/chat/completions", "api_key": "#{key}"}
ROUTER = {"default": "p,m"}


@pytest.mark.parametrize(
    ("manifest", "config"),
    [
        ({"name": "n", "version": "1", "Router": ROUTER}, {"Router": ROUTER}),
        (
            {"name": "n", "Providers": [PROVIDER], "userValues": {"key": "sk", "other": 1}},
            {"Providers": [{**PROVIDER, "api_key": "sk"}]},
        ),
        (
            {
                "schema": [{"id": "key"}, {"id": "model"}],
                "model": "asked for",
                "Router": {"default": "p,#{model}", "longContextThreshold": "#{limit}"},
                "userValues": {"model": "m", "limit": 7},
            },
            {"Router": {"default": "p,m", "longContextThreshold": 7}},
        ),
        (
            {
                "template": {"Router": {"default": "#{a},#{b}", "think": "#{unknown}"}},
                "Router": {"default": "not this"},
                "userValues": {"a": "p", "b": "m"},
            },
            {"Router": {"default": "p,m", "think": "#{unknown}"}},
        ),
        (
            {
                "Providers": [dict(PROVIDER)],
                "configMappings": [
                    {"target": "Providers[0].api_key", "value": "#{key}"},
                    {"target": "Router.default", "value": "p,m"},
                    {"target": "Providers[9].x", "value": 1},
                ],
                "userValues": {"key": "sk", "Providers[0].name": "q", "Router.think": "q,t"},
            },
            {
                "Providers": [{**PROVIDER, "api_key": "sk", "name": "q"}],
                "Router": {"default": "p,m", "think": "q,t"},
            },
        ),
    ],
)
def test_what_a_manifest_stands_for(manifest: dict[str, Any], config: dict[str, Any]) -> None:
    before = json.dumps(manifest)
    assert configured(manifest) == config
    assert json.dumps(manifest) == before


def put(house: House, name: str, manifest: Any) -> None:
    folder = house.home.ccr / "presets" / name
    folder.mkdir(parents=True)
    text = manifest if isinstance(manifest, str) else json.dumps(manifest)
    (folder / "manifest.json").write_text(text)


def test_presets_are_configurations_of_their_own(house: House) -> None:
    house.write(ccr=json.dumps({"Providers": [PROVIDER], "Router": {"default": "p,main"}}))
    values = {"userValues": {"key": "sk-own"}, "noServer": True, "StatusLine": {}}
    put(house, "mine", {"name": "mine", "Providers": [PROVIDER], "Router": ROUTER, **values})
    put(house, "broken", "{")
    put(house, "empty", {"name": "empty"})
    put(house, "lost", {"Router": {"default": "gone,m"}})
    made = house.load()
    assert made.hooks is not None
    assert made.hooks.presets is not None
    assert sorted(made.hooks.presets) == ["lost", "mine"]
    mine = made.hooks.presets["mine"]
    assert (mine.providers["p"].name, mine.providers["p"].key.reveal()) == ("p@mine", "sk-own")
    assert mine.routes.targets == {"default": Target("p", "m")}
    assert made.routes.targets["default"] == Target("p", "main")
    problems = "\n".join(said(made, "problem"))
    assert "broken/manifest.json: preset not used" in problems
    assert "preset empty: nothing to be routed by" in problems
    assert "no provider is called 'gone'" in problems
    assert {f"{house.home.ccr}/presets", f"{house.home.ccr}/presets/mine"} < set(made.follows)
