"""The JSON that users get: a record as the API shows it, and errors. The only place that knows their form."""

from dataclasses import asdict
from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from importcore.errors import ConfigurationError, InvalidRequestError, TransloadError
from importcore.request.model import ImportOptions
from importcore.request.selection import Selection
from importcore.state.notice import Notice
from importcore.state.record import ErrorReport, ImportRecord


class View(BaseModel):
    """Base of everything that is shown: camel case outside, frozen inside."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, frozen=True)


class ProgressView(View):
    """How far an import is; bytes and blobs are counted over all target repositories."""

    bytes_total: int
    bytes_done: int
    blobs_total: int
    blobs_copied: int
    blobs_skipped: int
    blobs_mounted: int
    manifests_total: int
    manifests_done: int


class ImportErrorView(View):
    """Why an import failed or waits."""

    code: str
    message: str
    action: str = ""
    side: str | None = Field(default=None, description="source or target")
    step: str | None = None
    reference: str | None = None
    status: int | None = Field(default=None, description="The HTTP status that the registry answered")
    answers: list[str] = Field(default=[], description="What the registry said, as CODE: message")


class TargetView(View):
    """One target, and the digest that stands there when the import is done."""

    reference: str
    digest: str | None
    previous_digest: str | None = Field(default=None, description="What the tag stood on before")
    backup: str | None = Field(default=None, description="The tag that keeps what was overwritten")


class ReferrerView(View):
    """A signature, SBOM or attestation that travels with the image."""

    digest: str
    subject: str
    artifact_type: str | None
    tag: str | None = Field(description="The tag of cosign's older convention, where it has one")


class SelectionView(View):
    """What a request for several imports selects."""

    repositories: list[str]
    include: list[str]
    exclude: list[str]
    semver: str | None
    newest: int | None
    template: str

    @classmethod
    def of(cls, selection: Selection) -> "SelectionView":
        """Show a selection."""
        return cls(repositories=list(selection.repositories), template=selection.template, **asdict(selection.tags))


class ChildrenView(View):
    """How the imports of a selection stand."""

    total: int
    queued: int
    running: int
    succeeded: int
    failed: int
    canceled: int


class OptionsView(View):
    """What the request chose, in its own words."""

    platforms: list[str]
    include_referrers: bool
    artifact_types: list[str]
    verify: bool
    backup_tag: str | None
    same_digest: bool


class HistoryView(View):
    """One thing that happened."""

    at: datetime
    event: str
    detail: str = ""


class NoticeView(View):
    """What others are told when the import has ended."""

    channel: str = Field(description="callback, or events for the installation's endpoint")
    on: str = Field(description="all, or failure alone")
    status: str = Field(description="Waiting for the end, Unwanted after this end, Due, Delivered or Failed")
    address: str = Field(description="Whom; of a URL the scheme and host alone, the rest can be a secret")
    attempts: int
    next_at: datetime | None = Field(description="When it is tried again")
    error: str = Field(description="Why the last attempt failed")

    @classmethod
    def of(cls, notice: Notice) -> "NoticeView":
        """Show a notice."""
        shown = {name: getattr(notice, name) for name in cls.model_fields}
        return cls(**shown)


class ImportView(View):
    """One import."""

    id: str
    status: str = Field(description="Queued, Running, Succeeded, Failed or Canceled")
    phase: str | None = Field(description="plan, transfer or commit while it runs")
    source: str
    target: str = Field(description="The first target")
    selection: SelectionView | None = Field(description="What it selects, where it is several imports")
    parent: str | None = Field(description="The import of the selection that this one belongs to")
    children: ChildrenView | None = Field(description="How the imports of a selection stand")
    mode: str
    options: OptionsView
    asked_by: str | None = Field(description="Who asked: function-key, entra:…, hook:… or rule:…")
    digest: str | None = Field(description="What the target tags stand on when it is done")
    source_digest: str | None = Field(description="What the source stood on; another only where platforms were chosen")
    referrers: list[ReferrerView]
    progress: ProgressView
    bytes_sent: int = Field(description="Bytes sent to the target by all runs together")
    attempts: int = Field(description="Runs that worked on it")
    resumptions: int = Field(description="Runs that went on where another had ended")
    targets: list[TargetView]
    error: ImportErrorView | None
    created_at: datetime
    started_at: datetime | None
    updated_at: datetime | None
    finished_at: datetime | None
    waiting_until: datetime | None = Field(description="When a waiting import goes on")
    cancel_requested: bool
    follows: bool = Field(description="A rule made it: it ends with the targets on what the source tag stands on then")
    behind: str | None = Field(description="The import that writes a target tag now; this one sleeps until it ends")
    notices: list[NoticeView]
    history: list[HistoryView]

    @classmethod
    def of(cls, record: ImportRecord) -> "ImportView":
        """Show a record; what is only the machine's (leases, sealed credentials) stays out."""
        return cls(
            id=record.id,
            status=record.status,
            phase=record.phase,
            source=record.source,
            target=record.targets[0].reference,
            selection=SelectionView.of(record.selection) if record.selection else None,
            parent=record.parent,
            children=ChildrenView(**asdict(record.children)) if record.children else None,
            mode=record.mode,
            options=options_view(record.options),
            asked_by=record.asked_by.identity if record.asked_by else None,
            digest=record.digest,
            source_digest=record.source_digest,
            referrers=[ReferrerView(**asdict(referrer)) for referrer in record.referrers],
            progress=ProgressView(**record.progress.as_dict()),
            bytes_sent=record.bytes_sent,
            attempts=record.attempts,
            resumptions=record.resumptions,
            targets=[TargetView(**asdict(target)) for target in record.targets],
            error=_error(record.error) if record.error else None,
            created_at=record.created_at,
            started_at=record.started_at,
            updated_at=record.updated_at,
            finished_at=record.finished_at,
            waiting_until=record.waiting_until,
            cancel_requested=record.cancel_requested,
            follows=record.follows,
            behind=record.behind,
            notices=[NoticeView.of(notice) for notice in record.notices],
            history=[HistoryView(at=e.at, event=e.event, detail=e.detail) for e in record.history],
        )


class ImportListView(View):
    """One page of imports, newest first."""

    value: list[ImportView]
    continuation_token: str | None = Field(description="Pass it as ?continuationToken= for the next page")


class ProblemView(View):
    """One wrong field."""

    code: str
    message: str
    target: str


class ErrorView(View):
    """What is wrong with a request, or with this installation."""

    code: str
    message: str
    action: str = ""
    target: str | None = Field(default=None, description="The one wrong field, or the reference that it is about")
    side: str | None = Field(default=None, description="source or target, where a registry is at fault")
    step: str | None = None
    details: list[ProblemView] = []


class ErrorBody(View):
    """The body of every answer that is an error."""

    error: ErrorView


def import_json(record: ImportRecord) -> str:
    """A record as JSON."""
    return ImportView.of(record).model_dump_json(by_alias=True)


def list_json(records: list[ImportRecord], continuation_token: str | None) -> str:
    """A page of records as JSON."""
    page = ImportListView(value=[ImportView.of(r) for r in records], continuation_token=continuation_token)
    return page.model_dump_json(by_alias=True)


def error_view(error: TransloadError) -> ErrorView:
    """An error as it is shown; what is wrong with the configuration is the operator's to read, not the caller's."""
    details: list[ProblemView] = []
    if isinstance(error, InvalidRequestError):
        details = [ProblemView(code=p.code, message=p.message, target=p.target) for p in error.problems]
    message = "the app settings are wrong; see /api/health" if isinstance(error, ConfigurationError) else error.message
    return ErrorView(
        code=error.code,
        message=message,
        action=error.action,
        target=details[0].target if len(details) == 1 else error.reference,
        side=error.origin,
        step=error.step,
        details=details,
    )


def error_json(error: TransloadError) -> str:
    """An error as JSON."""
    return ErrorBody(error=error_view(error)).model_dump_json(by_alias=True, exclude_none=True)


def _error(report: ErrorReport) -> ImportErrorView:
    known: dict[str, Any] = {"side": report.origin.value if report.origin else None, "answers": list(report.answers)}
    return ImportErrorView(
        code=report.code,
        message=report.message,
        action=report.action,
        step=report.step,
        reference=report.reference,
        status=report.status,
        **known,
    )


def options_view(options: ImportOptions) -> OptionsView:
    """What a request or a rule chose."""
    return OptionsView(
        platforms=list(options.platforms),
        include_referrers=options.referrers,
        artifact_types=list(options.artifact_types),
        verify=options.verify,
        backup_tag=options.backup_tag,
        same_digest=options.same_digest,
    )
