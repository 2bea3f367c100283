"""The API's own description, made from the models that validate requests and show records."""

from typing import Any

from pydantic.json_schema import models_json_schema

from importcore.api.arm_description import arm_paths
from importcore.api.arm_views import ArmErrorBody
from importcore.api.caller_description import EITHER, SCHEMES, for_callers
from importcore.api.event_views import ImportEventView
from importcore.api.hook_description import hook_paths
from importcore.api.hook_views import HookView
from importcore.api.preview_views import PreviewView, SelectionPreviewView
from importcore.api.trial_body import TrialBody
from importcore.api.trial_views import TrialView
from importcore.api.views import ErrorBody, ImportListView, ImportView
from importcore.request.body import ImportBody

_READ = (ImportBody, TrialBody)
_MODELS = (
    *_READ,
    ImportView,
    ImportListView,
    PreviewView,
    SelectionPreviewView,
    ImportEventView,
    HookView,
    TrialView,
    ErrorBody,
    ArmErrorBody,
)


def openapi(version: str) -> dict[str, Any]:
    """Describe the API (OpenAPI 3.1)."""
    _, schemas = models_json_schema(
        [(model, "validation" if model in _READ else "serialization") for model in _MODELS],
        ref_template="#/components/schemas/{model}",
    )
    return {
        "openapi": "3.1.0",
        "info": {"title": "Transload", "version": version, "description": "Imports container images into a registry."},
        "servers": [{"url": "/api"}],
        "security": EITHER,
        "paths": {
            **for_callers(
                {
                    "/imports": {"post": _SUBMIT, "get": _LIST},
                    "/imports/{id}": {"get": _GET},
                    "/imports/{id}/cancel": {"post": _CANCEL},
                    **arm_paths(),
                    "/rules/test": {"post": _TRY_RULES},
                }
            ),
            **hook_paths(),
            "/health": {"get": _HEALTH},
            "/openapi.json": {"get": {"summary": "This description", "security": [], "responses": _ok("This")}},
        },
        "components": {
            "schemas": schemas["$defs"],
            "securitySchemes": SCHEMES,
        },
    }


def _ref(model: str) -> dict[str, str]:
    return {"$ref": f"#/components/schemas/{model}"}


def _content(model: str) -> dict[str, Any]:
    return {"application/json": {"schema": _ref(model)}}


def _ok(description: str, model: str | None = None, status: str = "200") -> dict[str, Any]:
    return {status: {"description": description, **({"content": _content(model)} if model else {})}}


def _errors(**answers: str) -> dict[str, Any]:
    return {
        status.removeprefix("_"): {"description": description, "content": _content("ErrorBody")}
        for status, description in answers.items()
    }


def _or_the_record(**answers: str) -> dict[str, Any]:
    """Answers that are an error, or the record for a caller that waits."""
    schema = {"anyOf": [_ref("ErrorBody"), _ref("ImportView")]}
    return {
        status.removeprefix("_"): {
            "description": f"{description}. {_WAITED[status.removeprefix('_')]}",
            "content": {"application/json": {"schema": schema}},
        }
        for status, description in answers.items()
    }


_ID = {"name": "id", "in": "path", "required": True, "schema": {"type": "string"}}
_PREFER = {
    "name": "Prefer",
    "in": "header",
    "schema": {"type": "string", "examples": ["wait=200"]},
    "description": "`wait=N`: answer when the import has ended, or after N seconds, at most 200; the status then tells "
    "how it stands. `Preference-Applied` says which N was heeded.",
}
_WAITED = {
    "200": "With `Prefer: wait`: it has succeeded",
    "202": "With `Prefer: wait`: it goes on; ask again at Location",
    "409": "With `Prefer: wait`: it was canceled",
    "422": "With `Prefer: wait`: it has failed; `error` says why",
}
"""What a status means to a caller that waits; the body is the record."""
_SIGNATURE = [
    {"name": name, "in": "header", "required": True, "schema": {"type": "string"}, "description": description}
    for name, description in {
        "webhook-id": "The import's id; the same however often the event is sent",
        "webhook-timestamp": "Seconds since 1970; refuse it when it is more than five minutes away",
        "webhook-signature": "One or more of v1,base64(HMAC-SHA256(key, id.timestamp.body)), separated by spaces",
    }.items()
]
_CALLBACK = {
    "{$request.body#/callbackUrl}": {
        "post": {
            "summary": "The import has ended",
            "security": [],
            "parameters": _SIGNATURE,
            "requestBody": {
                "required": True,
                "content": {"application/cloudevents+json": {"schema": _ref("ImportEventView")}},
            },
            "responses": {"2XX": {"description": "Taken; anything else is sent again, or given up"}},
        }
    }
}
_SUBMIT = {
    "summary": "Import an image",
    "callbacks": {"ended": _CALLBACK},
    "parameters": [
        {
            "name": "Idempotency-Key",
            "in": "header",
            "schema": {"type": "string", "maxLength": 256},
            "description": "A repeated request with the same key answers the first import.",
        },
        _PREFER,
    ],
    "requestBody": {"required": True, "content": _content("ImportBody")},
    "responses": {
        "202": {
            "description": "Accepted; nothing is queued with any other status",
            "headers": {
                "Location": {"schema": {"type": "string"}, "description": "Where to ask for the import"},
                "Retry-After": {"schema": {"type": "integer"}, "description": "Seconds until asking is worth it"},
            },
            "content": _content("ImportView"),
        },
        "200": {
            "description": f"With `validateOnly`: what it would do, or what is chosen. {_WAITED['200']}",
            "content": {
                "application/json": {
                    "schema": {"anyOf": [_ref("PreviewView"), _ref("SelectionPreviewView"), _ref("ImportView")]}
                }
            },
        },
        **_or_the_record(
            _409="The Idempotency-Key is another import's", _422="`validateOnly`: the content cannot be imported"
        ),
        **_errors(
            _400="Names every wrong field", _403="Not allowed here",
            _429="The caller has too many imports in flight; wait for Retry-After",
            _500="The app settings are wrong",
            _502="`validateOnly`: a registry refused or did not answer",
            _503="Storage did not answer; nothing was accepted", _504="`validateOnly`: it took too long",
        ),
    },
}  # fmt: skip
_LIST = {
    "summary": "List imports, newest first",
    "parameters": [
        {
            "name": "status",
            "in": "query",
            "schema": {"type": "string", "enum": ["Queued", "Running", "Succeeded", "Failed", "Canceled"]},
        },
        {"name": "top", "in": "query", "schema": {"type": "integer", "minimum": 1, "maximum": 200, "default": 50}},
        {
            "name": "parent",
            "in": "query",
            "schema": {"type": "string"},
            "description": "The imports of a selection alone",
        },
        {"name": "continuationToken", "in": "query", "schema": {"type": "string"}},
    ],
    "responses": {
        **_ok("One page", "ImportListView"),
        **_errors(_400="A wrong parameter", _503="Storage did not answer"),
    },
}
_GET = {
    "summary": "Read an import",
    "parameters": [_ID, _PREFER],
    "responses": {
        **_ok("The import", "ImportView"),
        **{
            status: {"description": _WAITED[status], "content": _content("ImportView")}
            for status in ("202", "409", "422")
        },
        **_errors(_404="No such import, or none that this caller may see", _503="Storage did not answer"),
    },
}
_CANCEL = {
    "summary": "Ask an import to stop",
    "parameters": [_ID],
    "responses": {
        **_ok("Asked for; the record tells when it has stopped", "ImportView", status="202"),
        **_errors(
            _403="This caller may look and not cancel", _404="No such import, or none that this caller may see",
            _409="It has ended already", _503="Storage did not answer",
        ),
    },
}  # fmt: skip
_HEALTH = {
    "summary": "Whether everything that an import needs is there",
    "security": [],
    "responses": {**_ok("All is well"), "503": {"description": "The body names what is wrong"}},
}
_TRY_RULES = {
    "summary": "What the rules would make of an event; nothing is done",
    "requestBody": {"required": True, "content": _content("TrialBody")},
    "responses": {
        **_ok("Which rules match, why the others do not, which imports would follow", "TrialView"),
        **_errors(
            _400="Names every wrong field", _403="This caller may not see every import", _404="There is no such hook",
            _500="The rules, the policy or the app settings are wrong; /api/health says where",
            _503="Storage did not answer",
        ),
    },
}  # fmt: skip
