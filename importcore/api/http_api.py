"""The HTTP API without the Functions types: each operation takes what was sent and gives status, headers and JSON.

`function_app.py` calls these and does nothing else; every error of the tree becomes an answer here.
"""

import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version

from importcore.api.openapi import openapi
from importcore.api.preview_views import chosen_json, preview_json
from importcore.api.views import error_json, import_json, list_json
from importcore.errors import (
    ConfigurationError,
    ContentError,
    FieldProblem,
    ImportConflictError,
    ImportNotFoundError,
    InvalidRequestError,
    PolicyError,
    RegistryError,
    StorageUnavailableError,
    TransloadError,
    UnsafeUrlError,
)
from importcore.preview import PreviewTooLongError
from importcore.request.model import read_import_request
from importcore.state.record import Status, is_import_id
from importcore.wiring import Services

_PAGE = 50
_PAGE_AT_MOST = 200
_KEY_AT_MOST = 256
_POLL_SECONDS = "2"
_STATUS_OF: Mapping[type[TransloadError], int] = {
    InvalidRequestError: 400,
    PolicyError: 403,
    ImportNotFoundError: 404,
    ImportConflictError: 409,
    ConfigurationError: 500,
    StorageUnavailableError: 503,
    RegistryError: 502,
    ContentError: 422,
    UnsafeUrlError: 422,
    PreviewTooLongError: 504,
}


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP answer; the body is JSON."""

    status: int
    body: str
    headers: dict[str, str] = field(default_factory=dict)


async def answered(operation: Callable[[], Awaitable[Answer]]) -> Answer:
    """Do an operation; an error of the tree becomes an answer with the status that fits it."""
    try:
        return await operation()
    except TransloadError as error:
        status = next((status for kind, status in _STATUS_OF.items() if isinstance(error, kind)), 500)
        return Answer(
            status, error_json(error), {"Retry-After": "5"} if status == _STATUS_OF[StorageUnavailableError] else {}
        )


async def submit(app: Services, body: bytes, idempotency_key: str | None) -> Answer:
    """`POST /api/imports`."""
    if idempotency_key is not None and not 0 < len(idempotency_key) <= _KEY_AT_MOST:
        message = f"must have 1 to {_KEY_AT_MOST} characters"
        raise InvalidRequestError(
            f"the Idempotency-Key header {message}", (FieldProblem("invalid_value", message, "Idempotency-Key"),)
        )
    request = read_import_request(body, default_target=app.settings.default_target_registry)
    request = await app.clients.resolved(request)
    if request.validate_only and request.selection:
        return Answer(200, chosen_json(await app.intake.choose(request, request.selection)))
    if request.validate_only:
        return Answer(200, preview_json(await app.intake.preview(request)))
    record = await app.intake.submit(request, idempotency_key=idempotency_key)
    return Answer(202, import_json(record), {"Location": f"/api/imports/{record.id}", "Retry-After": _POLL_SECONDS})


async def get(app: Services, import_id: str) -> Answer:
    """`GET /api/imports/{id}`."""
    record = await app.intake.get(import_id)
    return Answer(200, import_json(record), {} if record.status.is_final else {"Retry-After": _POLL_SECONDS})


async def list_newest(app: Services, parameters: Mapping[str, str]) -> Answer:
    """`GET /api/imports`."""
    problems: list[FieldProblem] = []
    top, status, after = (
        parameters.get("top", str(_PAGE)),
        parameters.get("status"),
        parameters.get("continuationToken"),
    )
    if not (top.isascii() and top.isdigit() and 0 < int(top[:9]) <= _PAGE_AT_MOST):
        problems.append(FieldProblem("invalid_value", f"must be a number from 1 to {_PAGE_AT_MOST}", "top"))
    if status is not None and status not in {each.value for each in Status}:
        problems.append(FieldProblem("invalid_value", f"must be one of {', '.join(Status)}", "status"))
    if after is not None and not is_import_id(after):
        problems.append(FieldProblem("invalid_value", "is not a token that a list answered", "continuationToken"))
    parent = parameters.get("parent")
    if parent is not None and not is_import_id(parent):
        problems.append(FieldProblem("invalid_value", "is not the id of an import", "parent"))
    if problems:
        raise InvalidRequestError("the query is wrong in: " + ", ".join(p.target for p in problems), tuple(problems))
    records, token = await app.intake.newest(
        status=Status(status) if status else None, parent=parent, top=int(top), after=after
    )
    return Answer(200, list_json(records, token))


async def cancel(app: Services, import_id: str) -> Answer:
    """`POST /api/imports/{id}/cancel`."""
    record = await app.intake.cancel(import_id)
    return Answer(202, import_json(record), {"Location": f"/api/imports/{record.id}", "Retry-After": _POLL_SECONDS})


async def health(services: Callable[[], Awaitable[Services]]) -> Answer:
    """`GET /api/health`: the only answer that says which app settings are wrong."""
    try:
        parts = {"settings": "ok"} | await (await services()).health()
    except ConfigurationError as error:
        parts = {"settings": error.message}
    healthy = all(state == "ok" for state in parts.values())
    return Answer(200 if healthy else 503, json.dumps({"status": "ok" if healthy else "unhealthy", "parts": parts}))


def description() -> Answer:
    """`GET /api/openapi.json`."""
    try:
        number = version("transload")
    except PackageNotFoundError:  # deployed as files, not as a package
        number = "0.1.0"
    return Answer(200, json.dumps(openapi(number)))
