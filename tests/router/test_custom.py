"""A person's own routing function cannot harm the router, whatever it does. Real processes."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from pathlib import Path

import pytest

from router.caller import Caller
from router.custom import PATIENCE, Answer, CustomRouters
from router.formats import load
from router.rules import decide
from router.settings import CustomRouter, Hooks
from router.situation import Means, situation
from tests.router.rules.cases import ask, generation, names, request

BODY = b'{\n"model": "m",\r\n"messages": [{"role": "user", "content": "h\\n\\u00e9"}]}'
Asks = Callable[..., Awaitable[Answer]]


@pytest.fixture
async def routers() -> AsyncIterator[CustomRouters]:
    made = CustomRouters()
    yield made
    await made.close()


@pytest.fixture
def asks(routers: CustomRouters, tmp_path: Path) -> Asks:
    async def one(text: str, *, suffix: str = ".py", seconds: float = 20.0) -> Answer:
        path = tmp_path / f"mine{suffix}"
        path.write_text(text)
        language = "python" if suffix == ".py" else "javascript"
        spec = CustomRouter(str(path), language, text, b'{"Router":{"think":"c,d"}}', seconds)  # type: ignore[arg-type]
        return await routers.ask(spec, BODY, {"x-a": "1"}, "s1", 7)

    return one


PYTHON = [
    ('def router(req, config): return "a,b"', Answer("a,b")),
    ("def router(req): return None", Answer()),
    ('async def router(req, config, context): return config["Router"]["think"]', Answer("c,d")),
    (
        "def route(req, config):\n"
        '    print("not an answer")\n'
        "    return f\"{req.sessionId},{req.tokenCount}{req.headers['x-a']}\"",
        Answer("s1,71"),
    ),
    (
        'def router(req, _): return "p," + req["body"]["messages"][0]["content"]',
        Answer("p,h\né"),
    ),
    (
        "def router(req):\n    req.body['model'] = 'a,b'\n    del req.body['messages']",
        Answer(body=b'{"model": "a,b"}'),
    ),
    ("def router(req): return 7", "TypeError: returned int, not a string or None"),
    (
        "def router(req):\n    x = 1\n    return x / 0",
        "ZeroDivisionError: division by zero (line 3)",
    ),
    ("def other(): pass", "its process ended: AttributeError: defines no function"),
    ("import nothing_of_the_kind", "its process ended: ModuleNotFoundError"),
    ("import os\ndef router(req): os._exit(3)", "its process ended"),
    ("import os\ndef router(req): os.write(3, b'junk\\n')", "custom router: "),
]


@pytest.mark.parametrize(("text", "said"), PYTHON, ids=range(len(PYTHON)))
async def test_python(asks: Asks, text: str, said: Answer | str) -> None:
    answer = await asks(text)
    if isinstance(said, Answer):
        assert answer == said
    else:
        assert said in answer.problem
        assert answer.model == ""


@pytest.mark.skipif(shutil.which("node") is None, reason="node is not installed")
async def test_javascript(asks: Asks) -> None:
    header = "module.exports = async (req, config, { event }) => "
    js = ".js"
    assert await asks(header + "config.Router.think", suffix=js) == Answer("c,d")
    said = "{ console.log('x'); return [req.sessionId, req.tokenCount].join() }"
    assert await asks(header + said, suffix=js) == Answer("s1,7")
    assert await asks(header + "null", suffix=js) == Answer()
    changing = "{ req.body = { max_tokens: 7 }; return 'a,b' }"
    assert await asks(header + changing, suffix=js) == Answer("a,b", body=b'{"max_tokens":7}')
    thrown = (await asks(header + "{ \n throw new RangeError('no') }", suffix=js)).problem
    assert thrown == "custom router: RangeError: no (line 2)"
    assert "returned number" in (await asks(header + "7", suffix=js)).problem
    assert "SyntaxError" in (await asks("module.exports = (", suffix=js)).problem
    assert await asks("export default () => 'e,f'", suffix=".mjs") == Answer("e,f")


async def test_what_it_makes_of_the_body_goes_on(routers: CustomRouters, tmp_path: Path) -> None:
    """As with CCR: a model put into the body is the one that is asked for."""
    path = tmp_path / "mine.py"
    path.write_text(
        "def router(req):\n"
        "    if 'spoil' in str(req.body): req.body['messages'] = 7\n"
        "    else: req.body.update(model='gem,changed', max_tokens=7, stream=True)"
    )
    spec = CustomRouter(str(path), "python", "1", b"{}", 20.0)
    means = Means(custom=routers, formats=load())
    config = generation(hooks=Hooks(custom=spec))
    caller = Caller("ccr", "ccr", {})
    plan = decide(await situation(means, request("hi"), caller, config))
    assert (names(plan), plan.rule) == (["gem,changed"], "model")
    assert (plan.request.max_tokens, plan.request.stream) == (7, False)
    assert plan.looks[4].note == "changed the request"
    spoilt = await situation(means, request("spoil"), caller, config)
    assert (spoilt.request.messages, spoilt.problems) == (
        request("spoil").messages,
        ("custom router: what it made of the body is no request: messages: should be a list",),
    )


async def test_one_that_hangs_is_given_up_and_replaced(asks: Asks, routers: CustomRouters) -> None:
    hangs = "def router(req):\n    while True: pass"
    answer = await asks(hangs, seconds=0.05)
    assert answer.problem.startswith("custom router: took longer than 0.05 s")
    assert routers.trouble.startswith("took longer")
    assert await asks('def router(req): return "a,b"') == Answer("a,b")
    assert routers.trouble == ""


async def test_one_that_keeps_failing_rests_until_it_is_mended(asks: Asks) -> None:
    broken = "import os\ndef router(req): os._exit(1)"
    for _ in range(PATIENCE):
        assert "its process ended" in (await asks(broken)).problem
    assert "resting" in (await asks(broken)).problem
    assert await asks('def router(req): return "a,b"') == Answer("a,b")


async def test_many_at_once_share_one_process(routers: CustomRouters, tmp_path: Path) -> None:
    path = tmp_path / "mine.py"
    path.write_text("import os\ndef router(req): return f'{os.getpid()},{req.tokenCount}'")
    spec = CustomRouter(str(path), "python", "1", b"{}", 20.0)
    asked = (routers.ask(spec, BODY, {}, "", number) for number in range(20))
    answers = await asyncio.gather(*asked)
    assert [answer.model.split(",")[1] for answer in answers] == [str(n) for n in range(20)]
    assert len({answer.model.split(",")[0] for answer in answers}) == 1
    again = await routers.ask(replace(spec, stamp="2"), BODY, {}, "", 0)
    assert again.model.split(",")[0] not in answers[0].model


@pytest.mark.parametrize(
    ("answer", "chosen", "problem"),
    [
        (Answer("gem,x"), "gem,x", ""),
        (Answer("GEM,x"), "gem,x", ""),
        (Answer(), "anth,claude-x", ""),
        (Answer("nobody,x"), "anth,claude-x", "custom router: no provider is named 'nobody'"),
        (Answer("gem"), "anth,claude-x", "custom router: 'gem' is not provider,model"),
        (Answer(problem="custom router: boom"), "anth,claude-x", "custom router: boom"),
    ],
)
def test_what_it_says_goes_before_the_bodys_model(
    answer: Answer, chosen: str, problem: str
) -> None:
    body = {"model": "anth,claude-x", "messages": [{"role": "user", "content": "hi"}]}
    plan = ask(body, custom=answer)
    assert names(plan) == [chosen]
    assert [p for p in plan.problems if problem not in p] == []
    assert bool(plan.problems) == bool(problem)
    assert "custom" in [look.rule for look in plan.looks]
    assert "custom" not in [look.rule for look in ask(body).looks]
