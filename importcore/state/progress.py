"""What a run reports while it works, and the meter that adds it up for the record.

The phases tell an `Observer` what they did, in frozen events; an observer can only watch. `ProgressMeter` is the
observer of every run; its numbers become `progress` in the record.
"""

from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from typing import Protocol


class Phase(StrEnum):
    """Where in its path a run is."""

    PLAN = "plan"
    TRANSFER = "transfer"
    COMMIT = "commit"
    VERIFY = "verify"


class BlobOutcome(StrEnum):
    """How a blob came to be at the target."""

    COPIED = "copied"
    SKIPPED = "skipped"
    MOUNTED = "mounted"


@dataclass(frozen=True, slots=True)
class PhaseStarted:
    """A phase begins."""

    phase: Phase


@dataclass(frozen=True, slots=True)
class Planned:
    """The plan is known: how much there is to do, over all target repositories; `fresh` when this run made it."""

    blobs: int
    size: int
    manifests: int
    fresh: bool


@dataclass(frozen=True, slots=True)
class PartlyPlanned:
    """The plan was interrupted; so many manifests more need not be asked for again."""

    manifests: int


@dataclass(frozen=True, slots=True)
class BlobStarted:
    """A blob's upload begins or goes on at `offset` bytes, which the target acknowledged earlier."""

    digest: str
    offset: int


@dataclass(frozen=True, slots=True)
class WholeBlobStarted:
    """A large blob goes in one request, because the target takes no chunks; nothing of it can be taken up again."""

    digest: str
    size: int


@dataclass(frozen=True, slots=True)
class BytesSent:
    """The body of a request took this many bytes towards the target (whether or not they will be acknowledged)."""

    count: int


@dataclass(frozen=True, slots=True)
class BytesAcknowledged:
    """The target acknowledged a blob up to `offset` bytes."""

    digest: str
    offset: int


@dataclass(frozen=True, slots=True)
class BlobDone:
    """A blob of `size` bytes stands at the target."""

    digest: str
    size: int
    outcome: BlobOutcome


@dataclass(frozen=True, slots=True)
class ManifestDone:
    """A manifest stands at the target, by digest or tag; `pushed` when this run put it there."""

    digest: str
    pushed: bool


BlobEvent = BlobStarted | WholeBlobStarted | BytesSent | BytesAcknowledged | BlobDone
Event = PhaseStarted | Planned | PartlyPlanned | ManifestDone | BlobEvent


class Observer(Protocol):
    """Watches a run."""

    def __call__(self, event: Event, /) -> None:
        """Take note of an event; must not raise and must not block."""


@dataclass(frozen=True, slots=True)
class Progress:
    """The numbers of one import, as the record shows them. Sizes in bytes; blobs and manifests over all targets."""

    bytes_total: int = 0
    bytes_done: int = 0
    blobs_total: int = 0
    blobs_copied: int = 0
    blobs_skipped: int = 0
    blobs_mounted: int = 0
    manifests_total: int = 0
    manifests_done: int = 0

    def as_dict(self) -> dict[str, int]:
        """The numbers by name."""
        return asdict(self)


class ProgressMeter:
    """Adds the events of one run up.

    A run starts from nothing, since it asks the target about everything again; so the numbers always tell the
    truth about the target as this run found it. `bytes_sent` and `advances` alone go on from what earlier runs did;
    an advance is anything that will not have to be done again.

    Attributes:
        whole: The sizes of the blobs that are on their way in one request, by digest.
    """

    def __init__(self, bytes_sent: int = 0, advances: int = 0) -> None:
        self.progress = Progress()
        self.bytes_sent = bytes_sent
        self.advances = advances
        self.phase = Phase.PLAN
        self.whole: dict[str, int] = {}
        self._partial: dict[str, int] = {}
        self._done = 0

    def __call__(self, event: Event) -> None:
        """Take an event into the sums."""
        match event:
            case PhaseStarted(phase):
                self.phase = phase
            case Planned(blobs, size, manifests, fresh):
                self.advances += fresh
                self._done = 0  # planned anew, because the source has moved
                self.progress = Progress(bytes_total=size, blobs_total=blobs, manifests_total=manifests)
            case PartlyPlanned(manifests):
                self.advances += manifests
            case ManifestDone(_, pushed):
                self.advances += pushed
                self.progress = replace(self.progress, manifests_done=self.progress.manifests_done + 1)
            case _:
                self._take_of_a_blob(event)

    def _take_of_a_blob(self, event: BlobEvent) -> None:
        match event:
            case BlobStarted(digest, offset):
                self._partial[digest] = offset
            case WholeBlobStarted(digest, size):
                self.whole[digest] = size
                self._partial.pop(digest, None)
            case BytesSent(count):
                self.bytes_sent += count
            case BytesAcknowledged(digest, offset):
                if offset > self._partial.get(digest, 0):
                    self.advances += 1
                self._partial[digest] = offset
            case BlobDone(digest, size, outcome):
                self._partial.pop(digest, None)
                self.whole.pop(digest, None)
                self._done += size
                self._count(outcome)

    def snapshot(self) -> Progress:
        """The numbers now, with the acknowledged part of blobs that are under way."""
        return replace(self.progress, bytes_done=self._done + sum(self._partial.values()))

    def _count(self, outcome: BlobOutcome) -> None:
        now = self.progress
        match outcome:
            case BlobOutcome.COPIED:
                self.advances += 1
                self.progress = replace(now, blobs_copied=now.blobs_copied + 1)
            case BlobOutcome.MOUNTED:
                self.advances += 1
                self.progress = replace(now, blobs_mounted=now.blobs_mounted + 1)
            case BlobOutcome.SKIPPED:
                self.progress = replace(now, blobs_skipped=now.blobs_skipped + 1)
