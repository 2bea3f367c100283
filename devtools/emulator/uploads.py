"""Blob uploads: start, mount, chunk, status, finish, cancel (OCI distribution spec 1.1, "Pushing blobs").

What an interrupted request delivered stays, as in distribution: the status says how far it got.
"""

import re
import time
import uuid

from starlette.requests import Request
from starlette.responses import Response

from devtools.emulator.access import Access
from devtools.emulator.catalog import Catalog
from devtools.emulator.config import EmulatorConfig, StateCheck
from devtools.emulator.grammar import is_digest
from devtools.emulator.refusal import RefusalError
from devtools.emulator.store import DigestMismatchError, Store, Upload, UploadInfo
from devtools.emulator.upload_state import InvalidStateError, read_state, sign_state

_CONTENT_RANGE = re.compile(r"(\d+)-(\d+)")


class UploadEndpoints:
    """The endpoints below `/v2/{name}/blobs/uploads/`."""

    def __init__(self, config: EmulatorConfig, store: Store, catalog: Catalog, access: Access) -> None:
        self._config = config
        self._store = store
        self._catalog = catalog
        self._access = access
        self._key = store.secret()
        self._writers: dict[str, object] = {}

    async def start(self, request: Request) -> Response:
        """POST: mount (201), or start a session (202); a body with `?digest=` is not taken, as in distribution."""
        repository: str = request.path_params["name"]
        digest, source = request.query_params.get("mount", ""), request.query_params.get("from", "")
        self._access.require(request, repository, "pull", "push")
        if (
            is_digest(digest)
            and self._catalog.holds_blob(source, digest)
            and self._access.allows(request, source, "pull")
        ):
            self._catalog.link_blob(repository, digest)
            return _created(repository, digest)
        info = UploadInfo(uuid=str(uuid.uuid4()), repository=repository, started_at=time.time())
        return self._acknowledge(self._store.start_upload(info), 202)

    async def append(self, request: Request) -> Response:
        """PATCH: add a chunk, or a stream of unknown length."""
        upload = self._resume(request)
        if request.headers.get("content-type", "application/octet-stream") != "application/octet-stream":
            raise RefusalError("UNKNOWN", "bad Content-Type")
        self._check_length(request)
        _check_content_range(request, upload.offset)
        await self._receive(request, upload)
        return self._acknowledge(upload, 202)

    async def status(self, request: Request) -> Response:
        """GET: how far it is (204), with a fresh Location."""
        return self._acknowledge(self._resume(request), 204)

    async def finish(self, request: Request) -> Response:
        """PUT: take the rest, verify the digest, make it a blob. After a wrong digest the session is gone."""
        upload = self._resume(request)
        digest = request.query_params.get("digest", "")
        if not is_digest(digest):
            raise RefusalError("DIGEST_INVALID", "digest parsing failed" if digest else "digest missing")
        self._check_length(request)
        if upload.offset:
            _check_content_range(request, upload.offset)
        await self._receive(request, upload)
        self._writers.pop(upload.info.uuid, None)
        try:
            upload.finish(digest)
        except DigestMismatchError as error:
            raise RefusalError("DIGEST_INVALID", {"Digest": digest, "Reason": {}}) from error
        self._catalog.link_blob(upload.info.repository, digest)
        return _created(upload.info.repository, digest)

    async def cancel(self, request: Request) -> Response:
        """DELETE: forget the session (204)."""
        upload = self._resume(request)
        self._writers.pop(upload.info.uuid, None)
        upload.cancel()
        return Response(status_code=204)

    def _resume(self, request: Request) -> Upload:
        """Find the session that a request is about, and check the state in its URL (`config.StateCheck`)."""
        repository, name = request.path_params["name"], request.path_params["uuid"]
        self._access.require(request, repository, "pull", "push")
        reads = request.method in {"GET", "HEAD"}
        checked = not reads or self._config.state_check is StateCheck.EVERY_REQUEST
        state = None
        if checked:
            try:
                state = read_state(self._key, request.query_params.get("_state", ""))
            except InvalidStateError as error:
                raise RefusalError("BLOB_UPLOAD_INVALID", {}) from error
            if (state.repository, state.uuid) != (repository, name):
                raise RefusalError("BLOB_UPLOAD_INVALID")
        upload = self._store.upload(name)
        if upload is None or upload.info.repository != repository:
            raise RefusalError("BLOB_UPLOAD_UNKNOWN", {})
        if state is not None and state.offset != upload.offset:
            old = self._config.state_check is StateCheck.EVERY_REQUEST
            raise RefusalError("BLOB_UPLOAD_INVALID" if old else "RANGE_INVALID")
        return upload

    async def _receive(self, request: Request, upload: Upload) -> None:
        """Append the request's body; whoever wrote to this upload before, on a connection left behind, must stop."""
        writer = object()
        self._writers[upload.info.uuid] = writer
        try:
            async for piece in request.stream():
                if self._writers.get(upload.info.uuid) is not writer:
                    raise RefusalError("RANGE_INVALID")
                upload.append(piece)
        finally:
            if self._writers.get(upload.info.uuid) is writer:
                upload.pause()
                del self._writers[upload.info.uuid]

    def _check_length(self, request: Request) -> None:
        limits = [self._config.largest_chunk, self._config.largest_put if request.method == "PUT" else None]
        length = request.headers.get("content-length", "")
        if length.isdigit() and any(limit is not None and int(length) > limit for limit in limits):
            raise RefusalError("SIZE_INVALID", status=413, message="request entity too large")

    def _acknowledge(self, upload: Upload, status: int) -> Response:
        """Answer with the latest Location and Range; "0-0" is both nothing and one byte, as in distribution."""
        info, offset = upload.info, upload.offset
        state = sign_state(self._key, info, offset)
        headers = {
            "Location": f"/v2/{info.repository}/blobs/uploads/{info.uuid}?_nouploadcache=false&_state={state}",
            "Range": f"0-{max(offset - 1, 0)}",
            "Docker-Upload-UUID": info.uuid,
        }
        if self._config.chunk_at_least is not None:
            headers["OCI-Chunk-Min-Length"] = str(self._config.chunk_at_least)
        return Response(status_code=status, headers=headers)


def _created(repository: str, digest: str) -> Response:
    headers = {"Location": f"/v2/{repository}/blobs/{digest}", "Docker-Content-Digest": digest}
    return Response(status_code=201, headers=headers)


def _check_content_range(request: Request, offset: int) -> None:
    """Hold `Content-Range: a-b` against the offset; without a Content-Length it is not looked at (distribution)."""
    text, length = request.headers.get("content-range"), request.headers.get("content-length")
    if text is None or length is None:
        return
    found = _CONTENT_RANGE.fullmatch(text)
    if found is None:
        raise RefusalError("UNKNOWN", "the Content-Range header format is invalid")
    first, last = int(found[1]), int(found[2])
    if first > last or first != offset:
        raise RefusalError("RANGE_INVALID")
    if last - first + 1 != int(length):
        raise RefusalError("SIZE_INVALID")
