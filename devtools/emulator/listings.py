"""Lists: tags, referrers, the catalog of repositories (distribution spec, "Listing Tags", "Listing Referrers")."""

import json
from typing import Any
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response

from devtools.emulator.access import Access
from devtools.emulator.catalog import Catalog, StoredManifest
from devtools.emulator.config import EmulatorConfig
from devtools.emulator.grammar import is_digest
from devtools.emulator.manifest_rules import OCI_INDEX
from devtools.emulator.refusal import RefusalError, SpecJSONResponse


class ListEndpoints:
    """`/v2/{name}/tags/list`, `/v2/{name}/referrers/{digest}` and `/v2/_catalog`."""

    def __init__(self, config: EmulatorConfig, catalog: Catalog, access: Access) -> None:
        self._config = config
        self._catalog = catalog
        self._access = access

    async def tags(self, request: Request) -> Response:
        """The tags in lexical order; 404 NAME_UNKNOWN where nothing was ever tagged, as distribution says it."""
        repository: str = request.path_params["name"]
        self._access.require(request, repository, "pull")
        tags = list(self._catalog.tags(repository))
        if not tags and not self._catalog.manifests(repository):
            raise RefusalError("NAME_UNKNOWN", {"name": repository})
        page, headers = _page(request, tags)
        return SpecJSONResponse({"name": repository, "tags": page}, headers=headers)

    async def repositories(self, request: Request) -> Response:
        """The names of all repositories in lexical order."""
        self._access.require_catalog(request)
        page, headers = _page(request, self._catalog.repositories())
        return SpecJSONResponse({"repositories": page}, headers=headers)

    async def referrers(self, request: Request) -> Response:
        """An index of the manifests whose subject is the digest; empty for a digest that nobody knows."""
        repository, subject = request.path_params["name"], request.path_params["digest"]
        self._access.require(request, repository, "pull")
        if not self._config.referrers:
            return Response("404 page not found\n", status_code=404, media_type="text/plain")
        if not is_digest(subject):
            raise RefusalError("DIGEST_INVALID")
        found = [_referrer(manifest) for manifest in self._catalog.referrers(repository, subject)]
        wanted = request.query_params.get("artifactType")
        headers = {"Content-Type": OCI_INDEX}
        if wanted:
            found = [descriptor for descriptor in found if descriptor.get("artifactType") == wanted]
            headers["OCI-Filters-Applied"] = "artifactType"
        index = {"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": found}
        return Response(json.dumps(index), headers=headers)


def _referrer(manifest: StoredManifest) -> dict[str, Any]:
    descriptor: dict[str, Any] = {
        "mediaType": manifest.media_type,
        "digest": manifest.digest,
        "size": len(manifest.body),
    }
    if manifest.artifact_type:
        descriptor["artifactType"] = manifest.artifact_type
    if manifest.annotations:
        descriptor["annotations"] = json.loads(manifest.annotations)
    return descriptor


def _page(request: Request, names: list[str]) -> tuple[list[str], dict[str, str]]:
    """One page by `n` and `last`, and the Link to the next, relative as ACR gives it.

    Raises:
        RefusalError: PAGINATION_NUMBER_INVALID, `n` is no positive number.
    """
    last, limit = request.query_params.get("last"), request.query_params.get("n")
    rest = [name for name in names if last is None or name > last]
    if limit is None:
        return rest, {}
    if not limit.isdigit():
        raise RefusalError("PAGINATION_NUMBER_INVALID", {"n": limit})
    page = rest[: int(limit)]
    if not page or len(page) == len(rest):
        return page, {}
    query = urlencode({"last": page[-1], "n": limit})
    return page, {"Link": f'<{request.url.path}?{query}>; rel="next"'}
