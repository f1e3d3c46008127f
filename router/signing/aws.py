"""AWS Signature Version 4, made by botocore. Runs in a thread: finding the credentials may ask a
file, a program or the machine's own metadata service.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.session import Session

from router.settings import Provider

#: botocore has no types
_Request: Any = AWSRequest
_Session: Any = Session
_Signer: Any = SigV4Auth
#: what the address's service is called in a signature
SERVICE = "bedrock-mantle"


def sign(
    provider: Provider, url: str, headers: tuple[tuple[str, str], ...], body: bytes
) -> tuple[tuple[str, str], ...]:
    """The headers to add. Raises botocore's errors, or LookupError without credentials."""
    cloud = provider.cloud
    found = _session(cloud.get("profile")).get_credentials()
    if found is None:
        raise LookupError("no AWS credentials in the environment, in ~/.aws or on this machine")
    # Only what reaches the server unchanged may be signed.
    kept = {name: value for name, value in headers if name == "content-type"}
    request = _Request(method="POST", url=url, headers=kept, data=body)
    region = cloud.get("region", "us-east-1")
    signer = _Signer(found.get_frozen_credentials(), cloud.get("service", SERVICE), region)
    signer.add_auth(request)
    made: Any = request.headers
    return tuple((name.lower(), value) for name, value in made.items() if name.lower() not in kept)


@lru_cache
def _session(profile: str | None) -> Any:
    """botocore renews what expires; finding it anew costs 10 ms."""
    return _Session(profile=profile)
