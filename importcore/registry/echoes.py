"""What a registry was sent in confidence, so that its error can be shown without it.

Registries, and what stands in front of them, repeat what they were sent: a token "that is malformed", a form, a URL. An
error's words go into the record, where everybody reads them who may see the import.
"""

import base64
import binascii
from collections.abc import Iterator
from urllib.parse import parse_qsl, quote_plus

import httpx

_SHORTEST = 4  # what is shorter stands in any sentence
_FORM = "application/x-www-form-urlencoded"
_NO_SECRETS = frozenset(
    {"digest", "mount", "from", "n", "last", "artifactType", "service", "scope", "account", "grant_type", "api-version"}
)
"""Parameters of the distribution spec and of token services that everybody may know; any other may be signed state."""


def without_echoes(text: str, request: httpx.Request) -> str:
    """Take out of a text what the request that it answers was authorized with."""
    for secret in sorted(_confided(request), key=len, reverse=True):
        text = text.replace(secret, "…")
    return text


def _confided(request: httpx.Request) -> set[str]:
    return {secret for secret in _secrets_of(request) if len(secret) >= _SHORTEST}


def _secrets_of(request: httpx.Request) -> Iterator[str]:
    scheme, _, credentials = request.headers.get("authorization", "").partition(" ")
    yield credentials
    if scheme.lower() == "basic":
        yield from _user_and_password(credentials)
    yield from (value for name, value in request.url.params.multi_items() if name not in _NO_SECRETS)
    if request.headers.get("content-type", "").startswith(_FORM):
        form = request.content.decode()
        yield form
        for name, value in parse_qsl(form):
            if name not in _NO_SECRETS:
                yield from (value, quote_plus(value))


def _user_and_password(credentials: str) -> tuple[str, ...]:
    try:
        both = base64.b64decode(credentials, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return ()
    return both, both.partition(":")[2]
