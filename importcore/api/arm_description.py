"""Azure Resource Manager's own operation in the API's description."""

from typing import Any

_RESOURCE = (
    "/subscriptions/{subscription}/resourceGroups/{group}/providers/Microsoft.ContainerRegistry/registries/{registry}"
)
_TEXT = {"type": "string"}
_REGISTRY = [
    {"name": "subscription", "in": "path", "required": True, "schema": {"type": "string", "format": "uuid"}},
    {"name": "group", "in": "path", "required": True, "schema": _TEXT},
    {
        "name": "registry",
        "in": "path",
        "required": True,
        "schema": _TEXT,
        "description": "The name of a registry that imports may write to; it alone decides",
    },
    {
        "name": "api-version",
        "in": "query",
        "required": True,
        "schema": {"type": "string", "examples": ["2025-11-01"]},
        "description": "Any: the operation is the same in all of them",
    },
]
_ID = {"name": "id", "in": "path", "required": True, "schema": _TEXT}
_FOLLOW = {
    "Location": {"schema": _TEXT, "description": "Where to ask for the result"},
    "Retry-After": {"schema": {"type": "integer"}, "description": "Seconds until asking is worth it"},
}
_GOES_ON = {"description": "It goes on", "headers": _FOLLOW}


def arm_paths() -> dict[str, Any]:
    """Describe the operation, and its result."""
    return {
        f"{_RESOURCE}/importImage": {
            "post": {
                "summary": "Import an image, as the SDKs of Azure Resource Manager do",
                "parameters": _REGISTRY,
                "requestBody": {"required": True, "content": {"application/json": {"schema": _ref("ImportBody")}}},
                "responses": {
                    "202": _with("ImportView", _GOES_ON),
                    "400": _error("Names every wrong field"),
                    "403": _error("Not allowed here; so is a registry that is no target"),
                    "503": _error("Storage did not answer; nothing was accepted"),
                },
            }
        },
        f"{_RESOURCE}/operationResults/{{id}}": {
            "get": {
                "summary": "The result of an import that an SDK has begun",
                "parameters": [*_REGISTRY, _ID],
                "responses": {
                    "200": _with("ImportView", {"description": "It has succeeded"}),
                    "202": _with("ImportView", _GOES_ON),
                    "404": _error("No such import"),
                    "409": _error("It was canceled"),
                    "422": _error("It has failed"),
                    "503": _error("Storage did not answer"),
                },
            }
        },
    }


def _ref(model: str) -> dict[str, str]:
    return {"$ref": f"#/components/schemas/{model}"}


def _with(model: str, answer: dict[str, Any]) -> dict[str, Any]:
    return {**answer, "content": {"application/json": {"schema": _ref(model)}}}


def _error(description: str) -> dict[str, Any]:
    return _with("ArmErrorBody", {"description": description})
