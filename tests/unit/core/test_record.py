"""The record: ids that sort newest first, a bounded history, and an end that keeps no secret."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from importcore.errors import (
    FieldProblem,
    InvalidRequestError,
    NoProgressError,
    NotFoundError,
    Side,
)
from importcore.request.model import Mode
from importcore.state.record import (
    HISTORY_AT_MOST,
    ErrorReport,
    ImportRecord,
    Status,
    TargetResult,
    is_import_id,
    new_import_id,
)

RECORD = ImportRecord(
    id="0123456789abcdefghj",
    source="docker.io/library/alpine:3",
    targets=(TargetResult("here.azurecr.io/alpine:3"),),
    mode=Mode.NO_FORCE,
    status=Status.RUNNING,
    created_at=datetime(2026, 1, 2, tzinfo=UTC),
    phase="transfer",
    sealed_credentials="k1.sealed",
    lease_id="lease",
    lease_receipt="receipt",
    waiting_until=datetime(2026, 1, 3, tzinfo=UTC),
)


def test_newer_ids_do_not_sort_after_older_ones() -> None:
    """Table storage lists by key, so the key counts down."""
    ids = [new_import_id() for _ in range(2000)]

    stamps = [import_id[:9] for import_id in ids]
    assert stamps == sorted(stamps, reverse=True)
    assert len(set(ids)) == len(ids)
    assert all(is_import_id(import_id) for import_id in ids)


@pytest.mark.parametrize(
    "text", ["", "0" * 18, "0" * 20, "0" * 18 + "A", "0" * 18 + "i", "../" + "0" * 16, "\u0660" * 19]
)
def test_what_is_no_id_is_not_taken_for_one(text: str) -> None:
    """An id becomes a row key and a blob's name, so nothing else may pass."""
    assert not is_import_id(text)


def test_a_long_history_keeps_its_beginning_and_its_end() -> None:
    """How it began and what happened last; the middle is the same again and again."""
    record = RECORD
    for number in range(500):
        record = record.noting("Waiting", str(number))

    details = [event.detail for event in record.history]
    half = HISTORY_AT_MOST // 2
    assert details == [*map(str, range(half)), *map(str, range(500 - half, 500))]


@pytest.mark.parametrize("status", [Status.SUCCEEDED, Status.FAILED, Status.CANCELED])
def test_an_ended_import_keeps_no_secret(status: Status) -> None:
    """Neither sealed credentials nor a receipt with which somebody could act for it."""
    ended = RECORD.finished(status)

    assert ended.status is status
    assert status.is_final
    assert ended.sealed_credentials is None
    assert ended.lease_receipt is None
    assert (ended.phase, ended.waiting_until) == (None, None)
    assert ended.finished_at is not None
    assert ended.history[-1].event == status.value


def test_an_import_that_can_still_change_is_not_final() -> None:
    """Queued and Running."""
    assert [status for status in Status if not status.is_final] == [Status.QUEUED, Status.RUNNING]


def test_success_leaves_no_error_of_an_earlier_run() -> None:
    """What it waited for is over."""
    waited = replace(RECORD, error=ErrorReport.of(NoProgressError("nothing moved")))

    assert waited.finished(Status.SUCCEEDED).error is None


def test_a_failed_import_tells_why() -> None:
    """With the code in the history, and everything that the error knew in the report."""
    error = NotFoundError(
        "r answered 404", registry="r", status=404, answers=("X: y",), origin=Side.SOURCE, step="get", reference="a:1"
    )

    failed = RECORD.finished(Status.FAILED, error)

    assert failed.error == ErrorReport(
        "not_found", "r answered 404", error.action, Side.SOURCE, "get", "a:1", 404, ("X: y",)
    )
    assert failed.history[-1].detail == "not_found"


def test_an_invalid_requests_problems_are_its_answers() -> None:
    """A report has no other place for them."""
    error = InvalidRequestError("wrong", (FieldProblem("c", "is required", "source"),))

    assert ErrorReport.of(error).answers == ("is required",)


def test_progress_is_measured_from_the_claim_on() -> None:
    """Not from the beginning of the import."""
    assert not replace(RECORD, advances=5, advances_at_claim=5).has_progressed
    assert replace(RECORD, advances=6, advances_at_claim=5).has_progressed


def test_a_record_does_not_print_its_secrets() -> None:
    """Sealed or not."""
    assert "k1.sealed" not in repr(RECORD)
    assert "receipt=" not in repr(RECORD)
