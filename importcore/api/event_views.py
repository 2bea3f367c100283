"""The event that tells others how an import has ended: CloudEvents 1.0, with a short form of the record as its data.

Callbacks and the events endpoint get the same event. It is small (an Event Grid event is billed by 64 KiB): whoever
wants the history or the referrers asks for the record by its id.
"""

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from importcore.api.views import ChildrenView, ImportErrorView, ImportView, ProgressView, TargetView, View
from importcore.state.record import ImportRecord


class ImportEndView(View):
    """An import that has ended; every field means what it means in the record."""

    id: str
    status: str = Field(description="Succeeded, Failed or Canceled")
    source: str
    target: str = Field(description="The first target")
    parent: str | None
    children: ChildrenView | None
    mode: str
    digest: str | None
    source_digest: str | None
    progress: ProgressView
    bytes_sent: int
    attempts: int
    resumptions: int
    targets: list[TargetView]
    error: ImportErrorView | None
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None

    @classmethod
    def of(cls, record: ImportRecord) -> "ImportEndView":
        """Show the end of an import."""
        return cls.model_validate(ImportView.of(record).model_dump(include=set(cls.model_fields)))


class ImportEventView(BaseModel):
    """What is sent when an import has ended (CloudEvents 1.0, JSON format)."""

    model_config = ConfigDict(frozen=True)

    specversion: Literal["1.0"] = "1.0"
    id: str = Field(description="The import's id: the same however often the event is sent")
    source: str = Field(description="Which installation of Transload", examples=["https://example.com/api/imports"])
    type: str = Field(description="Transload.Import.Succeeded, .Failed or .Canceled")
    subject: str = Field(description="The first target", examples=["myregistry.azurecr.io/alpine:3.20"])
    time: datetime = Field(description="When the import ended")
    datacontenttype: Literal["application/json"] = "application/json"
    data: ImportEndView

    @classmethod
    def of(cls, record: ImportRecord, source: str) -> "ImportEventView":
        """The event of an import that has ended."""
        return cls(
            id=record.id,
            source=source,
            type=f"Transload.Import.{record.status}",
            subject=record.targets[0].reference,
            time=record.finished_at or record.created_at,
            data=ImportEndView.of(record),
        )


def event_json(record: ImportRecord, source: str) -> str:
    """The event as JSON."""
    return ImportEventView.of(record, source).model_dump_json(by_alias=True)
