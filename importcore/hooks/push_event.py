"""A push somewhere, as this installation understands it, whoever told of it."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from importcore.reference import Reference


class PushKind(StrEnum):
    """What was pushed, in the words of ACR's webhook, which rules use too."""

    IMAGE = "push"
    CHART = "chart_push"


@dataclass(frozen=True, slots=True)
class PushEvent:
    """Somebody pushed something.

    Attributes:
        registry: Where, in the normal form of `Reference`.
        repository: Its repository.
        tag: The tag that moved; None for a push by digest alone.
        digest: What the tag stood on then, where the sender says so. A hint: the import asks the source.
        at: When, where the sender says so.
        actor: Who, where the sender says so.
        delivery: The sender's own id of its message, where it has one that is the same when it sends again.
        kind: What was pushed; an image is any artifact that is no chart of Helm 2.
    """

    registry: str
    repository: str
    tag: str | None
    digest: str | None = None
    at: datetime | None = None
    actor: str | None = None
    delivery: str | None = None
    kind: PushKind = PushKind.IMAGE

    @property
    def source(self) -> Reference:
        """What to import: the tag rather than the digest, since it may have moved again; else the digest."""
        return Reference(self.registry, self.repository, self.tag, None if self.tag else self.digest)

    @property
    def identity(self) -> str | None:
        """What is the same in every delivery of this event and in no other event; None where the sender gives nothing.

        The time of the push is part of it: a tag that goes to A, to B and back to A was pushed three times.
        """
        if self.at is not None:
            return f"{self.source} {self.digest} {self.at.isoformat()}"
        return f"{self.source} {self.digest} {self.delivery}" if self.delivery else None


@dataclass(frozen=True, slots=True)
class Ignored:
    """Something that a sender told of and that is no push to act on: what, and why nothing follows."""

    what: str
    reason: str


@dataclass(frozen=True, slots=True)
class Heard:
    """What one delivery holds.

    Attributes:
        pushes: The pushes.
        ignored: The rest, with the reasons.
        validation_code: What Event Grid wants to be answered with before it sends anything.
        callback_url: Where Docker Hub wants to be told how it went.
    """

    pushes: tuple[PushEvent, ...] = ()
    ignored: tuple[Ignored, ...] = ()
    validation_code: str | None = None
    callback_url: str | None = None


def heard(*found: PushEvent | Ignored) -> Heard:
    """Sort what was found."""
    return Heard(
        tuple(each for each in found if isinstance(each, PushEvent)),
        tuple(each for each in found if isinstance(each, Ignored)),
    )
