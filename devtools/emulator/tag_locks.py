"""Tag locks: `writeEnabled` of a tag through ACR's own metadata API (acr-docs, container-registry-image-lock).

A locked tag can be neither moved nor deleted; the registry answers 405 REGISTRY_DISALLOWED_OPERATION.
"""

import json

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from devtools.emulator.access import Access
from devtools.emulator.catalog import Catalog
from devtools.emulator.refusal import RefusalError


class TagLockEndpoints:
    """The endpoint `/acr/v1/{name}/_tags/{tag}`, as far as locks need it."""

    def __init__(self, catalog: Catalog, access: Access) -> None:
        self._catalog = catalog
        self._access = access

    async def read(self, request: Request) -> Response:
        """GET: the tag's attributes."""
        return self._attributes(request, "metadata_read")

    async def change(self, request: Request) -> Response:
        """PATCH {"writeEnabled": false}: lock it; true: unlock it."""
        repository, tag = request.path_params["name"], request.path_params["tag"]
        self._access.require(request, repository, "metadata_write")
        enabled = json.loads(await request.body()).get("writeEnabled", True)
        self._catalog.lock_tag(repository, tag, locked=not enabled)
        return self._attributes(request, "metadata_write")

    def _attributes(self, request: Request, action: str) -> Response:
        repository, tag = request.path_params["name"], request.path_params["tag"]
        self._access.require(request, repository, action)
        digest = self._catalog.tag(repository, tag)
        if digest is None:
            raise RefusalError("MANIFEST_UNKNOWN", {"Tag": tag}, message="the specified tag does not exist")
        enabled = not self._catalog.is_locked(repository, tag)
        attributes = {"deleteEnabled": True, "writeEnabled": enabled, "readEnabled": True, "listEnabled": True}
        entry = {"name": tag, "digest": digest, "changeableAttributes": attributes}
        return JSONResponse({"imageName": repository, "tag": entry})
