"""What became of an event: which imports were made of it, and why nothing else was; or that it was not taken."""

from dataclasses import dataclass

from importcore.errors import TransloadError


@dataclass(frozen=True, slots=True)
class Made:
    """An import that an event led to; the same one for the same event, however often it comes.

    Attributes:
        rule: The name of the rule.
        import_id: The import. One that has not begun yet stands for every event that came before it begins.
        source: What it brings.
        targets: Where to.
    """

    rule: str
    import_id: str
    source: str
    targets: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Passed:
    """Something that did not follow from an event, and why not; `rule` is None where there are no rules."""

    rule: str | None
    reason: str


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of one event. It need not be told again."""

    imports: tuple[Made, ...] = ()
    passed: tuple[Passed, ...] = ()


class EventNotTakenError(TransloadError):
    """Not everything that follows from an event was made; the sender must deliver it again, after `retry_after` s.

    What was made already is found again by the event's identity.
    """

    code = "event_not_taken"
    retryable = True
    default_action = "Deliver the event again; what was made of it already is not made twice."
