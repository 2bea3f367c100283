"""The managed identity endpoint, asked by Microsoft's own client: what it accepts is what Azure answers."""

from collections.abc import AsyncIterator

import httpx
import jwt
import pytest
from azure.core.exceptions import ClientAuthenticationError
from azure.identity.aio import ManagedIdentityCredential

from devtools.identity_endpoint import IdentityConfig, create_identity_endpoint
from devtools.serving import serving

CONFIG = IdentityConfig(header_secret="header-secret", user_assigned=frozenset({"known-client"}))
SCOPE = "https://containerregistry.azure.net/.default"


@pytest.fixture
async def endpoint(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[str]:
    """A running endpoint, announced as Functions does it."""
    async with serving(create_identity_endpoint(CONFIG)) as port:
        url = f"http://127.0.0.1:{port}/msi/token"
        monkeypatch.setenv("IDENTITY_ENDPOINT", url)
        monkeypatch.setenv("IDENTITY_HEADER", CONFIG.header_secret)
        monkeypatch.delenv("IDENTITY_SERVER_THUMBPRINT", raising=False)
        yield url


@pytest.mark.usefixtures("endpoint")
async def test_the_system_assigned_identity_gets_a_token() -> None:
    """The token is for the resource, of the tenant, and ends when the answer says."""
    async with ManagedIdentityCredential() as credential:
        token = await credential.get_token(SCOPE)
    claims = jwt.decode(token.token, options={"verify_signature": False})
    assert claims["aud"] == "https://containerregistry.azure.net"
    assert claims["iss"] == f"https://sts.windows.net/{CONFIG.tenant}/"
    assert (claims["tid"], claims["oid"]) == (CONFIG.tenant, CONFIG.system_object_id)
    assert claims["exp"] == token.expires_on


@pytest.mark.usefixtures("endpoint")
async def test_a_user_assigned_identity_is_named_by_its_client_id() -> None:
    """The token speaks for the client id that was asked for."""
    async with ManagedIdentityCredential(client_id="known-client") as credential:
        token = await credential.get_token(SCOPE)
    claims = jwt.decode(token.token, options={"verify_signature": False})
    assert claims["appid"] == "known-client"
    assert claims["oid"] != CONFIG.system_object_id


@pytest.mark.usefixtures("endpoint")
async def test_an_unknown_identity_is_refused() -> None:
    """The client reports that it could not authenticate."""
    async with ManagedIdentityCredential(client_id="unknown-client") as credential:
        with pytest.raises(ClientAuthenticationError, match="No MSI found"):
            await credential.get_token(SCOPE)


@pytest.mark.parametrize(
    ("header", "query"),
    [
        ("wrong", {"api-version": "2019-08-01", "resource": "https://example.com"}),
        (CONFIG.header_secret, {"api-version": "2017-09-01", "resource": "https://example.com"}),
        (CONFIG.header_secret, {"api-version": "2019-08-01"}),
    ],
)
async def test_a_request_out_of_form_is_refused(endpoint: str, header: str, query: dict[str, str]) -> None:
    """A wrong secret, another version or no resource is 400 with a message."""
    async with httpx.AsyncClient(trust_env=False) as http:
        refused = await http.get(endpoint, params=query, headers={"X-IDENTITY-HEADER": header})
    assert refused.status_code == 400
    assert refused.json().keys() == {"statusCode", "message"}
