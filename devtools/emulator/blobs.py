"""Blobs: HEAD, GET (whole, in part, or redirected to the data endpoint), DELETE (spec, "Pulling blobs")."""

from starlette.requests import Request
from starlette.responses import Response

from devtools.emulator.access import Access
from devtools.emulator.catalog import Catalog
from devtools.emulator.data_endpoint import DataEndpoint
from devtools.emulator.grammar import is_digest
from devtools.emulator.ranges import RangeNotSatisfiableError, range_headers, read_range
from devtools.emulator.refusal import RefusalError
from devtools.emulator.store import Store
from devtools.emulator.wire import PiecesResponse


class BlobEndpoints:
    """The endpoint `/v2/{name}/blobs/{digest}`."""

    def __init__(self, store: Store, catalog: Catalog, access: Access, data: DataEndpoint) -> None:
        self._store = store
        self._catalog = catalog
        self._access = access
        self._data = data

    async def read(self, request: Request) -> Response:
        """GET and HEAD: 200, 206 for a range, 307 for a GET where there is a data endpoint."""
        repository, digest = self._named(request, "pull")
        size = self._store.blob_size(digest) if self._catalog.holds_blob(repository, digest) else None
        if size is None:
            raise RefusalError("BLOB_UNKNOWN", digest)
        if request.method == "GET" and (url := self._data.url_for(digest)) is not None:
            return Response(status_code=307, headers={"Location": url})
        common = {"Docker-Content-Digest": digest, "ETag": f'"{digest}"'}
        if request.headers.get("if-none-match") == common["ETag"]:
            return Response(status_code=304, headers=common)
        try:
            span = read_range(request.headers.get("range"), size)
        except RangeNotSatisfiableError:
            return Response(status_code=416, headers={**common, "Content-Range": f"bytes */{size}"})
        headers = {
            "Content-Type": "application/octet-stream",
            "Cache-Control": "max-age=31536000",
            **common,
            **range_headers(span, size),
        }
        first, stop = span or (0, size)
        return PiecesResponse(self._store.read_blob(digest, first, stop), 206 if span else 200, headers)

    async def delete(self, request: Request) -> Response:
        """DELETE: take the blob from this repository (202); the bytes go with the last repository."""
        repository, digest = self._named(request, "delete")
        if not self._catalog.unlink_blob(repository, digest):
            raise RefusalError("BLOB_UNKNOWN")
        if not self._catalog.is_blob_held(digest):
            self._store.remove_blob(digest)
        return Response(status_code=202)

    def _named(self, request: Request, action: str) -> tuple[str, str]:
        repository, digest = request.path_params["name"], request.path_params["digest"]
        self._access.require(request, repository, action)
        if not is_digest(digest):
            raise RefusalError("DIGEST_INVALID", {})
        return repository, digest
