"""Legacy completions and the endpoints that pass through, at the level of bytes."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from router.errors import CallerError, UpstreamError
from router.formats import multipart, other_endpoints
from router.messages import Usage
from tests.router.formats.grammar import check_events
from tests.router.formats.test_any_bytes import COMPLETION, near, read_pieces
from tests.router.formats.wire import FORMATS, A, O, dumps, provider

C = FORMATS["openai_completions"]
UPCOMPLETION = provider("litellm")
_chunk: Any = st.fixed_dictionaries(
    {},
    optional={
        "choices": near
        | st.lists(
            st.fixed_dictionaries({}, optional={"text": near, "index": near, "finish_reason": near})
        ),
        "usage": near,
        "error": near,
    },
)


@given(
    at=st.integers(0, 400),
    junk=st.binary(max_size=8),
    body=st.binary(max_size=30) | near | _chunk,
)
def test_any_bytes_are_events_or_an_error(at: int, junk: bytes, body: Any) -> None:
    check_events(read_pieces(C, UPCOMPLETION, [COMPLETION[:at] + junk + COMPLETION[at:]]))
    raw = body if isinstance(body, bytes) else dumps(body)
    check_events(read_pieces(C, UPCOMPLETION, [b"data: %b\n\n" % raw]))
    with suppress(UpstreamError):
        check_events(C.read_response(raw, UPCOMPLETION))
    with suppress(UpstreamError):
        other_endpoints.usage_of(raw)
    for asked in (raw, dumps({"prompt": body}) if not isinstance(body, bytes) else raw):
        with suppress(CallerError):
            request = C.parse_request(asked)
            for format in (A, O, C):
                dumps(format.render_request(request, provider("openrouter"), "m"))
        for path in ("/v1/rerank", "/v1/moderations"):
            with suppress(CallerError):
                read = other_endpoints.parse(path, "application/json", asked)
                other_endpoints.body_for(read, "m")


BODY = (
    b'preamble\r\n--B\r\nContent-Disposition: form-data; name="file"; filename="name="\r\n\r\n'
    b'\r\nname="model"\x00\r\n--B\r\ncontent-disposition: form-data; name="models"\r\n\r\nno\r\n'
    b"--B\r\nX: y\r\nContent-Disposition: form-data; name=model\r\n\r\nwhisper\r\n--B--\r\n"
)


def test_only_the_models_name_changes_in_a_form() -> None:
    place = multipart.find(BODY, b"B", "model")
    assert place is not None
    assert BODY[slice(*place)] == b"whisper"
    assert multipart.replaced(BODY, place, b"w2") == BODY.replace(b"whisper", b"w2")
    asked = other_endpoints.parse(
        "/v1/audio/translations", 'Multipart/Form-Data; boundary="B"', BODY
    )
    assert (asked.endpoint, asked.path) == ("audio", "/audio/translations")
    assert asked.request.model == "whisper"
    assert other_endpoints.body_for(asked, "whisper") is BODY


@given(cut=st.integers(0, len(BODY)), junk=st.binary(max_size=12), boundary=st.binary(min_size=1))
def test_any_form_is_read_or_has_no_model(cut: int, junk: bytes, boundary: bytes) -> None:
    for name in (b"B", boundary):
        body = BODY[:cut] + junk + BODY[cut:]
        place = multipart.find(body, name, "model")
        assert place is None or 0 <= place[0] <= place[1] <= len(body)


@pytest.mark.parametrize(
    ("body", "usage"),
    [
        ({"usage": {"input_tokens": 7, "output_tokens": 3}}, Usage(input=7, output=3)),
        ({"usage": {"total_tokens": 4}}, Usage(input=4)),
        ({"meta": {"tokens": {"input_tokens": 5}}}, Usage(input=5)),
        ({"usage": {"type": "duration", "seconds": 3}}, None),
        ({"meta": {"billed_units": {"search_units": 1}}}, None),
        ([], None),
    ],
)
def test_what_an_answer_says_it_used(body: Any, usage: Usage | None) -> None:
    assert other_endpoints.usage_of(dumps(body)) == usage
