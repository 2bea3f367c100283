"""The JSON that users get: nothing of the machine's own in it, and errors in one form."""

import json
from dataclasses import fields, replace
from datetime import UTC, datetime
from typing import Any

from importcore.api.views import error_json, import_json, list_json
from importcore.errors import (
    AccessDeniedError,
    ConfigurationError,
    FieldProblem,
    InvalidRequestError,
    PolicyError,
    Side,
    TransloadError,
)
from importcore.request.model import Mode
from importcore.state.progress import Progress
from importcore.state.record import ErrorReport, ImportRecord, Status, TargetResult

RECORD = ImportRecord(
    id="0123456789abcdefghj",
    source="docker.io/library/alpine:3",
    targets=(TargetResult("here.azurecr.io/alpine:3", "sha256:d"), TargetResult("here.azurecr.io/alpine:latest")),
    mode=Mode.FORCE,
    status=Status.FAILED,
    created_at=datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC),
    progress=Progress(bytes_total=9, bytes_done=4),
    error=ErrorReport.of(
        AccessDeniedError("denied", registry="r", status=403, answers=("DENIED: no",), origin=Side.TARGET, step="s")
    ),
    sealed_credentials="k1.SEALED",
    lease_id="LEASE-ID",
    lease_receipt="LEASE-RECEIPT",
    deaths=3,
).noting("Queued")
PRIVATE = {
    "sealed_credentials", "lease_id", "lease_receipt", "advances", "advances_at_claim", "deaths", "stalls", "retries",
    "poisonings",
}  # fmt: skip


def error_of(error: TransloadError) -> dict[str, Any]:
    """The `error` object of an answer."""
    value: dict[str, Any] = json.loads(error_json(error))
    assert list(value) == ["error"]
    found: dict[str, Any] = value["error"]
    return found


def camel(name: str) -> str:
    """A field's name in JSON."""
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)


def test_a_record_shows_everything_but_the_machines_own() -> None:
    """Each field of the record is either shown or known to be private; a new one has to be decided about."""
    shown = json.loads(import_json(RECORD))

    expected = {camel(field.name) for field in fields(ImportRecord)} - {camel(name) for name in PRIVATE}
    assert set(shown) == expected | {"target"}


def test_no_lease_and_no_credential_is_shown() -> None:
    """Not under any name."""
    text = import_json(RECORD) + list_json([RECORD], "next")

    assert [secret for secret in ("SEALED", "LEASE-ID", "LEASE-RECEIPT") if secret in text] == []


def test_a_record_reads_as_documented() -> None:
    """Names in camel case, times in UTC, the first target beside the list of all."""
    shown = json.loads(import_json(RECORD))

    assert shown["createdAt"] == "2026-01-02T03:04:05Z"
    assert shown["target"] == "here.azurecr.io/alpine:3"
    assert [target["digest"] for target in shown["targets"]] == ["sha256:d", None]
    assert (shown["progress"]["bytesTotal"], shown["progress"]["bytesDone"]) == (9, 4)
    assert (shown["status"], shown["mode"]) == ("Failed", "Force")
    assert shown["history"][0]["event"] == "Queued"


def test_a_failed_import_shows_what_the_registry_said() -> None:
    """Code, side, status, answers and advice."""
    shown = json.loads(import_json(RECORD))["error"]

    assert (shown["code"], shown["side"], shown["status"]) == ("access_denied", "target", 403)
    assert shown["answers"] == ["DENIED: no"]
    assert "AcrPush" in shown["action"]


def test_an_import_without_error_says_null() -> None:
    """Clients can rely on the field."""
    assert json.loads(import_json(replace(RECORD, error=None)))["error"] is None


def test_a_page_names_the_next_one() -> None:
    """Or says null where it is the last."""
    assert json.loads(list_json([RECORD], "next"))["continuationToken"] == "next"
    assert json.loads(list_json([], None)) == {"value": [], "continuationToken": None}


def test_a_request_with_one_wrong_field_names_it_at_the_top() -> None:
    """As Azure's own error form does; with several, the details tell."""
    one = FieldProblem("missing_field", "is required", "source")
    two = FieldProblem("invalid_value", "is wrong", "mode")

    assert error_of(InvalidRequestError("wrong", (one,)))["target"] == "source"
    several = error_of(InvalidRequestError("wrong", (one, two)))
    assert "target" not in several
    assert several["details"][1] == {"code": "invalid_value", "message": "is wrong", "target": "mode"}


def test_an_error_without_details_names_what_it_is_about() -> None:
    """A refused target, for example."""
    shown = error_of(PolicyError("no", reference="x.example/a:1", action="ask"))

    assert shown == {"code": "not_allowed", "message": "no", "action": "ask", "target": "x.example/a:1", "details": []}


def test_wrong_app_settings_are_not_told_to_callers() -> None:
    """They learn that it is not their fault, and operators where to look."""
    shown = error_of(ConfigurationError("TRANSLOAD_SECRET: wrong"))

    assert "TRANSLOAD_SECRET" not in json.dumps(shown)
    assert "/api/health" in shown["message"]
