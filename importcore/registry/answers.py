"""What a registry's answer means: the one place that turns a status and an error body into the error tree.

Error bodies: distribution spec, "Error Codes"; they may also be HTML, plain text or empty (proxies).
"""

import json
from collections.abc import Mapping

import httpx

from importcore.errors import (
    AccessDeniedError,
    AuthenticationError,
    BodyTooLargeError,
    MissingContentError,
    NotFoundError,
    RateLimitedError,
    RegistryError,
    RegistryUnavailableError,
    Side,
    UploadSessionLostError,
    printable,
)
from importcore.registry.echoes import without_echoes
from importcore.registry.transport import retry_after

_SESSION_LOST = frozenset({"BLOB_UPLOAD_UNKNOWN", "BLOB_UPLOAD_INVALID"})
_CONTENT_MISSING = frozenset({"MANIFEST_BLOB_UNKNOWN", "BLOB_UNKNOWN"})
_ANSWERS_AT_MOST = 5
_BY_STATUS: Mapping[int, type[RegistryError]] = {
    401: AuthenticationError,
    403: AccessDeniedError,
    404: NotFoundError,
    408: RegistryUnavailableError,
    413: BodyTooLargeError,
    429: RateLimitedError,
}


def error_codes(body: bytes, request: httpx.Request) -> tuple[tuple[str, str], ...]:
    """Read the (code, message) pairs of an error body; none when it is not in the spec's form.

    What the request was authorized with is taken out.
    """
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        return ()
    errors = value.get("errors") if isinstance(value, dict) else None
    if not isinstance(errors, list):
        return ()
    return tuple(
        (_shown(entry.get("code"), request, 60), _shown(entry.get("message"), request))
        for entry in errors[:_ANSWERS_AT_MOST]
        if isinstance(entry, dict)
    )


def _shown(said: object, request: httpx.Request, at_most: int = 300) -> str:
    return printable(without_echoes(str(said or ""), request), at_most)


def error_for(
    response: httpx.Response,
    body: bytes,
    *,
    registry: str,
    step: str,
    side: Side | None = None,
    reference: str | None = None,
) -> RegistryError:
    """Make the error for an answer that the step cannot accept.

    A 400 with a session code is a lost session and one with a content code is missing content; 401 and 403 keep
    their own classes and never become "not found".
    """
    pairs = error_codes(body, response.request)
    codes = {code for code, _ in pairs}
    status = response.status_code
    kind = _BY_STATUS.get(
        status, RegistryUnavailableError if status >= httpx.codes.INTERNAL_SERVER_ERROR else RegistryError
    )
    if status in {400, 404, 416} and codes & _SESSION_LOST:
        kind = UploadSessionLostError
    elif status in {400, 404} and codes & _CONTENT_MISSING and step == "put manifest":
        kind = MissingContentError
    elif status in {400, 413, 416} and b"too large" in body[:4096].lower():
        kind = BodyTooLargeError
    elif "TOOMANYREQUESTS" in codes:
        kind = RateLimitedError
    answers = tuple(f"{code}: {message}" if message else code for code, message in pairs)
    said = f" ({'; '.join(answers)})" if answers else ""
    locked = "REGISTRY_DISALLOWED_OPERATION" in codes
    return kind(
        f"{registry} answered {status} to: {step}{f' {reference}' if reference else ''}{said}",
        registry=registry,
        status=status,
        answers=answers,
        origin=side,
        step=step,
        reference=reference,
        retry_after=retry_after(response),
        action="The tag or repository is locked, quarantined, or the registry is full; ask its owner."
        if locked
        else None,
    )


def unavailable(
    error: httpx.RequestError,
    registry: str,
    step: str,
    side: Side | None = None,
    reference: str | None = None,
) -> RegistryUnavailableError:
    """Make the error for an answer that never came; the words of the network's own error go along."""
    reason = printable(str(error), 160) or type(error).__name__
    return RegistryUnavailableError(
        f"{registry} did not answer to: {step}{f' {reference}' if reference else ''} ({reason})",
        registry=registry,
        origin=side,
        step=step,
        reference=reference,
    )
