"""A token of Microsoft Entra for Azure OpenAI, by azure-identity: environment, managed identity, or
whoever is signed in at `az`. Runs in a thread.
"""

from __future__ import annotations

from typing import Protocol

from azure.identity import DefaultAzureCredential

from router.settings import Provider
from router.signing import Token

_SCOPE = "https://cognitiveservices.azure.com/.default"


class _Access(Protocol):
    token: str
    expires_on: int


class Credential(Protocol):
    def get_token(self, *scopes: str) -> _Access: ...


def fetch(provider: Provider, credential: Credential | None = None) -> Token:
    """Raises azure-core's errors. `credential`: where one is at hand."""
    found = (credential or DefaultAzureCredential()).get_token(_SCOPE)
    return Token(found.token, float(found.expires_on))
