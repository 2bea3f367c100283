"""The audit log: a line of JSON for each change of state and each refusal, and nothing that could forge one."""

import json
import logging
from dataclasses import replace
from typing import Any

import pytest

from importcore.audit import LOGGER, Audit
from importcore.caller import Asker, Caller
from importcore.errors import PolicyError
from importcore.request.model import Mode
from importcore.state.record import ImportRecord, Status, TargetResult, now

RECORD = ImportRecord(
    id="0123456789abcdefghj",
    source="docker.io/library/alpine:3",
    targets=(TargetResult("here.azurecr.io/alpine:3"),),
    mode=Mode.NO_FORCE,
    status=Status.QUEUED,
    created_at=now(),
    asked_by=Asker("entra:me", "A Human", "7.7.7.7", ("pipelines",)),
    sealed_credentials="k1.sealed",
).noting("Queued")


def lines(caplog: pytest.LogCaptureFixture) -> list[dict[str, Any]]:
    """What was written, parsed."""
    return [json.loads(record.getMessage()) for record in caplog.records if record.name == LOGGER]


@pytest.fixture(autouse=True)
def _heard(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, LOGGER)


def test_a_change_says_who_when_from_where_and_what(caplog: pytest.LogCaptureFixture) -> None:
    """With the names that whoever collects the lines can rely on."""
    Audit().changed(None, RECORD)

    assert lines(caplog) == [
        {
            "v": 1,
            "at": RECORD.history[0].at.isoformat(),
            "event": "Queued",
            "importId": RECORD.id,
            "status": "Queued",
            "caller": "entra:me",
            "callerName": "A Human",
            "address": "7.7.7.7",
            "source": RECORD.source,
            "target": "here.azurecr.io/alpine:3",
        }
    ]


def test_each_event_has_one_line_and_progress_has_none(caplog: pytest.LogCaptureFixture) -> None:
    """Two events between two states are two lines; a heartbeat is no event; the end names its error."""
    audit = Audit()
    began = replace(RECORD, status=Status.RUNNING).noting("Started", "by w/1").noting("Planned", "sha256:1")
    audit.changed(RECORD, began)
    audit.changed(began, replace(began, bytes_sent=99, updated_at=now()))
    audit.changed(began, began.finished(Status.FAILED, PolicyError("no")))

    assert [(line["event"], line["status"]) for line in lines(caplog)] == [
        ("Started", "Running"),
        ("Planned", "Running"),
        ("Failed", "Failed"),
    ]
    assert lines(caplog)[-1]["code"] == "not_allowed"


def test_a_long_history_that_loses_its_middle_tells_nothing_twice(caplog: pytest.LogCaptureFixture) -> None:
    """The record keeps sixty events; the log has them all, each once."""
    audit, record = Audit(), RECORD
    for number in range(100):
        noted = record.noting("Waiting", str(number))
        audit.changed(record, noted)
        record = noted

    assert [line["detail"] for line in lines(caplog)] == [str(number) for number in range(100)]


def test_a_status_without_an_event_is_told_all_the_same(caplog: pytest.LogCaptureFixture) -> None:
    """Whatever a later version forgets to note."""
    Audit().changed(RECORD, replace(RECORD, status=Status.RUNNING))

    assert [line["event"] for line in lines(caplog)] == ["Running"]


def test_a_refusal_and_a_removal_have_a_line(caplog: pytest.LogCaptureFixture) -> None:
    """A refusal says who asked for what, as far as anybody knows."""
    audit = Audit()
    audit.refused("submit", PolicyError("no", reference="x/y:1"), Caller.by_key("1.1.1.1"), "1.1.1.1")
    audit.refused("read", PolicyError("who"), None, None)
    audit.removed(RECORD)

    first, second, third = lines(caplog)
    assert (first["event"], first["operation"], first["caller"], first["code"]) == (
        "Refused", "submit", "function-key", "not_allowed"
    )  # fmt: skip
    assert (first["target"], first["address"], "caller" in second) == ("x/y:1", "1.1.1.1", False)
    assert (third["event"], third["importId"]) == ("Removed", RECORD.id)


def test_nothing_from_outside_breaks_a_line(caplog: pytest.LogCaptureFixture) -> None:
    """Line breaks, quotes and letters that only look like others are escaped; credentials are not there at all."""
    odd = replace(RECORD, source='a"}\n{"event":"Forged\u202e', asked_by=Asker("entra:x", 'n"\r\nm'))
    Audit().changed(RECORD, odd.noting("Queued", "d\n{}"))

    (message,) = [record.getMessage() for record in caplog.records if record.name == LOGGER]
    assert message.isascii()
    assert "\n" not in message
    assert "sealed" not in message
    assert json.loads(message)["event"] == "Queued"
