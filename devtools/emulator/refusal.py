"""What the registry refuses, as the distribution spec writes it ("Error Codes") and distribution numbers it."""

from http import HTTPStatus
from typing import Any

from starlette.responses import JSONResponse, Response

_KNOWN: dict[str, tuple[int, str]] = {
    "BLOB_UNKNOWN": (404, "blob unknown to registry"),
    "BLOB_UPLOAD_INVALID": (404, "blob upload invalid"),
    "BLOB_UPLOAD_UNKNOWN": (404, "blob upload unknown to registry"),
    "DIGEST_INVALID": (400, "provided digest did not match uploaded content"),
    "MANIFEST_BLOB_UNKNOWN": (400, "blob unknown to registry"),
    "MANIFEST_INVALID": (400, "manifest invalid"),
    "MANIFEST_UNKNOWN": (404, "manifest unknown"),
    "NAME_INVALID": (400, "invalid repository name"),
    "NAME_UNKNOWN": (404, "repository name not known to registry"),
    "PAGINATION_NUMBER_INVALID": (400, "invalid number of results requested"),
    "RANGE_INVALID": (416, "invalid content range"),
    "REGISTRY_DISALLOWED_OPERATION": (405, "The operation is disallowed on this registry, repository or image."),
    "SIZE_INVALID": (400, "provided length did not match content length"),
    "TAG_INVALID": (400, "manifest tag did not match URI"),
    "UNAUTHORIZED": (401, "authentication required"),
    "UNKNOWN": (500, "unknown error"),
    "UNSUPPORTED": (405, "The operation is unsupported."),
}


class SpecJSONResponse(JSONResponse):
    """JSON as registries label it."""

    media_type = "application/json; charset=utf-8"


class RefusalError(Exception):
    """A request that the registry refuses; it becomes the spec's JSON error body.

    Args:
        code: The spec's error code.
        detail: What the body says besides; absent when None.
        status: The HTTP status, where it is not the code's own.
        message: The words, where they are not the code's own.
        headers: Further headers of the answer.
        each: One detail per error, where one answer holds several errors of this code.
    """

    def __init__(
        self,
        code: str,
        detail: object = None,
        *,
        status: int | None = None,
        message: str | None = None,
        headers: dict[str, str] | None = None,
        each: tuple[object, ...] = (),
    ) -> None:
        usual_status, usual_message = _KNOWN[code]
        super().__init__(f"{code}: {message or usual_message}")
        self.code = code
        self.status = HTTPStatus(status or usual_status)
        self.message = message or usual_message
        self.details = each or (detail,)
        self.headers = headers

    def response(self) -> Response:
        """The answer."""
        errors = [self._error(detail) for detail in self.details]
        return SpecJSONResponse({"errors": errors}, status_code=self.status, headers=self.headers)

    def _error(self, detail: object) -> dict[str, Any]:
        error: dict[str, Any] = {"code": self.code, "message": self.message}
        return error if detail is None else {**error, "detail": detail}
