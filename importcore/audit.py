"""The audit log: one line of JSON for each change of an import's state, and one for each request that was refused.

Written where records are written (`storage/records.py`), so that no change can be without its line. The lines go to the
logger `transload.audit`; whoever collects the logs keeps them append-only. Nothing in them is secret, and nothing from
outside can break a line: JSON escapes what is no printable ASCII.
"""

import json
import logging
from typing import Any

from importcore.caller import Caller
from importcore.errors import TransloadError, printable
from importcore.state.record import HistoryEvent, ImportRecord, Status, now

LOGGER = "transload.audit"
VERSION = 1
_log = logging.getLogger(LOGGER)
_TARGETS_NAMED_AT_MOST = 10


class Audit:
    """Writes the lines. Their fields are stable: `v`, `at`, `event`, `caller`, and what is known besides."""

    def changed(self, before: ImportRecord | None, after: ImportRecord) -> None:
        """Write what happened to an import between two states of its record; nothing where only progress did."""
        if before is not None and before.history is after.history and before.status is after.status:
            return
        known = before.history if before else ()
        events = [event for event in after.history if event not in known]
        if not events:
            events = [HistoryEvent(now(), after.status.value)]
        for event in events:
            self._write(event.event, at=event.at.isoformat(), detail=event.detail, **_about(after))

    def removed(self, record: ImportRecord) -> None:
        """Write that a record was removed, at the end of its retention time or because it was never queued."""
        self._write("Removed", **_about(record))

    def refused(self, operation: str, error: TransloadError, caller: Caller | None, address: str | None) -> None:
        """Write that a request was refused.

        Args:
            operation: What was asked for: `submit`, `read`, `list`, `cancel`.
            error: Why not.
            caller: Who asked; None where nobody knows.
            address: Where it came from.
        """
        self._write(
            "Refused",
            operation=operation,
            caller=caller.identity if caller else None,
            callerName=printable(caller.name, 120) if caller else None,
            address=address,
            code=error.code,
            detail=printable(error.message),
            target=error.reference,
        )

    @staticmethod
    def _write(event: str, *, at: str | None = None, **fields: Any) -> None:  # noqa: ANN401 (JSON values)
        line = {"v": VERSION, "at": at or now().isoformat(), "event": event}
        line |= {name: value for name, value in fields.items() if value not in {None, ""}}
        _log.info("%s", json.dumps(line))


def _about(record: ImportRecord) -> dict[str, Any]:
    """What every line about an import says of it."""
    asker = record.asked_by
    ended_well = record.status is Status.SUCCEEDED
    return {
        "importId": record.id,
        "parent": record.parent,
        "status": record.status.value,
        "caller": asker.identity if asker else None,
        "callerName": printable(asker.name, 120) if asker else None,
        "address": asker.address if asker else None,
        "source": record.source,
        "target": ", ".join(target.reference for target in record.targets[:_TARGETS_NAMED_AT_MOST]),
        "digest": record.digest if ended_well else None,
        "code": record.error.code if record.error else None,
    }
