"""Half characters and byte-order marks in what clients send."""

from __future__ import annotations

import gzip
import json
import re

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from router.errors import CallerError
from router.formats.fields import body_of
from router.formats.loose import mended, read

ONE = r"\ud83c"  # the first half of 🎉
TWO = r"\udf89"


@pytest.mark.parametrize(
    ("said", "text"),
    [
        (ONE, "\ufffd"),
        (TWO, "\ufffd"),
        (f"a{ONE}b{TWO}c", "a\ufffdb\ufffdc"),
        (TWO + ONE, "\ufffd\ufffd"),
        (ONE + ONE + TWO, "\ufffd🎉"),
        (ONE + TWO + TWO, "🎉\ufffd"),
        (ONE.upper().replace("U", "u") + r"\n", "\ufffd\n"),
        (r"\\" + ONE, "\\\ufffd"),
        (r"\\\\" + TWO + "x", "\\\\\ufffdx"),
        # a backslash that stands for itself makes no escape of what follows
        (r"\\ud83c" + ONE, "\\ud83c\ufffd"),
    ],
)
def test_half_a_character(said: str, text: str) -> None:
    data = b'{"a": 1.0, "t": "%b"}' % said.encode()
    with pytest.raises(CallerError):
        body_of(data)
    assert read(body_of, data) == {"a": 1.0, "t": text}


@pytest.mark.parametrize("data", [b"", b"{", b'{"t": "\xff"}', b'\xef\xbb\xbf{"t": "\\ud83c"'])
def test_what_cannot_be_mended_stays_an_error(data: bytes) -> None:
    with pytest.raises(CallerError, match="is not JSON"):
        read(body_of, data)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (gzip.compress(b"{}", mtime=0), "it is compressed: send it without content-encoding"),
        ("{}".encode("utf-16"), "it is UTF-16: send it as UTF-8"),
    ],
)
def test_how_it_should_be_sent(data: bytes, words: str) -> None:
    with pytest.raises(CallerError, match=words):
        read(body_of, data)


def test_a_mark_is_no_part_of_a_body() -> None:
    assert read(body_of, b'\xef\xbb\xbf{"t": "\\u00e9"}') == {"t": "é"}


@given(st.text(st.sampled_from('\\"uaz\n🎉\ud83c\udf89'), max_size=12))
def test_only_halves_are_changed(text: str) -> None:
    data = json.dumps({"t": text}).encode()
    whole = mended(data)
    paired = text.encode("utf-16", "surrogatepass").decode("utf-16", "surrogatepass")
    wanted = re.sub(r"[\ud800-\udfff]", "\ufffd", paired)
    assert msgspec.json.decode(whole) == {"t": wanted}
    if wanted == paired:
        assert whole is data
