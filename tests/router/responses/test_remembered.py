"""What is remembered of responses: bounded, of one key, and whole or not at all."""

from __future__ import annotations

import msgspec
import pytest

from router.responses.remembered import Kept, Remembered, items_of, joined


def turn(previous: str = "", key: str = "k", size: int = 1) -> Kept:
    return Kept(key, previous, b'[{"i":1}]', b'[{"o":1}]', b"x" * size)


def test_a_chain_is_the_whole_conversation_in_order() -> None:
    memory = Remembered()
    memory.keep("a", Kept("k", "", b"[1,2]", b"[3]", b""))
    memory.keep("b", Kept("k", "a", b"[]", b"[4]", b""))
    memory.keep("c", Kept("k", "b", b"[5]", b"[]", b""))
    assert memory.before("c", "k") == [b"1", b"2", b"3", b"4", b"5"]
    assert memory.before("c", "other") is None
    memory.forget("b")
    assert memory.before("c", "k") is None
    assert memory.before("a", "k") == [b"1", b"2", b"3"]


def test_it_never_grows_beyond_its_bound() -> None:
    memory = Remembered(most=1000)
    for number in range(50):
        memory.keep(str(number), turn(size=100))
        memory.get("0", "k")  # what is used stays
    assert memory.get("0", "k") is not None
    assert memory.get("1", "k") is None
    assert len(memory) == 1000 // (100 + 18)
    memory.keep("huge", turn(size=2000))
    assert memory.get("huge", "k") is None
    memory.keep("0", turn(size=10))
    assert len(memory) == 1000 // (100 + 18)


def test_a_ring_ends() -> None:
    memory = Remembered()
    memory.keep("a", turn("b"))
    memory.keep("b", turn("a"))
    assert memory.before("a", "k") is None


def test_an_input_as_items() -> None:
    assert items_of(b' "hi"') == [b'{"type":"message","role":"user","content": "hi"}']
    assert items_of(b'[1, {"a": 2}]') == [b"1", b'{"a": 2}']
    assert joined([b"1", b"2"]) == b"[1,2]"
    with pytest.raises(msgspec.DecodeError):
        items_of(b"3")
