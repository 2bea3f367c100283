"""What the description says of callers: how they show who they are, and what they get where they do not or may not.

`caller.py` and `access/` decide; `docs/security.md` says how. Hooks have proofs of their own and are left alone.
"""

from typing import Any

SCHEMES: dict[str, Any] = {
    "functionKey": {"type": "apiKey", "in": "header", "name": "x-functions-key"},
    "entra": {
        "type": "http",
        "scheme": "bearer",
        "bearerFormat": "JWT",
        "description": "Where TRANSLOAD_CALLERS is `entra`: a token of Entra ID for the app's audience",
    },
}
EITHER: list[dict[str, list[str]]] = [{"functionKey": []}, {"entra": []}]
_NOBODY = {
    "description": "No valid key or token; with Entra ID, `WWW-Authenticate` says so",
    "headers": {"WWW-Authenticate": {"schema": {"type": "string"}}},
}


def for_callers(paths: dict[str, Any]) -> dict[str, Any]:
    """Add to every operation that asks who calls what it answers to nobody."""
    return {
        path: {method: _asking(operation) for method, operation in operations.items()}
        for path, operations in paths.items()
    }


def _asking(operation: dict[str, Any]) -> dict[str, Any]:
    if operation.get("security") == []:
        return operation
    return {**operation, "responses": {"401": _NOBODY, **operation["responses"]}}
