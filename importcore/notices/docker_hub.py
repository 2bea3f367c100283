"""What Docker Hub wants to hear at the `callback_url` of its webhooks.

Source: Docker Hub webhooks, "Validate a webhook callback" (as documented until 2024; the field is still sent): a POST
of JSON with `state` (success, failure or error), `description`, `context` and `target_url`.
"""

import json

from importcore.state.record import ImportRecord, Status

_DESCRIPTION_AT_MOST = 255
_STATES = {Status.SUCCEEDED: "success", Status.FAILED: "failure"}


def docker_hub_json(record: ImportRecord) -> str:
    """The state of an import, in Docker Hub's words; one that was canceled is an `error` there."""
    outcome = record.error.message if record.error else str(record.status)
    return json.dumps(
        {
            "state": _STATES.get(record.status, "error"),
            "description": f"{record.targets[0].reference}: {outcome}"[:_DESCRIPTION_AT_MOST],
            "context": f"Transload {record.id}",
        }
    )
