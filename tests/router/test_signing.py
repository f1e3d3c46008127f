"""Clouds: the addresses, and the sign-ins as a server there checks them."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
from pathlib import Path
from urllib.parse import parse_qs

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from router.errors import UpstreamError
from router.settings import Provider, Secret
from router.signing import EXTRAS, Signing, missing
from router.signing.azure import fetch
from router.transport import Transport
from tests.fakes.upstream import Behaviour, FakeUpstream, Seen
from tests.router.formats.wire import provider

BODY = b'{"messages":[]}'


async def sent(fake: FakeUpstream, at: Provider, signing: Signing, path: str = "/x") -> Seen:
    """One signed POST as the fake got it."""
    url, transport = fake.url(path), Transport()
    headers = (("content-type", "application/json"),)
    try:
        added = await signing.headers(at, url, headers, BODY)
        answer = await transport.send(
            "POST", url, (*headers, *added), BODY, timeouts=at.timeouts, provider=at.name
        )
        answer.abort()
    finally:
        await transport.close()
    return fake.requests[-1]


def aws_signature(seen: Seen, secret: str) -> str:
    """What Amazon would compute (Signature Version 4), from what arrived alone."""
    _, _, rest = seen.headers["authorization"].partition(" ")
    told = dict(part.strip().split("=", 1) for part in rest.split(","))
    names = told["SignedHeaders"].split(";")
    assert {"host", "x-amz-date"} <= set(names)
    lines = [f"{name}:{seen.headers[name]}\n" for name in names]
    digest = hashlib.sha256(seen.body).hexdigest()
    path, _, query = seen.path.partition("?")
    canonical = "\n".join(["POST", path, query, "".join(lines), ";".join(names), digest])
    scope = told["Credential"].partition("/")[2]
    day, region, service, _ = scope.split("/")
    assert (region, service) == ("eu-west-1", "bedrock-mantle")
    text = "\n".join(
        [
            "AWS4-HMAC-SHA256",
            seen.headers["x-amz-date"],
            scope,
            hashlib.sha256(canonical.encode()).hexdigest(),
        ]
    )
    key = f"AWS4{secret}".encode()
    for part in (day, region, service, "aws4_request"):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    expected = hmac.new(key, text.encode(), hashlib.sha256).hexdigest()
    assert told["Signature"] == expected
    return told["Credential"].partition("/")[0]


async def test_amazon_recomputes_the_same_signature(
    upstream: FakeUpstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIATEST")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "very-secret")
    monkeypatch.setenv("AWS_SESSION_TOKEN", "session")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    at = provider("bedrock", key=Secret(""), auth="aws", cloud={"region": "eu-west-1"})
    seen = await sent(upstream, at, Signing(), "/anthropic/v1/messages")
    assert aws_signature(seen, "very-secret") == "AKIATEST"
    assert seen.headers["x-amz-security-token"] == "session"


async def test_without_credentials_the_error_names_the_provider_and_no_path(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    at = provider("bedrock", name="mine", key=Secret(""), auth="aws", cloud={"profile": "nobody"})
    with pytest.raises(UpstreamError, match="no credential for mine") as refused:
        await Signing().headers(at, "https://h.test/", (), BODY)
    assert refused.value.kind == "credential"
    at = provider("vertex", key=Secret(""), auth="google", cloud={"credentials": "/not/there"})
    with pytest.raises(UpstreamError, match="no credential for my-vertex"):
        await Signing().headers(at, "https://h.test/", (), BODY)


def _unpadded(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


async def test_google_checks_the_assertion_and_its_token_is_kept(
    upstream: FakeUpstream, tmp_path: Path
) -> None:
    private = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = private.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    account = {
        "type": "service_account",
        "project_id": "p",
        "private_key_id": "1",
        "private_key": pem.decode(),
        "client_email": "me@p.iam.gserviceaccount.com",
        "token_uri": upstream.url("/token"),
    }
    file = tmp_path / "account.json"
    file.write_text(json.dumps(account))
    token = {"access_token": "ya29.token", "expires_in": 3600, "token_type": "Bearer"}
    upstream.then(Behaviour(body=json.dumps(token).encode()))
    at = provider("vertex", key=Secret(""), auth="google", cloud={"credentials": str(file)})
    signing = Signing()
    both = await asyncio.gather(*(signing.headers(at, "https://h.test", (), b"") for _ in "ab"))
    assert both == [(("authorization", "Bearer ya29.token"),)] * 2
    (asked,) = upstream.requests  # once for all who waited
    (assertion,) = parse_qs(asked.body.decode())["assertion"]
    signed, _, signature = assertion.rpartition(".")
    private.public_key().verify(
        _unpadded(signature), signed.encode(), padding.PKCS1v15(), hashes.SHA256()
    )
    claims = json.loads(_unpadded(signed.partition(".")[2]))
    assert claims["iss"] == account["client_email"]
    assert "cloud-platform" in claims["scope"]
    seen = await sent(upstream, at, signing)
    assert seen.headers["authorization"] == "Bearer ya29.token"
    # near its end it is fetched anew
    upstream.then(Behaviour(body=json.dumps(token | {"access_token": "ya29.next"}).encode()))
    late = Signing(lambda: 9e12)
    late._tokens = signing._tokens
    assert await late.headers(at, "", (), b"") == (("authorization", "Bearer ya29.next"),)


def test_entra_is_asked_for_the_scope_of_azure_openai() -> None:
    class Access:
        token, expires_on = "entra", 1234

    class Credential:
        def get_token(self, *scopes: str) -> Access:
            assert scopes == ("https://cognitiveservices.azure.com/.default",)
            return Access()

    made = fetch(provider("azure"), Credential())
    assert (made.text, made.ends) == ("entra", 1234.0)


def test_an_absent_extra_is_named() -> None:
    assert all(missing(name) == "" for name in EXTRAS)
    assert missing("bearer") == ""
    for module in ("no_such_package.auth", "botocore.no_such_module"):
        text = missing("aws", {"aws": (module, "bedrock")})
        assert "pip install" in text
        assert "'pointsman[bedrock]'`" in text
