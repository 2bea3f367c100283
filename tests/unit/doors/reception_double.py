"""A reception that notes what it was handed, and answers as it was told."""

from dataclasses import dataclass, field

from importcore.caller import Caller
from importcore.hooks.push_event import PushEvent
from importcore.reception.taken import EventNotTakenError, Made, Passed, Taken
from importcore.request.callback import Callback


@dataclass
class ReceptionDouble:
    """Makes an import of every image but those whose tag is in `passes`; takes nothing that is in `hinders`."""

    passes: frozenset[str] = frozenset()
    hinders: frozenset[str] = frozenset()
    told: list[tuple[PushEvent, Caller, Callback | None]] = field(default_factory=list)

    async def take(self, event: PushEvent, *, caller: Caller, callback: Callback | None = None) -> Taken:
        """Take an event."""
        self.told.append((event, caller, callback))
        if event.tag in self.hinders:
            raise EventNotTakenError("the event was not taken: storage", retry_after=7)
        if event.tag in self.passes:
            return Taken(passed=(Passed("all", "is not wanted"),))
        return Taken((Made("all", f"import-of-{event.tag}", str(event.source), ("target.example/app:1",)),))
