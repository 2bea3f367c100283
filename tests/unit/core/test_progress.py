"""The meter of a run: sums that never count anything twice, and what counts as an advance."""

from importcore.state.progress import (
    BlobDone,
    BlobOutcome,
    BlobStarted,
    BytesAcknowledged,
    BytesSent,
    Event,
    ManifestDone,
    Phase,
    PhaseStarted,
    Planned,
    Progress,
    ProgressMeter,
)


def metered(*events: Event, bytes_sent: int = 0, advances: int = 0) -> ProgressMeter:
    """A meter that has taken these events."""
    meter = ProgressMeter(bytes_sent, advances)
    for event in events:
        meter(event)
    return meter


def test_a_whole_run_adds_up() -> None:
    """Three blobs that came to the target in three ways, and the manifest that names them."""
    meter = metered(
        PhaseStarted(Phase.TRANSFER),
        Planned(blobs=3, size=60, manifests=1, fresh=True),
        BlobStarted("a", 0),
        BytesSent(10),
        BytesAcknowledged("a", 10),
        BlobDone("a", 10, BlobOutcome.COPIED),
        BlobDone("b", 20, BlobOutcome.MOUNTED),
        BlobDone("c", 30, BlobOutcome.SKIPPED),
        PhaseStarted(Phase.COMMIT),
        ManifestDone("m", pushed=True),
    )

    assert meter.snapshot() == Progress(
        bytes_total=60, bytes_done=60, blobs_total=3, blobs_copied=1, blobs_mounted=1, blobs_skipped=1,
        manifests_total=1, manifests_done=1,
    )  # fmt: skip
    assert (meter.phase, meter.bytes_sent) == (Phase.COMMIT, 10)


def test_a_blob_under_way_counts_as_far_as_it_is_acknowledged() -> None:
    """Not as far as it was sent."""
    meter = metered(Planned(1, 100, 1, fresh=False), BlobStarted("a", 40), BytesSent(50), BytesAcknowledged("a", 60))

    assert meter.snapshot().bytes_done == 60
    assert meter.bytes_sent == 50


def test_a_blob_that_starts_again_gives_its_bytes_back() -> None:
    """The numbers tell the truth, also when it is worse than before."""
    meter = metered(Planned(1, 100, 1, fresh=False), BytesAcknowledged("a", 60), BlobStarted("a", 0))

    assert meter.snapshot().bytes_done == 0


def test_what_need_not_be_done_again_is_an_advance() -> None:
    """A plan that was made, a chunk, a copied and a mounted blob, a pushed manifest."""
    meter = metered(
        Planned(2, 100, 1, fresh=True),
        BytesAcknowledged("a", 50),
        BlobDone("a", 60, BlobOutcome.COPIED),
        BlobDone("b", 40, BlobOutcome.MOUNTED),
        ManifestDone("m", pushed=True),
    )

    assert meter.advances == 5


def test_what_was_there_already_is_no_advance() -> None:
    """Else an import that fails at the same place every time would seem to move."""
    meter = metered(
        Planned(1, 100, 1, fresh=False),
        BlobStarted("a", 50),
        BytesAcknowledged("a", 50),
        BytesAcknowledged("a", 20),
        BytesSent(1000),
        BlobDone("b", 50, BlobOutcome.SKIPPED),
        ManifestDone("m", pushed=False),
    )

    assert meter.advances == 0
    assert meter.snapshot().manifests_done == 1


def test_a_later_run_goes_on_counting_what_was_sent() -> None:
    """Bytes sent and advances are over all runs; the rest is what this run found."""
    meter = metered(BytesSent(5), bytes_sent=100, advances=7)

    assert (meter.bytes_sent, meter.advances) == (105, 7)
    assert meter.snapshot() == Progress()


def test_the_numbers_have_the_names_that_users_see() -> None:
    """The record keeps them by name."""
    assert Progress(bytes_total=1).as_dict()["bytes_total"] == 1
    assert set(Progress().as_dict().values()) == {0}
