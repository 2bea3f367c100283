"""This app's Entra identity: the tokens that ACR's exchange, Azure Resource Manager and Event Grid take.

They come through azure-identity. The credential is named, never probed for: the managed identity in Azure
(system-assigned, or the user-assigned one of `AZURE_CLIENT_ID`), the developer's `az login` where
TRANSLOAD_DEVELOPER_IDENTITY says so. Its tokens are kept by azure-identity until shortly before they end.
"""

from azure.core.credentials_async import AsyncTokenCredential
from azure.core.exceptions import AzureError, ClientAuthenticationError

from importcore.errors import AuthenticationError, RegistryUnavailableError, printable

ACR_SCOPE = "https://containerregistry.azure.net/.default"
"""The audience of ACR in every cloud."""
EVENT_GRID_SCOPE = "https://eventgrid.azure.net/.default"
"""The audience of Event Grid (azure-eventgrid uses it in every cloud)."""
_STEP = "get an Entra token"


class AcrEntraTokens:
    """Entra tokens for ACR."""

    def __init__(self, credential: AsyncTokenCredential) -> None:
        self._credential = credential

    async def __call__(self) -> str:
        """A valid access token; raises as `_token` does."""
        return await _token(self._credential, ACR_SCOPE)


class ArmEntraTokens:
    """Entra tokens for Azure Resource Manager, whose audience is each cloud's own."""

    def __init__(self, credential: AsyncTokenCredential, audience: str) -> None:
        self._credential = credential
        self._scope = f"{audience}/.default"

    async def __call__(self) -> str:
        """A valid access token; raises as `_token` does."""
        return await _token(self._credential, self._scope)


class EventGridEntraTokens:
    """Entra tokens for the topics of Event Grid."""

    def __init__(self, credential: AsyncTokenCredential) -> None:
        self._credential = credential

    async def __call__(self) -> str:
        """A valid access token; raises as `_token` does."""
        return await _token(self._credential, EVENT_GRID_SCOPE)


async def _token(credential: AsyncTokenCredential, scope: str) -> str:
    """Get a token from azure-identity.

    Raises:
        AuthenticationError: The identity cannot get one.
        RegistryUnavailableError: The identity endpoint did not answer.
    """
    try:
        return (await credential.get_token(scope)).token
    except ClientAuthenticationError as error:
        raise AuthenticationError(
            f"Entra ID gave this app no token ({printable(error.message or type(error).__name__, 160)})",
            registry="Entra ID",
            step=_STEP,
            action="Assign a managed identity to the function app; for a user-assigned one set AZURE_CLIENT_ID.",
        ) from error
    except AzureError as error:
        raise RegistryUnavailableError(
            f"Entra ID did not answer ({printable(error.message or type(error).__name__, 160)})",
            registry="Entra ID",
            step=_STEP,
            action="Nothing to do unless it lasts: the identity endpoint of the platform was not reached.",
        ) from error
