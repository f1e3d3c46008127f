"""pointsman.toml: what it sets is set, and it wins over what was found."""

from __future__ import annotations

from pathlib import Path

import pytest

from router.config import Flags
from router.settings import Adjustment, Limits, Listen, RetryPolicy, Target, Timeouts
from tests.router.config.conftest import House, said

WHOLE = """
[listen]
port = 6000
litellm_port = 0
ssh_port = 6022
hosts = "box.lan"
origins = ["http://box.lan:3000"]

[litellm]
keys = ["$TEAM_KEY", "second"]

[ccr]
mode = "external"
url = "http://10.0.0.9:3456/"

[ssh]
password = false

[log]
level = "warning"

[retention]
days = 7

[limits]
body_mb = 1
connections = 10

[retry]
retries = 0
longest_wait = 2

[prices.own-model]
input = 1.5
output = 6
cache_read = 0.15

[routes]
long_context_threshold = 1000
strict = true
[routes.targets]
think = "mine,big"
coder = ""

[providers.mine]
url = "https://h.test/v1/chat/completions"
key = "${MINE}"
models = ["big", "small"]
adjust = ["cleancache", ["maxtoken", { max_tokens = 100 }]]
adjust_model = { small = ["tooluse"] }
context = { big = 1000 }
max_output = 50
headers = { x-team = "a" }
timeouts = { total = 10 }
prices.big = { input = 2 }

[providers.claude]
kind = "anthropic"
key = "a"

[providers.box]
base = "http://127.0.0.1:8080/v1"
local = true
"""


def test_a_whole_file(house: House) -> None:
    house.write(toml=WHOLE)
    made = house.load({"TEAM_KEY": "team", "MINE": "mine-key"})
    assert made.listen == Listen(
        port=6000,
        litellm_port=0,
        ssh_port=6022,
        hosts=("box.lan",),
        origins=("http://box.lan:3000",),
    )
    assert [key.reveal() for key in made.litellm.keys] == ["team", "second"]
    assert (made.ccr.mode, made.ccr.url) == ("external", "http://10.0.0.9:3456")
    assert (made.ssh_password, made.log_level, made.retention_days) == ("off", "warning", 7)
    assert made.limits == Limits(body_bytes=1024 * 1024, connections=10)
    assert made.retry == RetryPolicy(retries=0, longest_wait=2)
    price = made.prices["own-model"]
    assert (price.input, price.output, price.cache_read) == (1500, 6000, 150)
    assert price.cache_write is None

    mine = made.providers["mine"]
    assert (mine.base, mine.key.reveal(), mine.auth) == ("https://h.test/v1", "mine-key", "bearer")
    assert mine.adjustments == (
        Adjustment("cleancache"),
        Adjustment("maxtoken", {"max_tokens": 100}),
    )
    assert mine.model_adjustments == {"small": (Adjustment("tooluse"),)}
    assert (mine.context, mine.max_output) == ({"big": 1000}, 50)
    assert mine.headers == (("x-team", "a"),)
    assert mine.timeouts == Timeouts(total=10)
    assert mine.prices["big"].input == 2000
    claude, box = made.providers["claude"], made.providers["box"]
    assert (claude.url, claude.auth) == ("https://api.anthropic.com/v1/messages", "x-api-key")
    assert (box.url, box.local) == ("http://127.0.0.1:8080/v1/chat/completions", True)
    assert (box.auth, box.models) == ("none", ())

    assert made.routes.targets["think"] == Target("mine", "big")
    assert "coder" not in made.routes.targets
    assert made.routes.targets["default"] == Target("mine", "big")  # the first real provider
    assert (made.routes.long_context_threshold, made.routes.strict) == (1000, True)
    assert said(made, "problem") == []


def test_the_command_line_wins_over_the_file_and_the_file_over_ccrs_port(house: House) -> None:
    house.write(ccr='{"PORT": 7000}')
    assert house.load().listen.ccr_port == 7000
    house.write(toml="[listen]\nccr_port = 8000\nport = 8001")
    assert house.load().listen.ccr_port == 8000
    flags = Flags(ccr_port=9000, ssh_port=0)
    listen = house.load(flags=flags).listen
    assert (listen.port, listen.ccr_port, listen.ssh_port) == (8001, 9000, 0)


def test_an_own_provider_replaces_one_that_was_found_by_name(house: House) -> None:
    house.write(toml='[providers.deepseek]\nkind = "deepseek"\nkey = "mine"\nmodels = ["m"]')
    made = house.load({"DEEPSEEK_API_KEY": "found"})
    assert made.providers["deepseek"].key.reveal() == "mine"
    assert made.providers["deepseek"].models == ("m",)


def test_own_routes_lie_over_ccrs(house: House) -> None:
    house.write(
        toml='[routes.targets]\nthink = "ollama,b"\nimage = "gone,x"\n'
        '[[budgets]]\nscope = "house"\nlimit = 1\ncheaper = "none,x"',
        ccr="""{"Providers": [{"name": "ollama", "models": [],
        "api_base_url": "http://localhost:11434/v1/chat/completions"}],
        "Router": {"default": "ollama,a", "think": "ollama,a"}}""",
    )
    made = house.load()
    targets = made.routes.targets
    assert (str(targets["default"]), str(targets["think"])) == ("ollama,a", "ollama,b")
    assert said(made, "problem") == [
        f"{house.home.toml}:3: routes.targets.image: no provider is called 'gone'",
        f"{house.home.toml}:7: budgets[0].cheaper: no provider is called 'none'",
    ]


@pytest.mark.parametrize(
    ("value", "switch"), [("true", "on"), ("false", "off"), ('"auto"', "auto"), ('"on"', "on")]
)
def test_the_password_switch(house: House, value: str, switch: str) -> None:
    house.write(toml=f"[ssh]\npassword = {value}")
    assert house.load().ssh_password == switch


@pytest.mark.parametrize(("value", "level"), [("true", "debug"), ("", "info"), ("0", "info")])
def test_the_guides_debug_variable(house: House, value: str, level: str) -> None:
    assert house.load({"CCR_DEBUG": value}).log_level == level


def test_the_example_in_the_documentation_says_only_what_there_is(house: House) -> None:
    """The example has every key, commented out: uncommented it must be taken as it is."""
    example = Path(__file__).parents[3] / "docs" / "pointsman.toml"
    text = example.read_text(encoding="utf-8")
    house.write(toml=text)
    assert house.load().listen == Listen()
    lines = [
        line.removeprefix("#") if line.startswith("#") and not line.startswith("# ") else line
        for line in text.splitlines()
    ]
    house.write(toml="\n".join(lines))
    made = house.load({"TEAM_KEY": "t", "MY_KEY": "k"})
    assert "mine" in made.providers
    assert said(made, "problem") == []
