"""A Google Cloud access token, by google-auth: application default credentials, or the file of a
service account that `cloud.credentials` names. Runs in a thread.
"""

from __future__ import annotations

from datetime import UTC
from typing import Any

import google.auth
from google.auth.transport.requests import Request
from google.oauth2.service_account import Credentials

from router.settings import Provider
from router.signing import Token

_Account: Any = Credentials  # untyped
_SCOPES = ["https://www.googleapis.com/auth/cloud-platform"]


def fetch(provider: Provider) -> Token:
    """Raises google-auth's errors."""
    file = provider.cloud.get("credentials")
    found: Any
    if file:
        found = _Account.from_service_account_file(file, scopes=_SCOPES)
    else:
        found, _ = google.auth.default(scopes=_SCOPES)
    found.refresh(Request())
    return Token(found.token, found.expiry.replace(tzinfo=UTC).timestamp())
