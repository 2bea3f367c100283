"""This app's Entra identity: the tokens that ACR's exchange takes, through azure-identity.

The credential is named, never probed for: the managed identity in Azure (system-assigned, or the user-assigned one of
`AZURE_CLIENT_ID`), the developer's `az login` where TRANSLOAD_DEVELOPER_IDENTITY says so.
"""

from azure.core.credentials_async import AsyncTokenCredential
from azure.core.exceptions import ClientAuthenticationError

from importcore.errors import AuthenticationError, printable

ACR_SCOPE = "https://containerregistry.azure.net/.default"
"""The audience of ACR in every cloud."""


class AcrEntraTokens:
    """Entra tokens for ACR; azure-identity keeps them until shortly before they end."""

    def __init__(self, credential: AsyncTokenCredential) -> None:
        self._credential = credential

    async def __call__(self) -> str:
        """A valid access token.

        Raises:
            AuthenticationError: The identity cannot get one.
        """
        try:
            return (await self._credential.get_token(ACR_SCOPE)).token
        except ClientAuthenticationError as error:
            raise AuthenticationError(
                f"Entra ID gave this app no token ({printable(error.message or type(error).__name__, 160)})",
                registry="Entra ID",
                step="get an Entra token",
                action="Assign a managed identity to the function app; for a user-assigned one set AZURE_CLIENT_ID.",
            ) from error
