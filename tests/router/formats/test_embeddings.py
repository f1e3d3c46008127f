"""Embeddings: counted and billed without looking at a vector."""

from __future__ import annotations

from typing import Any

import pytest

from router.errors import CallerError, UpstreamError
from router.formats import embeddings
from router.messages import Text, Usage
from tests.router.formats.wire import dumps


@pytest.mark.parametrize(
    ("given", "texts"),
    [
        ("ab", ["ab"]),
        (["a", "b"], ["a", "b"]),
        ([1, 2, 3], [" a a a"]),
        ([[1], [2, 3]], [" a", " a a"]),
    ],
)
def test_input_of_every_form_is_counted(given: Any, texts: list[str]) -> None:
    request = embeddings.parse(dumps({"model": "e", "input": given, "encoding_format": "base64"}))
    assert request.model == "e"
    assert request.messages[0].parts == [Text(text) for text in texts]


@pytest.mark.parametrize(
    "body", [{"model": "e"}, {"input": 7}, {"input": [[["x"]]]}, {"input": [None]}]
)
def test_wrong_input_is_told(body: Any) -> None:
    with pytest.raises(CallerError, match="input"):
        embeddings.parse(dumps(body))


def test_only_the_model_changes() -> None:
    assert embeddings.splice(b'{"input": "a", "model":"x"}', "y") == b'{"input": "a", "model":"y"}'


@pytest.mark.parametrize(
    ("body", "usage"),
    [
        ({"data": [{"embedding": [0.5] * 9}], "usage": {"prompt_tokens": 3}}, Usage(input=3)),
        ({"data": []}, Usage(estimated=True)),
        ({"data": [], "usage": {"prompt_tokens": "x"}}, Usage(estimated=True)),
    ],
)
def test_usage(body: Any, usage: Usage) -> None:
    assert embeddings.usage(dumps(body)) == usage


@pytest.mark.parametrize(
    "body", [[], {}, {"data": "x"}, {"error": {"message": "no"}, "data": []}, {"usage": {}}]
)
def test_a_success_without_embeddings_is_a_failure(body: Any) -> None:
    with pytest.raises(UpstreamError):
        embeddings.usage(dumps(body))
