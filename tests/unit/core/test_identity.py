"""This app's Entra identity: which audience a token is for, and what it means when there is none."""

from typing import Any, Self

import pytest
from azure.core.credentials import AccessToken
from azure.core.exceptions import AzureError, ClientAuthenticationError, ServiceRequestError

from importcore.access.identity import AcrEntraTokens, ArmEntraTokens
from importcore.errors import AuthenticationError, RegistryUnavailableError, TransloadError
from importcore.settings.clouds import CHINA, CLOUDS, Cloud


class Identity:
    """A credential of azure-identity that gives a token, or fails."""

    def __init__(self, fault: AzureError | None = None) -> None:
        self._fault = fault
        self.scopes: list[str] = []

    async def get_token(self, *scopes: str, **_: Any) -> AccessToken:  # noqa: ANN401 (the SDK's)
        """Give a token for a scope."""
        self.scopes += scopes
        if self._fault:
            raise self._fault
        return AccessToken("a-token", 4_000_000_000)

    async def close(self) -> None:
        """Nothing to close."""

    async def __aenter__(self) -> Self:
        """Nothing to open."""
        return self

    async def __aexit__(self, *_: object) -> None:
        """Nothing to close."""


async def test_the_audience_of_acr_is_the_same_in_every_cloud() -> None:
    """Unlike that of Azure Resource Manager."""
    identity = Identity()

    assert await AcrEntraTokens(identity)() == "a-token"
    assert await ArmEntraTokens(identity, CHINA.arm_audience)() == "a-token"

    assert identity.scopes == [
        "https://containerregistry.azure.net/.default",
        "https://management.chinacloudapi.cn/.default",
    ]


@pytest.mark.parametrize("cloud", CLOUDS.values(), ids=CLOUDS)
def test_resource_manager_is_its_own_audience(cloud: Cloud) -> None:
    """As the SDKs of Azure Resource Manager ask for it."""
    assert cloud.arm_audience == cloud.arm


@pytest.mark.parametrize(
    ("fault", "kind", "retryable"),
    [
        (ClientAuthenticationError("No MSI found"), AuthenticationError, False),
        (ServiceRequestError("connection refused"), RegistryUnavailableError, True),
    ],
)
async def test_an_identity_without_a_token_is_told_from_one_that_does_not_answer(
    fault: AzureError, kind: type[TransloadError], *, retryable: bool
) -> None:
    """The first is for the operator to mend, the second may pass; both say what happened."""
    with pytest.raises(kind, match=fault.message) as caught:
        await AcrEntraTokens(Identity(fault))()

    assert caught.value.retryable is retryable
    assert (caught.value.step, bool(caught.value.action)) == ("get an Entra token", True)
