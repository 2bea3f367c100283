"""The HTTP API without the Functions types: each operation takes what was sent and gives status, headers and JSON.

`function_app.py` calls these and does nothing else; every error of the tree becomes an answer here.
"""

import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version

from importcore.api.openapi import openapi
from importcore.api.prefer import applied, status_of, wait_of
from importcore.api.preview_views import chosen_json, preview_json
from importcore.api.principal import address_of, caller_of
from importcore.api.views import error_json, import_json, list_json
from importcore.caller import Caller
from importcore.deadline import Deadline
from importcore.errors import (
    ConfigurationError,
    ContentError,
    FieldProblem,
    ImportConflictError,
    ImportHiddenError,
    ImportNotFoundError,
    InvalidRequestError,
    PolicyError,
    RegistryError,
    StorageUnavailableError,
    TooManyImportsError,
    TransloadError,
    UnauthenticatedError,
    UnsafeUrlError,
)
from importcore.hooks.proof import UnknownHookError
from importcore.preview import PreviewTooLongError
from importcore.request.model import read_import_request
from importcore.state.record import ImportRecord, Status, is_import_id
from importcore.wiring import Services

_PAGE = 50
_PAGE_AT_MOST = 200
_KEY_AT_MOST = 256
_POLL_SECONDS = "2"
_STATUS_OF: Mapping[type[TransloadError], int] = {
    InvalidRequestError: 400,
    UnauthenticatedError: 401,
    PolicyError: 403,
    TooManyImportsError: 429,
    ImportNotFoundError: 404,
    ImportConflictError: 409,
    ConfigurationError: 500,
    StorageUnavailableError: 503,
    RegistryError: 502,
    ContentError: 422,
    UnsafeUrlError: 422,
    PreviewTooLongError: 504,
    UnknownHookError: 404,
}
_REFUSALS = (UnauthenticatedError, PolicyError, TooManyImportsError, ImportHiddenError, UnsafeUrlError)
_ON_EVERY_ANSWER = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
"""A proxy does not know that `x-functions-key` makes an answer private."""


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP answer; the body is JSON."""

    status: int
    body: str
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def all_headers(self) -> dict[str, str]:
        """Its own headers, and those that every answer has."""
        return _ON_EVERY_ANSWER | self.headers


async def answered(
    operation: Callable[[], Awaitable[Answer]], form: Callable[[TransloadError], str] = error_json
) -> Answer:
    """Do an operation; an error of the tree becomes an answer with the status that fits it, in the form given."""
    try:
        return await operation()
    except TransloadError as error:
        status = next((status for kind, status in _STATUS_OF.items() if isinstance(error, kind)), 500)
        return Answer(status, form(error), headers_for(error))


def headers_for(error: TransloadError) -> dict[str, str]:
    """Give the headers that an error has besides its body."""
    match error:
        case UnauthenticatedError():
            return {"WWW-Authenticate": 'Bearer realm="transload"'}  # RFC 9110, 15.5.2: a 401 has one
        case TooManyImportsError():
            return {"Retry-After": f"{error.retry_after or 1:.0f}"}
        case StorageUnavailableError():
            return {"Retry-After": "5"}
    return {}


async def asked(
    services: Callable[[], Awaitable[Services]],
    what: str,
    headers: Mapping[str, str],
    operation: Callable[[Services, Caller], Awaitable[Answer]],
    form: Callable[[TransloadError], str] = error_json,
) -> Answer:
    """Do an operation for a caller; a refusal goes into the audit log, too.

    Args:
        services: What builds the app.
        what: The operation, for the audit log.
        headers: Of the request, names in any case.
        operation: What to do.
        form: How an error is shown.
    """
    lower = {name.lower(): value for name, value in headers.items()}

    async def on_services() -> Answer:
        app, caller = await services(), None
        try:
            caller = caller_of(lower, app.settings)
            return await operation(app, caller)
        except TransloadError as error:
            if isinstance(error, _REFUSALS) or isinstance(error.__cause__, _REFUSALS):
                app.audit.refused(what, error, caller, address_of(lower))
            raise

    return await answered(on_services, form)


async def submit(
    app: Services, caller: Caller, body: bytes, idempotency_key: str | None, prefer: str | None = None
) -> Answer:
    """`POST /api/imports`."""
    wait = wait_of(prefer)
    deadline = Deadline(wait or 0)
    if idempotency_key is not None and not 0 < len(idempotency_key) <= _KEY_AT_MOST:
        message = f"must have 1 to {_KEY_AT_MOST} characters"
        raise InvalidRequestError(
            f"the Idempotency-Key header {message}", (FieldProblem("invalid_value", message, "Idempotency-Key"),)
        )
    await app.intake.require_may_import(caller)
    request = read_import_request(body, default_target=app.settings.default_target_registry)
    request = await app.intake.resolved(request, caller)
    if request.validate_only and request.selection:
        return Answer(200, chosen_json(await app.intake.choose(request, request.selection, caller)))
    if request.validate_only:
        return Answer(200, preview_json(await app.intake.preview(request, caller)))
    record = await app.intake.submit(request, caller, idempotency_key=idempotency_key)
    if wait is not None:
        return _waited(await app.waiting.for_end(record, caller, deadline), wait)
    return Answer(202, import_json(record), _go_on_at(record))


def _go_on_at(record: ImportRecord) -> dict[str, str]:
    return {"Location": f"/api/imports/{record.id}", "Retry-After": _POLL_SECONDS}


def _waited(record: ImportRecord, wait: int) -> Answer:
    """The answer for a caller that waits: its status tells how the import stands."""
    more = {} if record.status.is_final else _go_on_at(record)
    return Answer(status_of(record), import_json(record), more | applied(wait))


async def get(app: Services, caller: Caller, import_id: str, prefer: str | None = None) -> Answer:
    """`GET /api/imports/{id}`."""
    wait = wait_of(prefer)
    deadline = Deadline(wait or 0)
    record = await app.intake.get(import_id, caller)
    if wait is not None:
        return _waited(await app.waiting.for_end(record, caller, deadline), wait)
    return Answer(200, import_json(record), {} if record.status.is_final else {"Retry-After": _POLL_SECONDS})


async def list_newest(app: Services, caller: Caller, parameters: Mapping[str, str]) -> Answer:
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
        caller, status=Status(status) if status else None, parent=parent, top=int(top), after=after
    )
    return Answer(200, list_json(records, token))


async def cancel(app: Services, caller: Caller, import_id: str) -> Answer:
    """`POST /api/imports/{id}/cancel`."""
    record = await app.intake.cancel(import_id, caller)
    return Answer(202, import_json(record), _go_on_at(record))


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
