"""Configurations and requests whose decisions the real CCR 2.0.0 was asked for. For tests alone.

`RECORDED` is what it chose: the upstream calls of each case, in order, as "provider,model"; made by
tests/stories/test_ccr_original.py, which asks it again. Requests come in this order: some depend on
the answer before them. `HOME` and `UPSTREAM` in a file stand for a folder and an address.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import httpx

from tests.fakes.upstream import Behaviour, FakeUpstream
from tests.router.rules.cases import IMAGE, SEARCH

Body = dict[str, Any]
RECORDED: dict[str, list[str]] = json.loads(
    Path(__file__).with_name("ccr_recorded.json").read_text()
)
BUDGET: Body = {"thinking": {"type": "enabled", "budget_tokens": 2000}}

CUSTOM = """module.exports = async function (req, config) {
  const said = JSON.stringify(req.body.messages);
  if (said.includes("PICK")) return "c,C2";
  if (said.includes("THROW")) throw new Error("boom");
  if (said.includes("NOWHERE")) return "nobody,x";
  if (said.includes("BARE")) return "a1";
  if (said.includes("COUNT") && req.tokenCount > 5) return "b,counted";
  if (said.includes("CONFIG")) return config.Router.think;
  if (said.includes("SESSION") && req.sessionId) return "b," + req.sessionId;
  if (said.includes("FAILING")) return "e,err-500";
  return null;
};
"""
#: the same for ours, which need no node
CUSTOM_PY = """import json


def router(req, config):
    said = json.dumps(req.body["messages"])
    if "PICK" in said:
        return "c,C2"
    if "THROW" in said:
        raise ValueError("boom")
    if "NOWHERE" in said:
        return "nobody,x"
    if "BARE" in said:
        return "a1"
    if "COUNT" in said and req.tokenCount > 5:
        return "b,counted"
    if "CONFIG" in said:
        return config["Router"]["think"]
    if "SESSION" in said and req.sessionId:
        return "b," + req.sessionId
    if "FAILING" in said:
        return "e,err-500"
    return None
"""


def _provider(name: str, *models: str) -> Body:
    url = f"http://UPSTREAM/{name}/v1/chat/completions"
    return {"name": name, "api_base_url": url, "api_key": "sk-x", "models": list(models)}


CONFIG: Body = {
    "APIKEY": "k",
    "PORT": 0,
    "LOG": False,
    "Providers": [
        _provider("a", "a1", "a2"),
        _provider("b", "b1"),
        _provider("c", "c1", "C2"),
        _provider("v", "see"),
        _provider("e", "err-500", "err-429"),
        {**_provider("s", "s1"), "transformer": {"use": ["streamoptions"]}},
    ],
    "Router": {
        "default": "a,a1",
        "background": "b,b1",
        "think": "c,c1",
        "longContext": "c,C2",
        "image": "v,see",
        "webSearch": "b,web",
        "longContextThreshold": 40_000,
    },
    "CUSTOM_ROUTER_PATH": "HOME/custom.js",
    "fallback": {"default": ["b,b1"], "think": ["a,a2"]},
}
FILES = {
    "custom.js": CUSTOM,
    "custom.py": CUSTOM_PY,
    ".claude-code-router/-proj/config.json": json.dumps(
        {
            "Router": {
                "default": "b,proj",
                "think": "b,projthink",
                "longContext": "c,projlong",
                "background": "a,never",
                "image": "a,never",
                "longContextThreshold": 50,
            }
        }
    ),
    ".claude-code-router/-proj/sess-2.json": json.dumps({"Router": {"default": "c,sess"}}),
    ".claude/projects/-proj/sess-1.jsonl": "",
    ".claude/projects/-proj/sess-2.jsonl": "",
    ".claude/projects/-other/sess-3.jsonl": "",
}


def _ask(content: Any, session: str = "", **more: Any) -> Body:
    body = {
        "model": "claude-sonnet-4",
        "max_tokens": 100,
        "messages": [{"role": "user", "content": content}],
        **more,
    }
    if session:
        body["metadata"] = {"user_id": f"user_abc_account__session_{session}"}
    return body


def _unnamed(content: Any, session: str = "") -> Body:
    return {k: v for k, v in _ask(content, session).items() if k != "model"}


def _json_session(content: str, session: str) -> Body:
    return _ask(content, metadata={"user_id": json.dumps({"session_id": session})})


def _tagged(tag: str, text: str = "x") -> Body:
    block = {"type": "text", "text": f"<CCR-SUBAGENT-MODEL>{tag}</CCR-SUBAGENT-MODEL>do"}
    return _ask("hi", system=[{"type": "text", "text": text}, block])


def _words(count: int) -> str:
    return "word " * count


def _seen(text: str) -> list[Body]:
    return [{"type": "text", "text": text}, IMAGE]


CASES: dict[str, Body] = {
    "plain": _ask("hi"),
    "custom": _ask("PICK"),
    "custom beats explicit": _ask("PICK", model="a,a2"),
    "custom beats background": _ask("PICK", model="claude-3-haiku"),
    "custom beats image": _ask(_seen("PICK")),
    "custom is not asked without a model": _unnamed("PICK"),
    "image without a model": _unnamed(_seen("x")),
    "custom throws": _ask("THROW"),
    "custom throws, then think": _ask("THROW", **BUDGET),
    "custom names nobody": _ask("NOWHERE"),
    "custom names a model alone": _ask("BARE"),
    "custom sees tokens": _ask("COUNT one two three four five six"),
    "custom sees config": _ask("CONFIG"),
    "custom sees session": _ask("SESSION", "sess-9"),
    "custom sees no session": _ask("SESSION"),
    "custom falls back as default": _ask("FAILING"),
    "project": _ask("hi", "sess-1"),
    "project thinks": _ask("hi", "sess-1", **BUDGET),
    "project is long": _ask(_words(100), "sess-1"),
    "project in the background": _ask("hi", "sess-1", model="claude-3-haiku"),
    "project sees": _ask(_seen("x"), "sess-1"),
    "project without a model": _unnamed("x", "sess-1"),
    "project, custom": _ask("PICK", "sess-1"),
    "project by a JSON session": _json_session("hi", "sess-1"),
    "session": _ask("hi", "sess-2"),
    "session thinks": _ask("hi", "sess-2", **BUDGET),
    "session in the background": _ask("hi", "sess-2", model="claude-3-haiku"),
    "session is long": _ask(_words(45_000), "sess-2"),
    "project without a file": _ask("hi", "sess-3"),
    "nobody's session": _ask("hi", "sess-0"),
    "think fails": _ask("hi", model="e,err-429"),
    "long": _ask(_words(41_000)),
    "long first of a streamed session": _ask(_words(60_000), "s-7", stream=True, model="a,a1"),
    "short after a long answer": _ask(_words(900), "s-7", stream=True),
    "middling after a long answer": _ask(_words(25_000), "s-7", stream=True),
    "long first of a whole session": _ask(_words(60_000), "s-8", model="a,a1"),
    "middling after a long whole answer": _ask(_words(25_000), "s-8"),
    "middling, another session": _ask(_words(25_000), "s-9", stream=True),
    "long first where the stream says its usage": _ask(
        _words(60_000), "s-10", stream=True, model="s,s1"
    ),
    "short after it": _ask(_words(900), "s-11", stream=True),
    "middling after it": _ask(_words(25_000), "s-10", stream=True),
    "middling after that": _ask(_words(25_000), "s-10", stream=True),
    "long first, no stream": _ask(_words(60_000), "s-12", model="s,s1"),
    "middling after no stream": _ask(_words(25_000), "s-12", stream=True),
    "tag": _tagged("b,tagged"),
    "tag over two lines": _tagged("b,\ntagged"),
    "tag with a model alone": _tagged("haiku"),
    "tag in a string": _ask("hi", system="<CCR-SUBAGENT-MODEL>b,t</CCR-SUBAGENT-MODEL>do"),
    "two commas": _ask("hi", model="a,a1,x"),
    "space": _ask("hi", model="a, a1"),
    "capitals": _ask("hi", model="A,A1"),
    "no model after the comma": _ask("hi", model="a,"),
    "no provider before the comma": _ask("hi", model=",a1"),
    "image of an older turn": _ask(
        "",
        messages=[
            {"role": "user", "content": [IMAGE]},
            {"role": "assistant", "content": "ok"},
            {"role": "user", "content": "t"},
        ],
    ),
    "no tools": _ask("hi", tools=[]),
    "web search": _ask("hi", tools=[SEARCH]),
    "thinking {}": _ask("hi", thinking={}),
    "thinking null": _ask("hi", thinking=None),
    "haiku in capitals": _ask("hi", model="Claude-Haiku"),
    "haiku before claude": _ask("hi", model="x-haiku-claude"),
    "image beats explicit": _ask(_seen("x"), model="a,a2"),
    "image at the image model": _ask(_seen("x"), model="v,see"),
    "image in a result": _ask(
        "",
        messages=[
            {"role": "user", "content": "t"},
            {
                "role": "assistant",
                "content": [
                    {"type": "tool_use", "id": "t1", "name": "Read", "input": {}},
                ],
            },
            {
                "role": "user",
                "content": [
                    {"type": "tool_result", "tool_use_id": "t1", "content": [IMAGE]},
                ],
            },
        ],
    ),
}


def written(home: Path, upstream: str, port: int, **changes: Any) -> None:
    """The files of `CONFIG`, with `changes` to it, in a home for CCR or for us."""
    own = home / ".claude-code-router"
    own.mkdir(parents=True)
    texts = {**FILES, ".claude-code-router/config.json": json.dumps(CONFIG | changes)}
    for name, text in texts.items():
        file = home / name
        file.parent.mkdir(parents=True, exist_ok=True)
        put_in = text.replace("HOME", str(home)).replace("UPSTREAM", upstream)
        file.write_text(put_in.replace('"PORT": 0', f'"PORT": {port}'))


async def decisions(base: str, upstream: FakeUpstream) -> dict[str, list[str]]:
    """What the router at `base` does with each case, as in RECORDED."""
    upstream.behave("err-500", Behaviour(status=500))
    upstream.behave("err-429", Behaviour(status=429))
    made: dict[str, list[str]] = {}
    async with httpx.AsyncClient(base_url=base, timeout=30, headers={"x-api-key": "k"}) as client:
        for name, body in CASES.items():
            before = len(upstream.requests)
            await client.post("/v1/messages", json=body)
            made[name] = [
                f"{seen.path.split('/')[1]},{seen.json['model']}"
                for seen in upstream.requests[before:]
            ]
    return made
