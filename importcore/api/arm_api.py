"""Azure Resource Manager's own operation, so that its SDKs can start an import here: `importImage` and its result.

Source: Azure REST API, Microsoft.ContainerRegistry, "Registries - Import Image": a long-running operation that is
followed by `Location` (202 while it goes on, `Retry-After` between questions, then the outcome; "Asynchronous
Operations" of the Resource Provider Contract). Base address of an SDK: `https://{app}/api`.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self
from urllib.parse import urlencode, urlsplit

from importcore.api.arm_views import arm_failure_json
from importcore.api.http_api import Answer
from importcore.api.prefer import status_of
from importcore.api.views import import_json
from importcore.caller import Caller
from importcore.errors import FieldProblem, InvalidReferenceError, InvalidRequestError, PolicyError
from importcore.request.body import decode_object
from importcore.request.model import import_request_from
from importcore.request.source_access import RegistryResource
from importcore.services import Services
from importcore.settings.model import Settings
from importcore.state.record import ImportRecord, Status, now

_API_VERSION = re.compile(r"\d{4}-\d{2}-\d{2}(-preview)?")
_OPERATION = re.compile(r"/(?:importImage|operationResults/[^/]+)/?$", re.IGNORECASE)
_FIXED = ("target", "targetRegistry", "validateOnly")
"""What the path says already, and what is no import."""
_SOONEST, _LATEST, _SHARE_OF_AGE = 1, 15, 0.125
"""Seconds until an SDK asks again: an eighth of the import's age, so that asking costs little and delays little."""


@dataclass(frozen=True, slots=True)
class ArmCall:
    """A call of the operation or of its result.

    Attributes:
        url: As the caller wrote it; its answer must lead back to the same place.
        resource: The registry that its path names.
        api_version: `2025-11-01`, or any other: the operation is the same in all of them.
    """

    url: str
    resource: RegistryResource
    api_version: str

    @classmethod
    def read(cls, url: str, headers: Mapping[str, str], path: Mapping[str, str], query: Mapping[str, str]) -> Self:
        """Read a call.

        Args:
            url: As the host saw it, behind the platform's front end.
            headers: Names in any case.
            path: `subscription`, `group` and `registry` of the route.
            query: Of the URL.

        Raises:
            InvalidRequestError: The path names no registry, or there is no `api-version`.
        """
        resource_id = (
            f"/subscriptions/{path['subscription']}/resourceGroups/{path['group']}"
            f"/providers/Microsoft.ContainerRegistry/registries/{path['registry']}"
        )
        try:
            resource = RegistryResource.parse(resource_id)
        except InvalidReferenceError as error:
            raise InvalidRequestError.in_field("the path", error.message) from error
        version = next((value for name, value in query.items() if name.lower() == "api-version"), "")
        if _API_VERSION.fullmatch(version) is None:
            raise InvalidRequestError.in_field(
                "api-version", "is required in the query, such as ?api-version=2025-11-01"
            )
        forwarded = {name.lower(): value for name, value in headers.items()}.get("x-forwarded-proto", "")
        parts = urlsplit(url)
        scheme = "https" if forwarded.strip().lower() == "https" else parts.scheme
        return cls(parts._replace(scheme=scheme, query="", fragment="").geturl(), resource, version)

    def result_url(self, import_id: str) -> str:
        """Where to ask for the result: absolute, because SDKs put a relative one behind their base address anew."""
        place = _OPERATION.sub("", self.url)
        return f"{place}/operationResults/{import_id}?{urlencode({'api-version': self.api_version})}"


async def import_image(app: Services, caller: Caller, call: ArmCall, body: bytes) -> Answer:
    """`POST …/registries/{registry}/importImage`: 202, and where to ask for the result."""
    await app.intake.require_may_import(caller)  # before the targets of this installation are named in a refusal
    value = _set_fields(decode_object(body))
    problems = [
        FieldProblem("contradiction", "has no place in this operation", name) for name in _FIXED if name in value
    ]
    if problems:
        raise InvalidRequestError.naming(problems)
    value["targetRegistry"] = _target_named(app.settings, call.resource.name)
    request = await app.intake.resolved(import_request_from(value, default_target=None), caller)
    return _goes_on(await app.intake.submit(request, caller), call)


async def operation_result(app: Services, caller: Caller, call: ArmCall, import_id: str) -> Answer:
    """`GET …/registries/{registry}/operationResults/{id}`: 202 while it goes on, 200, or the error that ended it."""
    record = await app.intake.get(import_id, caller)
    if not record.status.is_final:
        return _goes_on(record, call)
    if record.status is Status.SUCCEEDED:
        return Answer(200, import_json(record))
    return Answer(status_of(record), arm_failure_json(record))


def _goes_on(record: ImportRecord, call: ArmCall) -> Answer:
    age = (now() - record.created_at).total_seconds()
    pause = max(_SOONEST, min(_LATEST, round(age * _SHARE_OF_AGE)))
    return Answer(202, import_json(record), {"Location": call.result_url(record.id), "Retry-After": str(pause)})


def _set_fields(value: Any, depth: int = 3) -> Any:  # noqa: ANN401 (JSON)
    """Leave out what is null, down to `source.credentials`: some generated clients send all that nobody set."""
    if not isinstance(value, dict) or not depth:
        return value
    return {name: _set_fields(inner, depth - 1) for name, inner in value.items() if inner is not None}


def _target_named(settings: Settings, name: str) -> str:
    found = settings.targets_named(name)
    if len(found) == 1:
        return found[0]
    if found:
        raise PolicyError(
            f"several registries are called '{name}' here ({', '.join(found)})",
            action="Name the registry in full with POST /api/imports, or give one of them another `armName` in the app "
            "setting TRANSLOAD_REGISTRIES.",
        )
    raise PolicyError(
        f"imports into a registry named '{name}' are not allowed here "
        f"(allowed: {', '.join(settings.allowed_targets) or 'none'})",
        action="Add the registry to the app setting TRANSLOAD_TARGET_REGISTRIES. One that is not at NAME.azurecr.io "
        "needs an `armName` in TRANSLOAD_REGISTRIES.",
    )
