"""The proof: what the target serves has, byte for byte, the digests that the source has.

Read with plain HTTP requests; only the sign-in is the product's own, since a registry wants one.
"""

import os
import shutil
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

import httpx
from azure.identity.aio import AzureCliCredential, ManagedIdentityCredential

from devtools.registry_content import Found, RegistryContent
from importcore.access.identity import AcrEntraTokens
from importcore.reference import Reference
from importcore.registry.auth import RegistryAuth
from importcore.registry.credentials import AcrIdentity


@asynccontextmanager
async def content_of(reference: Reference, identity: Mapping[str, str] | None) -> AsyncIterator[RegistryContent]:
    """Open a repository, signed in with the local stack's managed identity, or with the developer's own.

    Args:
        reference: The registry and repository.
        identity: The stack's identity endpoint, for a registry of the stack over plain http; None for a real one.
    """
    url = httpx.URL(f"{'http' if identity else 'https'}://{reference.api_host}")
    if identity:
        os.environ.update(identity)
    credential = ManagedIdentityCredential() if identity else AzureCliCredential()
    async with credential, httpx.AsyncClient(timeout=30, trust_env=False) as tokens:
        auth = RegistryAuth(tokens, reference.registry, url, AcrIdentity(AcrEntraTokens(credential)))
        async with RegistryContent.at(str(url), reference.repository, auth) as content:
            yield content


async def read_all(reference: Reference, identity: Mapping[str, str] | None) -> Found:
    """Read an image whole, hashing every byte.

    Raises:
        BrokenContentError: Something is missing, or is not what its digest says.
    """
    async with content_of(reference, identity) as content:
        return await content.read(reference.manifest_reference)


def developer_is_signed_in() -> bool:
    """Whether the Azure CLI is there to ask for a token."""
    return shutil.which("az") is not None
