"""The lists that a registry keeps, page by page: tags, and the referrers of a manifest.

Spec: "Listing Tags" and "Listing Referrers". The next page is where `Link` says; its URL passes the origin gate like
every other, and gets Authorization only where it is the registry's own.
"""

import json
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any

import httpx

from importcore.descriptors import Descriptor
from importcore.errors import (
    ContentError,
    NotFoundError,
    RegistryError,
    RegistryUnavailableError,
    UnsupportedContentError,
)
from importcore.reference import is_repository, is_tag
from importcore.registry.answers import unavailable
from importcore.registry.client import RegistryClient
from importcore.registry.tokens import read_at_most

_PAGES_AT_MOST = 1_000
_PAGE_BYTES_AT_MOST = 4 * 1024 * 1024
_BYTES_AT_MOST = 32 * 1024 * 1024
"""Of a whole list: more tags than any repository has, and what they take in memory is a multiple of it."""
REFERRERS_AT_MOST = 20_000
"""Of one manifest: as many as an import may bring manifests."""


async def list_tags(client: RegistryClient, repository: str) -> tuple[str, ...]:
    """List the tags of a repository, in the registry's order (lexical by the spec).

    Some registries answer `null` for none, and some list digests among the tags; those are left out.

    Raises:
        NotFoundError: There is no such repository.
    """
    found: list[str] = []
    async for page in _pages(client, f"/v2/{repository}/tags/list?n=1000", repository, "list tags"):
        found += [tag for tag in _list(page, "tags") if isinstance(tag, str) and is_tag(tag)]
        page.clear()
    return tuple(dict.fromkeys(found))


async def list_repositories(client: RegistryClient) -> tuple[str, ...]:
    """List the repositories of a registry (`_catalog`; many registries offer none, or only to administrators).

    What is no repository's name by the spec's grammar is left out: nothing could be pulled from it.

    Raises:
        RegistryError: It refused.
    """
    found: list[str] = []
    async for page in _pages(client, "/v2/_catalog?n=1000", "", "list repositories", ("registry:catalog:*",)):
        found += [name for name in _list(page, "repositories") if isinstance(name, str) and is_repository(name)]
        page.clear()
    return tuple(dict.fromkeys(found))


async def list_referrers(client: RegistryClient, repository: str, digest: str) -> tuple[Descriptor, ...] | None:
    """List what refers to a manifest; None where the registry has no referrers API (404).

    Raises:
        ContentError: An entry is no descriptor.
        UnsupportedContentError: There are too many.
    """
    found: list[Descriptor] = []
    try:
        async for page in _pages(client, _referrers(repository, digest), repository, "list referrers"):
            found += [Descriptor.from_json(entry) for entry in _list(page, "manifests")]
            page.clear()
            if len(found) > REFERRERS_AT_MOST:
                raise UnsupportedContentError(
                    f"{client.registry} lists over {REFERRERS_AT_MOST} referrers of {digest}",
                    origin=client.side,
                    step="list referrers",
                )
    except RegistryError as error:
        if _lacks_api(error):
            return None
        raise
    return tuple(found)


async def has_referrers_api(client: RegistryClient, repository: str, digest: str) -> bool:
    """Tell whether a registry has the referrers API; its first page is answer enough.

    Raises:
        ContentError: What it answers is no page.
        RegistryError: It refused.
    """
    async with aclosing(_pages(client, _referrers(repository, digest), repository, "list referrers")) as pages:
        try:
            await anext(pages, None)
        except RegistryError as error:
            if _lacks_api(error):
                return False
            raise
    return True


def _referrers(repository: str, digest: str) -> str:
    return f"/v2/{repository}/referrers/{digest}"


def _lacks_api(error: RegistryError) -> bool:
    """Whether that is what a registry answers for an endpoint that it does not know: 404, of some 405."""
    return isinstance(error, NotFoundError) or error.status == httpx.codes.METHOD_NOT_ALLOWED


async def _pages(
    client: RegistryClient, path: str, repository: str, step: str, scopes: tuple[str, ...] | None = None
) -> AsyncGenerator[dict[str, Any], None]:
    """Give page by page; whoever has read one empties it, since it is a multiple of its bytes while the next comes."""
    where: str | httpx.URL = path
    left = _BYTES_AT_MOST
    for _ in range(_PAGES_AT_MOST):
        response = await client.send("GET", where, repository, step, scopes=scopes)
        try:
            body = await read_at_most(response, _PAGE_BYTES_AT_MOST + 1)
        except httpx.TransportError as error:
            raise unavailable(error, client.registry, step, client.side, repository) from error
        left -= len(body)
        if len(body) > _PAGE_BYTES_AT_MOST or left < 0:
            raise ContentError(
                f"{client.registry} answered {step} with over {_PAGE_BYTES_AT_MOST} bytes a page, or "
                f"{_BYTES_AT_MOST} in all",
                step=step,
            )
        try:
            page = json.loads(body)
        except (ValueError, RecursionError) as error:
            raise ContentError(f"{client.registry} answered {step} with something else than JSON", step=step) from error
        if not isinstance(page, dict):
            raise ContentError(f"{client.registry} answered {step} with something else than an object", step=step)
        del body
        yield page
        onward = _next_page(response)
        if onward is None:
            return
        where = client.resolve(onward, response.request.url)
    raise RegistryUnavailableError(
        f"{client.registry} pages without end", registry=client.registry, origin=client.side, step=step
    )


def _list(page: dict[str, Any], field: str) -> list[Any]:
    values = page.get(field) or []  # null and absent both occur for "none"
    if not isinstance(values, list):
        raise ContentError(f"the registry answered `{field}` with something else than a list", step=f"list {field}")
    return values


def _next_page(response: httpx.Response) -> str | None:
    """Find the link to the next page (RFC 8288: parameter names and relations are case-insensitive words)."""
    for link in response.links.values():
        relations = next((value for name, value in link.items() if name.lower() == "rel"), "")
        if "next" in relations.lower().split():
            return link.get("url")
    return None
