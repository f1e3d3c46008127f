"""Only the members that change change; and they really are the top-level ones."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from router.formats.splice import rename, splice, with_model
from tests.router.formats.wire import A, O, ask_a, ask_o, dumps, user

EXACT = {
    "first": (b'{"model":"a","x":1}', b'{"model":"N","x":1}'),
    "spaced": (b'{ "x" : [1, 2] , "model" : "a" }', b'{ "x" : [1, 2] , "model" : "N" }'),
    "nested": (b'{"m":{"model":"i"},"model":"a"}', b'{"m":{"model":"i"},"model":"N"}'),
    "in-text": (
        b'{"t":"\\"model\\":\\"z\\"","model":"a"}',
        b'{"t":"\\"model\\":\\"z\\"","model":"N"}',
    ),
    "escaped-key": (b'{"mod\\u0065l":"a"}', b'{"mod\\u0065l":"N"}'),
    "escaped-value": (b'{"model":"a\\"}\\\\"}', b'{"model":"N"}'),
    "missing": (b'{"x":1}', b'{"model":"N","x":1}'),
    "empty": (b" {}\n", b' {"model":"N"}\n'),
    "null": (b'{"model":null}', b'{"model":"N"}'),
    "twice": (b'{"model":"a","x":1,"model":"b"}', b'{"x":1,"model":"N"}'),
    "twice-alike": (b'{"model":"a","model":"a"}', b'{"model":"N"}'),
    "twice-shorter": (b'{"model":"}","model":1}', b'{"model":"N"}'),
    "twice-beside": (b'{"x":1,"x":1,"model":1}', b'{"x":1,"model":"N"}'),
    "context": (b'{"model":"a","context":"c"}', b'{"model":"N"}'),
    "context-first": (b'{"context":"c", "model":"a"}', b'{ "model":"N"}'),
    "context-inside": (b'{"a":1, "context":"c" ,"model":"a"}', b'{"a":1,"model":"N"}'),
    "context-alone": (b'{"context":"c"}', b'{"model":"N"}'),
}


@pytest.mark.parametrize(("raw", "expected"), EXACT.values(), ids=EXACT.keys())
def test_every_other_byte_stays(raw: bytes, expected: bytes) -> None:
    assert splice(raw, {"model": b'"N"', "context": None}) == expected


@pytest.mark.parametrize(
    "raw",
    [
        *(raw for raw, _ in EXACT.values()),
        b'{"mod\\u0065l":"a","x":{"model":"i"}}',
        b'{"x":{"model":"i"},"mod\\u0065l":"a"}',
        b'{"model":"a","t":"\\u00e9"}',
        b'{"t":["model"],"model":"a"}',
    ],
)
def test_the_quick_way_is_the_long_way(raw: bytes) -> None:
    was = json.loads(raw).get("model")
    for changes in ({"model": b'"N"'}, {"model": b'"N"', "context": None}):
        assert with_model(raw, was, changes) == splice(raw, changes)


_json: Any = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=4),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3)
    ),
    max_leaves=8,
)


@given(
    st.lists(st.tuples(st.sampled_from(["model", "context", "a", "b", 'q"\\', ""]), _json)),
    st.sampled_from([None, 1]),
)
def test_means_the_same_as_changing_the_object(
    members: list[tuple[str, Any]], indent: int | None
) -> None:
    """Also where keys stand twice: what is changed is then there once."""
    inner = ",".join(f"{json.dumps(k)} :{json.dumps(v, indent=indent)}" for k, v in members)
    raw = ("{" + inner + "}").encode()
    expected = json.loads(raw) | {"model": "renamed"}
    expected.pop("context", None)
    spliced = splice(raw, {"model": b'"renamed"', "context": None})
    assert json.loads(spliced) == expected
    assert spliced.count(b'"renamed"') == 1


def test_pass_through_of_each_format() -> None:
    request = ask_a(context="coder", metadata={"model": "inner"})
    assert json.loads(A.pass_through(request, "m")) == {
        "model": "m",
        "max_tokens": 1000,
        "messages": [user("hi")],
        "metadata": {"model": "inner"},
    }
    assert json.loads(O.pass_through(ask_o(), "m")) == {"model": "m", "messages": [user("hi")]}


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (None, {"include_usage": True}),
        ({"include_usage": False, "x": 1}, {"include_usage": True, "x": 1}),
        ({"include_usage": True}, {"include_usage": True}),
    ],
)
def test_Q19_a_stream_is_asked_for_its_usage(options: Any, expected: Any) -> None:
    request = ask_o(stream=True, stream_options=options)
    assert json.loads(O.pass_through(request, "m"))["stream_options"] == expected


def test_Q19_the_usage_goes_only_to_who_asked() -> None:
    from router.framing import Framer
    from tests.router.formats.wire import chunk, usage_chunk

    usage, text, filter = Framer().feed(
        usage_chunk(prompt_tokens=1)
        + chunk(content='say "choices":[] and "usage"')
        + b"data: "
        + dumps({"choices": [], "prompt_filter_results": []})
        + b"\n\n"
    )
    drops = O.drops(ask_o(stream=True))
    assert drops is not None
    assert [drops(usage), drops(text), drops(filter)] == [True, False, False]
    assert O.drops(ask_o(stream=True, stream_options={"include_usage": True})) is None
    assert A.drops(ask_a(stream=True)) is None


RENAMED = {
    "R13-tight": (b'data: {"model":"m-1","x":1}\n\n', b'data: {"model":"asked","x":1}\n\n'),
    "R13-spaced": (b'data: {"model": "m-1"}\n\n', b'data: {"model": "asked"}\n\n'),
    "R13-dated": (b'data: {"model" :"m-1-2024"}\n\n', b'data: {"model" :"asked"}\n\n'),
    "R13-whole": (b'{"model":"m-1","y":{"model":"m-1"}}', b'{"model":"asked","y":{"model":"m-1"}}'),
    "R13-input": (
        b'{"in":{"model":"m-1"},"model":"m-1"}',
        b'{"in":{"model":"m-1"},"model":"asked"}',
    ),
    "R13-unnamed": (b'{"in":{"model":"m-1"}}', b'{"in":{"model":"m-1"}}'),
    "R13-text": (b'data: {"t":"\\"model\\":\\"m-1\\""}', b'data: {"t":"\\"model\\":\\"m-1\\""}'),
    "R13-none": (b"data: [DONE]\n\n", b"data: [DONE]\n\n"),
}


@pytest.mark.parametrize(("data", "expected"), RENAMED.values(), ids=RENAMED.keys())
def test_rename(data: bytes, expected: bytes) -> None:
    assert rename(data, "m-1", "asked") == expected


def test_R13_each_frame_of_a_piece_is_renamed() -> None:
    data = b'data: {"model":"m"}\n\n' * 3
    assert rename(data, "m", 'a"b') == b'data: {"model":"a\\"b"}\n\n' * 3
