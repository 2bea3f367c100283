"""The webhooks in the API's own description: every sender has its own body, so that none is described here."""

from typing import Any

from importcore.hooks.senders import SENDERS

_DELIVERED = {
    "202": "Imports follow; an import that was on its way already counts",
    "200": "Nothing follows, and the body says why; or the code that Event Grid's handshake asks for",
}
_REFUSED = {
    "400": "The body is not what this sender documents; the message names the field",
    "401": "The header with the secret or the signature is missing or wrong",
    "404": "There is no such sender, or no hook of that name",
    "413": "The body is larger than 1 MiB",
    "503": "Not taken for now (storage, rules or settings): deliver it again after Retry-After",
}
_KIND = {"name": "kind", "in": "path", "required": True, "schema": {"type": "string", "enum": list(SENDERS)}}
_NAME = {
    "name": "name",
    "in": "path",
    "required": True,
    "schema": {"type": "string"},
    "description": "The name of a hook in the app setting TRANSLOAD_HOOKS",
}


def hook_paths() -> dict[str, Any]:
    """Describe the paths of the webhooks."""
    return {"/hooks/{kind}": _path(_KIND), "/hooks/{kind}/{name}": _path(_KIND, _NAME)}


def _path(*parameters: dict[str, Any]) -> dict[str, Any]:
    answers = {status: _answer(text, "HookView") for status, text in _DELIVERED.items()}
    answers |= {status: _answer(text, "ErrorBody") for status, text in _REFUSED.items()}
    handshake = {"200": {"description": "This sender may send"}, "404": {"description": "It need not ask"}}
    return {
        "post": {
            "summary": "Tell of a push",
            "parameters": list(parameters),
            "requestBody": {"required": True, "content": {"*/*": {}}},
            "responses": answers,
        },
        "options": {
            "summary": "Ask whether CloudEvents may be sent (HTTP 1.1 Web Hooks for Event Delivery)",
            "parameters": list(parameters),
            "responses": handshake,
        },
    }


def _answer(description: str, model: str) -> dict[str, Any]:
    schema = {"$ref": f"#/components/schemas/{model}"}
    return {"description": description, "content": {"application/json": {"schema": schema}}}
