"""JSON5 in JSON's time: what most people write needs no json5, and nothing means something else."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from console.quick_json5 import parsed, read


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("{a:1}", {"a": 1}),
        ('{"a":[1,2,],}', {"a": [1, 2]}),
        (
            "{a:\"x//y, }\", /* c, } */ b:'it', // d\n c: {d: true, e: null, $f_1: -1.5e3}}",
            {"a": "x//y, }", "b": "it", "c": {"d": True, "e": None, "$f_1": -1500.0}},
        ),
        ('{a:"x\\"y', None),
        ('{a:"x\\"y"}', {"a": 'x"y'}),
        ("{a b}", None), ("{,}", None), ("{a:,}", None), ('{"a":1,,}', None), ("[1]", None),
        ("{a:1 b:2}", None), ("{a:tru e}", None), ('{a:"x" "y"}', None), ("{/}", None), ("", None),
    ],
)  # fmt: skip
def test_what_most_people_write(
    text: str, wanted: dict[str, object] | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    if wanted is None:
        with pytest.raises(ValueError, match=r".+"):
            parsed(text)
    else:
        monkeypatch.setitem(sys.modules, "json5", None)  # an import of it would fail
        assert parsed(text) == wanted


def test_what_few_write_is_json5s() -> None:
    text = "{a: 0x10, b: 'it\\'s', c: .5, d: \"l\\\nm\"}"
    assert parsed(text) == {"a": 16, "b": "it's", "c": 0.5, "d": "lm"}


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    assert read(tmp_path / "none") == {}
    (tmp_path / "bom").write_text("\ufeff{a: 1}", "utf-8")
    assert read(str(tmp_path / "bom")) == {"a": 1}
