"""A form's model is named as its provider knows it, and a form that names none is given one."""

from __future__ import annotations

import email
from email.message import Message

import httpx
import pytest

from router.formats import other_endpoints

PICTURE = b'\x89PNG\r\n\r\n--x\r\nContent-Disposition: form-data; name="model"\r\n\r\nno\r\n\x00'


def parts(content_type: str, body: bytes) -> list[tuple[str, bytes]]:
    """The fields, in order, as another parser reads them."""
    whole = email.message_from_bytes(b"content-type: " + content_type.encode() + b"\r\n\r\n" + body)
    read: list[tuple[str, bytes]] = []
    for part in whole.get_payload():
        assert isinstance(part, Message)
        name, content = (
            part.get_param("name", header="content-disposition"),
            part.get_payload(decode=True),
        )
        assert isinstance(name, str)
        assert isinstance(content, bytes)
        read.append((name, content))
    return read


@pytest.mark.parametrize("fields", [{}, {"prompt": "a"}, {"model": "mine", "prompt": "a"}])
@pytest.mark.parametrize("model", ["theirs/v1", "mine", ""])
def test_the_model_of_a_form(fields: dict[str, str], model: str) -> None:
    sent = httpx.Request(
        "POST", "http://a", data=fields, files={"image": ("a.png", PICTURE, "image/png")}
    )
    kind, raw = sent.headers["content-type"], sent.read()
    asked = other_endpoints.parse("/v1/images/edits", kind, raw)
    assert asked.request.model == fields.get("model")
    body = other_endpoints.body_for(asked, model)
    before = parts(kind, raw)
    named = [(name, value) for name, value in before if name != "model"]
    told = [value.decode() for name, value in parts(kind, body) if name == "model"]
    assert told == [model or fields.get("model")] if model or "model" in fields else not told
    assert [pair for pair in parts(kind, body) if pair[0] != "model"] == named
    assert PICTURE in body


def test_a_form_without_a_part_stays_as_it_is() -> None:
    kind = "multipart/form-data; boundary=x"
    for raw in (b"", b"nothing", b"--y--\r\n"):
        asked = other_endpoints.parse("/v1/images/edits", kind, raw)
        assert other_endpoints.body_for(asked, "m") == raw
