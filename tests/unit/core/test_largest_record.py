"""The largest record that an import can have, by what callers ask for and registries answer: storage takes it.

Azure Tables, "Understanding the Table service data model": a property of at most 64 KiB, an entity of at most 1 MiB,
texts in UTF-16.
"""

from dataclasses import replace
from datetime import UTC, datetime

from devtools.clockwork import ClockworkAccount
from importcore.caller import Asker
from importcore.content import Referrer
from importcore.phases.planning import TAGS_AT_MOST
from importcore.request.model import ImportOptions, Mode
from importcore.state.record import (
    HISTORY_AT_MOST,
    REFERRERS_AT_MOST,
    ErrorReport,
    HistoryEvent,
    ImportRecord,
    Status,
    TargetResult,
    new_import_id,
    told_referrers,
)
from tests.unit.core.lease_worker import Worker

NOW = datetime(2026, 1, 2, tzinfo=UTC)
WIDE = "\U0001f600"
"""A character that is printable, and takes two units of UTF-16."""
SHA512 = "sha512:" + "f" * 128
IMAGE = "r" * 50 + ".azurecr.io/" + "a" * 190 + ":" + "t" * 128


def referrer(algorithm: str, digits: int, artifact_type: str) -> Referrer:
    """One with a tag."""
    digest = f"{algorithm}:{'f' * digits}"
    return Referrer(digest, digest, artifact_type, f"{algorithm}-{'f' * 64}.sbom")


LARGEST = ImportRecord(
    id=new_import_id(),
    source=IMAGE,
    targets=(TargetResult(IMAGE, SHA512, SHA512, IMAGE),) * (TAGS_AT_MOST + 1),
    mode=Mode.FORCE,
    status=Status.RUNNING,
    created_at=NOW,
    options=ImportOptions(artifact_types=(WIDE * 255,) * 50, platforms=("l" * 64,) * 50),
    asked_by=Asker(WIDE * 200, WIDE * 200),
    referrers=told_referrers((referrer("sha512", 128, "a" * 255),) * (REFERRERS_AT_MOST + 1)),
    error=ErrorReport("code", WIDE * 2_500, WIDE * 300, reference=IMAGE, answers=(WIDE * 360,) * 5),
    history=(HistoryEvent(NOW, "Waiting", WIDE * 300),) * HISTORY_AT_MOST,
    sealed_credentials="k." + "A" * 90_000,
)


async def test_the_largest_record_fits_into_storage() -> None:
    """Each property and the whole; what a registry answers in letters of any kind must not make it unwritable."""
    account = ClockworkAccount()
    async with Worker.on(account) as worker:
        for record in (LARGEST, replace(LARGEST, id=new_import_id(), referrers=(), error=None)):
            await worker.services.records.create(record)
            assert await worker.record(record.id) == record

    for entity in account.entities.values():
        sizes = [len(value.encode("utf-16-le")) for value in entity.values.values() if isinstance(value, str)]
        assert max(sizes) <= 64 * 1024
        assert sum(sizes) < 1000 * 1024


def test_ordinary_referrers_are_told_up_to_five_hundred() -> None:
    """As the API's description says; the bound of their characters is for names that nobody uses."""
    ordinary = referrer("sha256", 64, "application/vnd.dev.sigstore.bundle.v0.3+json")

    assert len(told_referrers((ordinary,) * 400)) == 400
    assert len(told_referrers((replace(ordinary, tag=None),) * 501)) == REFERRERS_AT_MOST
