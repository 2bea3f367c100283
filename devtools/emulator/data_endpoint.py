"""The data endpoint: signed, expiring URLs for blobs on another origin, with the manners of Azure storage.

ACR answers the GET of a blob with 307 to `*.blob.core.windows.net` or `*.data.azurecr.io`; storage refuses a request
that carries the registry's Authorization (acr-docs, FAQ on InvalidAuthenticationInfo).
"""

import hashlib
import hmac
import time
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response

from devtools.emulator.config import EmulatorConfig
from devtools.emulator.ranges import RangeNotSatisfiableError, range_headers, read_range
from devtools.emulator.store import Store
from devtools.emulator.wire import PiecesResponse


class DataEndpoint:
    """Signs data URLs and answers them."""

    def __init__(self, config: EmulatorConfig, store: Store) -> None:
        self._origin = config.data_url
        self._life = config.data_url_seconds
        self._store = store
        self._key = hmac.digest(store.secret(), b"data endpoint", hashlib.sha256)

    def url_for(self, digest: str) -> str | None:
        """A signed URL for a blob; None where blobs are served directly."""
        if self._origin is None:
            return None
        expiry = str(int(time.time() + self._life))
        query = urlencode({"se": expiry, "sp": "r", "sr": "b", "sig": self._sign(digest, expiry)})
        return f"{self._origin.rstrip('/')}/data/{digest}?{query}"

    async def read(self, request: Request) -> Response:
        """GET and HEAD of a signed URL: 200, 206, 416; 400 with Authorization, 403 when expired or not signed by us."""
        if "authorization" in request.headers:
            return _storage_error(
                400, "InvalidAuthenticationInfo", "Authentication information is not given in the correct format."
            )
        digest = request.path_params["digest"]
        expiry = request.query_params.get("se", "")
        signature = request.query_params.get("sig", "")
        if not hmac.compare_digest(signature.encode(), self._sign(digest, expiry).encode()) or (
            int(expiry) <= time.time()
        ):
            return _storage_error(403, "AuthenticationFailed", "Server failed to authenticate the request.")
        size = self._store.blob_size(digest)
        if size is None:
            return _storage_error(404, "BlobNotFound", "The specified blob does not exist.")
        try:
            span = read_range(request.headers.get("range"), size)
        except RangeNotSatisfiableError:
            return _storage_error(416, "InvalidRange", "The range specified is invalid.")
        headers = {
            "Content-Type": "application/octet-stream",
            "x-ms-version": "2021-12-02",
            **range_headers(span, size),
        }
        first, stop = span or (0, size)
        return PiecesResponse(self._store.read_blob(digest, first, stop), 206 if span else 200, headers)

    def _sign(self, digest: str, expiry: str) -> str:
        return hmac.new(self._key, f"{digest} {expiry}".encode(), hashlib.sha256).hexdigest()


def _storage_error(status: int, code: str, message: str) -> Response:
    body = f'<?xml version="1.0" encoding="utf-8"?><Error><Code>{code}</Code><Message>{message}</Message></Error>'
    return Response(body, status_code=status, headers={"x-ms-error-code": code}, media_type="application/xml")
