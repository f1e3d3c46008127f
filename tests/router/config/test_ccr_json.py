"""CCR's own file, as its users have it: every provider, route and transformer arrives."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from router.config.endpoints import ANTHROPIC, OPENAI, RESPONSES, from_full
from router.config.report import report
from router.settings import Adjustment, Target
from tests.router.config.conftest import House, said


def written(house: House, **file: Any) -> None:
    house.write(ccr=msgspec.json.encode(file).decode())


def provider(name: str = "p", **fields: Any) -> dict[str, Any]:
    usual = {"api_base_url": "https://host.test/v1/chat/completions", "api_key": "k", "models": []}
    return {"name": name, **usual, **fields}


def test_a_whole_file(house: House) -> None:
    house.write(
        ccr="""{
  APIKEY: '$CLIENT_KEY', // JSON5, as CCR reads it
  "PORT": 4567, "LOG": true,
  "Providers": [
    { "name": "deepseek", "api_base_url": "https://api.deepseek.com/chat/completions",
      "api_key": "${DEEP}", "models": ["deepseek-chat", "deepseek-reasoner"],
      "transformer": { "use": ["deepseek", ["maxtoken", {"max_tokens": 1000}]],
                       "deepseek-chat": { "use": ["tooluse"] } } },
    { "name": "ollama", "api_base_url": "http://localhost:11434/v1/chat/completions",
      "api_key": "", "models": ["qwen2.5-coder:latest"] },
    { "name": "anth", "api_base_url": "https://proxy.test/anthropic/v1/messages",
      "api_key": "a", "models": ["claude-x"], "transformer": { "use": ["Anthropic"] } },
  ],
  "Router": { "default": "deepseek,deepseek-chat", "think": "deepseek,deepseek-reasoner",
    "background": "ollama,qwen2.5-coder:latest", "tool": "anth,claude-x",
    "complex": "anth,claude-x", "longContextThreshold": 0, "thinkBudget": 8000,
    "thinkEfforts": ["max"] },
  "fallback": { "default": ["anth,claude-x", "ollama,qwen2.5-coder:latest"] },
}"""
    )
    made = house.load({"CLIENT_KEY": "client", "DEEP": "deep"})

    deepseek, ollama, anth = (made.providers[n] for n in ("deepseek", "ollama", "anth"))
    assert (deepseek.format, deepseek.kind, deepseek.auth) == (OPENAI, "deepseek", "bearer")
    assert deepseek.url == "https://api.deepseek.com/chat/completions"
    assert deepseek.base == "https://api.deepseek.com"
    assert deepseek.key.reveal() == "deep"
    capped = Adjustment("maxtoken", {"max_tokens": 1000})
    assert deepseek.adjustments == (Adjustment("deepseek"), capped)
    assert deepseek.model_adjustments == {"deepseek-chat": (Adjustment("tooluse"),)}
    assert (ollama.kind, ollama.auth, ollama.local) == ("ollama", "none", True)
    assert (anth.format, anth.kind, anth.auth) == (ANTHROPIC, "anthropic", "both")
    assert (anth.base, anth.adjustments) == ("https://proxy.test/anthropic", ())

    routes = made.routes
    assert routes.targets == {
        "default": Target("deepseek", "deepseek-chat"),
        "think": Target("deepseek", "deepseek-reasoner"),
        "background": Target("ollama", "qwen2.5-coder:latest"),
        "tool": Target("anth", "claude-x"),
        "complex": Target("anth", "claude-x"),
    }
    assert routes.long_context_threshold == 60_000  # CCR: 0 is the usual threshold
    assert (routes.think_budget, routes.think_efforts) == (8000, ("max",))
    assert [str(t) for t in routes.fallback["default"]] == [
        "anth,claude-x",
        "ollama,qwen2.5-coder:latest",
    ]
    assert not routes.strict
    assert [key.reveal() for key in made.ccr.keys] == ["client"]
    assert made.listen.ccr_port == 4567
    # the guide's stand-ins are gone; the LiteLLM plane stays
    assert set(made.providers) == {"deepseek", "ollama", "anth", "litellm-internal", "simulator"}
    assert said(made, "problem") == []


@pytest.mark.parametrize(
    ("url", "anthropic", "means"),
    [
        ("/a/v1/messages?v=1", True, (ANTHROPIC, "/a/v1/messages?v=1", "/a")),
        ("/a?v=1", True, (ANTHROPIC, "/a/v1/messages?v=1", "/a")),
        ("/v1/chat/completions/?v=1#x", False, (OPENAI, "/v1/chat/completions?v=1", "/v1")),
        ("/openai/responses?v=1", False, (RESPONSES, "/openai/responses?v=1", "/openai")),
    ],
)
def test_an_address_may_end_with_a_query(
    url: str, anthropic: bool, means: tuple[str, str, str]
) -> None:
    host = "https://h.test"
    made = from_full(host + url, anthropic=anthropic)
    assert (made.format, made.url, made.base) == (means[0], host + means[1], host + means[2])


@pytest.mark.parametrize("place", ["top", "router"])
def test_strict_may_stand_at_the_top_or_in_the_router(house: House, place: str) -> None:
    router = {"default": "p,m"} | ({"strict": True} if place == "router" else {})
    top = {"strict": True} if place == "top" else {}
    written(house, providers=[provider()], Router=router, **top)  # CCR's other spelling, too
    assert house.load().routes.strict


#: (the file, the environment, part of the only problem): CCR starts in silence on each of these
PROBLEMS: list[tuple[dict[str, Any], str]] = [
    ({"Providers": [provider(""), provider()]}, "Providers[0].name: has no name"),
    ({"Providers": [provider("a,b"), provider()]}, "Providers[0].name: has no name"),
    ({"Providers": [provider(api_base_url=""), provider()]}, "Providers[0].api_base_url: p has no"),
    ({"Providers": [provider("x", api_base_url="no"), provider()]}, "x: is not an address"),
    ({"Providers": [provider(), provider()]}, "Providers[1].name: p is there twice"),
    ({"Providers": [provider(api_key="")]}, "Providers[0].api_key: p has no api_key"),
    ({"Providers": [provider(api_key="$NOT_SET")]}, "Providers[0].api_key: $NOT_SET is not set"),
    ({"Providers": [provider(api_key="${NOT_SET}")]}, "$NOT_SET is not set"),
    (
        {"Providers": [provider(transformer={"use": ["tooluze"]})]},
        "Providers[0].transformer.use[0]: no adjustment is called 'tooluze'",
    ),
    (
        {"Providers": [provider(transformer={"m": {"use": ["thinkaloud"]}})]},
        "Providers[0].transformer.m.use[0]: no adjustment is called 'thinkaloud'",
    ),
    (
        {"transformers": [{"path": "/home/me/gemini-cli.js", "options": {}}]},
        "transformers[0]: gemini-cli.js is JavaScript: it is not run",
    ),
    ({"plugins": [{"name": "token-speed"}, {"name": "x"}]}, "plugins[1]: x is JavaScript"),
    ({"PROXY_URL": "socks5://p:1"}, "PROXY_URL: should be the address of an HTTP proxy"),
    ({"Router": {"default": "p,m", "think": "gone,m"}}, "Router.think: no provider is called"),
    ({"Router": {"default": "p,m", "think": "p"}}, "Router.think: should be written"),
    ({"Router": {"think": "p,m"}}, "Router.default: is missing"),
    (
        {"Providers": [provider(models=["chat-big"])], "Router": {"default": "p,chat-bigg"}},
        "Router.default: p lists no 'chat-bigg': is chat-big meant?",
    ),
    (
        {"Router": {"default": "p,m", "bakground": "p,m"}},
        "Router.bakground: is nothing that is read: is background meant?",
    ),
    ({"fallback": {"default": ["gone,m"]}}, "fallback.default: no provider is called"),
    ({"fallback": {"default": ["x"]}}, "fallback.default[0]: should be written"),
    ({"fallback": {"defualt": []}}, "fallback.defualt: no scenario"),
    ({"HOST": "0.0.0.0"}, "HOST: is not followed"),
    ({"LOG": False}, "LOG: is not followed"),
]


@pytest.mark.parametrize(("file", "words"), PROBLEMS, ids=[words for _, words in PROBLEMS])
def test_a_mistake_that_ccr_bears_in_silence_is_told_with_its_line(
    house: House, file: dict[str, Any], words: str
) -> None:
    written(house, **{"Providers": [provider()], "Router": {"default": "p,m"}, **file})
    made = house.load()
    problems = said(made, "problem")
    assert len(problems) == 1, problems
    assert words in problems[0]
    assert f"{house.home.ccr_json}:1: " in problems[0]
    assert "p" in made.providers  # the rest of the file is in force


@pytest.mark.parametrize(
    ("url", "transformer", "format", "completed", "base", "kind"),
    [
        ("https://h.test/v1/chat/completions", "", OPENAI, None, "https://h.test/v1", "compatible"),
        ("https://h.test/v1/messages", "", ANTHROPIC, None, "https://h.test", "anthropic"),
        (
            "https://h.test/v1",
            "Anthropic",
            ANTHROPIC,
            "https://h.test/v1/messages",
            "https://h.test",
            "anthropic",
        ),
        (
            "https://h.test/api/coding",
            "Anthropic",
            ANTHROPIC,
            "https://h.test/api/coding/v1/messages",
            "https://h.test/api/coding",
            "anthropic",
        ),
        (
            "https://generativelanguage.googleapis.com/v1beta/models/",
            "gemini",
            "gemini",
            "https://generativelanguage.googleapis.com/v1beta/models/{model}:generateContent",
            "https://generativelanguage.googleapis.com/v1beta/openai",
            "gemini",
        ),
        (
            "https://api.openai.com/v1/responses",
            "openai-responses",
            "openai_responses",
            "https://api.openai.com/v1/responses",
            "https://api.openai.com/v1",
            "openai",
        ),
        (
            "https://openrouter.ai/api/v1/chat/completions",
            "openrouter",
            OPENAI,
            None,
            "https://openrouter.ai/api/v1",
            "openrouter",
        ),
        # at an address that says nothing, the transformer tells whose dialect is meant
        ("https://h.test/v1/chat/completions", "groq", OPENAI, None, "https://h.test/v1", "groq"),
        (
            "https://h.test/v1/chat/completions",
            "reasoning",
            OPENAI,
            None,
            "https://h.test/v1",
            "thinking",
        ),
    ],
)
def test_the_full_address_gives_format_base_and_kind(
    house: House,
    url: str,
    transformer: str,
    format: str,
    completed: str | None,
    base: str,
    kind: str,
) -> None:
    use: dict[str, Any] = {"transformer": {"use": [transformer]}} if transformer else {}
    written(house, Providers=[provider(api_base_url=url, **use)], Router={"default": "p,m"})
    made = house.load().providers["p"]
    assert (made.format, made.url, made.base) == (format, completed or url, base)
    assert made.kind == kind


@pytest.mark.parametrize(("path", "told"), [("/v1/chat/completions", True), ("/api/chat", False)])
def test_the_endpoint_of_ollama_that_cuts_prompts_is_told(
    house: House, path: str, told: bool
) -> None:
    url = f"http://localhost:11434{path}"
    written(house, Providers=[provider(api_base_url=url)], Router={"default": "p,m"})
    made = house.load()
    assert made.providers["p"].url == url, "an address that is written out is used"
    assert any("cuts long prompts" in text for text in said(made, "found")) is told


def test_what_is_not_followed_is_listed(house: House) -> None:
    file = {"Providers": [provider(tokenizer={"default": {}}, color="red")], "Whatever": 1}
    written(house, **file, Router={"default": "p,m", "odd": "p,m"})
    told = " ".join(said(house.load(), "found"))
    for key in ("Whatever", "Router.odd", "Providers[0].color", "Providers[0].tokenizer"):
        assert key in told


def test_an_empty_file_of_ccrs_own_making_changes_nothing(house: House) -> None:
    before = house.load()
    written(house, PORT=3456, Providers=[], Router={})
    after = house.load()
    assert after.providers == before.providers
    assert after.routes == before.routes


def test_routes_without_providers_may_use_what_stands_in(house: House) -> None:
    written(house, Router={"default": "deepseek,deepseek-chat"})
    made = house.load()
    assert made.routes.targets == {"default": Target("deepseek", "deepseek-chat")}
    assert made.providers["deepseek"].simulated
    assert said(made, "problem") == []


def test_a_provider_that_is_our_own_litellm_role_stays_in_process(house: House) -> None:
    written(
        house,
        Providers=[
            provider("here", api_base_url="http://localhost:4000/v1/chat/completions"),
            provider("front", api_base_url="http://127.0.0.1:5000/litellm/v1/chat/completions"),
            provider("else", api_base_url="http://127.0.0.1:4001/v1/chat/completions"),
        ],
        Router={"default": "here,m"},
    )
    planes = {name: p.plane for name, p in house.load().providers.items()}
    assert (planes["here"], planes["front"], planes["else"]) == ("litellm", "litellm", None)


def test_no_secret_is_shown_by_what_was_read(house: House) -> None:
    key = "sk-very-secret"
    written(house, APIKEY=key, Providers=[provider(api_key=key)], Router={"default": "p,m"})
    house.home.ccr_json.chmod(0o644)
    made = house.load()
    assert key not in repr(made)
    assert any("chmod 600" in text for text in said(made, "problem"))


def test_a_file_of_references_may_be_read_by_others(house: House) -> None:
    written(house, APIKEY="$A", Providers=[provider(api_key="${B}")], Router={"default": "p,m"})
    house.home.ccr_json.chmod(0o644)
    assert said(house.load({"A": "x", "B": "y"}), "problem") == []
    house.home.ccr_json.chmod(0o666)  # but who may write there chooses what runs here
    [text] = said(house.load({"A": "x", "B": "y"}), "problem")
    assert "others may change it" in text


def test_a_proxy_and_a_deadline(house: House) -> None:
    written(
        house,
        Providers=[provider()],
        Router={"default": "p,m"},
        PROXY_URL="http://u:pw@proxy.test:3128",
        TIMEOUT=90_000,
    )
    made = house.load()
    assert made.proxy.reveal() == "http://u:pw@proxy.test:3128"
    assert "pw" not in repr(made)
    assert made.providers["p"].timeouts.total == 90
    assert said(made, "problem") == []


def test_openai_responses_is_spoken_at_the_address_that_is_written(house: House) -> None:
    url = "https://host.test/v1/whatever"
    entry = provider(api_base_url=url, transformer={"use": ["openai-responses"]})
    written(house, Providers=[entry], Router={"default": "p,m"})
    made = house.load().providers["p"]
    assert (made.format, made.url) == ("openai_responses", url)


def test_a_report_names_the_transformers_of_single_models(house: House) -> None:
    own = {"use": ["deepseek"], "m": {"use": ["tooluse", ["maxtoken", {"max_tokens": 9}]]}}
    written(house, Providers=[provider(transformer=own)], Router={"default": "p,m"})
    told = " ".join(
        f"{one.key} {one.detail}" for one in report("ccr", house.home.ccr_json, {}).maps
    )
    assert "deepseek, m: tooluse + maxtoken" in told


@pytest.mark.parametrize(
    ("url", "format", "asked"),
    [
        ("https://h.test/api/gemini/", "gemini", "https://h.test/api/gemini/{model}:generateContent"),
        ("https://h.test", "gemini", "https://h.test/{model}:generateContent"),
        ("https://h.test/v1beta/models/", "gemini", "https://h.test/v1beta/models/{model}:generateContent"),
        ("https://h.test/v1/chat/completions", "openai_chat", "https://h.test/v1/chat/completions"),
    ],
)  # fmt: skip
def test_the_gemini_transformer_speaks_geminis_format(
    house: House, url: str, format: str, asked: str
) -> None:
    entry = provider(api_base_url=url, transformer={"use": ["gemini"]})
    written(house, Providers=[entry], Router={"default": "p,m"})
    made = house.load()
    assert (made.providers["p"].format, made.providers["p"].url) == (format, asked)
    assert bool(said(made, "problem")) is (format == "openai_chat")
