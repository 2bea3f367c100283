"""How long the import that waits longest has waited: measured by a timer, logged, and watched by an alert of infra.

The queue cannot say it: its metrics in Azure Monitor come once an hour and count the invisible lease messages too. The
records can: whatever has not ended either runs, and then its heartbeat is seconds old, or sleeps until a time that it
names, or waits for somebody to take its message.
"""

from dataclasses import dataclass

from importcore.state.record import now
from importcore.storage.records import ImportRecords
from importcore.upkeep.orphans import last_sign_of_life


@dataclass(frozen=True, slots=True)
class Backlog:
    """What has not ended.

    Attributes:
        imports: How many there are.
        oldest_seconds: How long the one that has been silent longest gave no sign of life; 0 where none has to.
    """

    imports: int
    oldest_seconds: float

    def __str__(self) -> str:
        """Give the words that the alert's query in infra/app/alerts.bicep reads."""
        return f"backlog: oldest {self.oldest_seconds:.0f} s, {self.imports} open"


async def measure_backlog(records: ImportRecords) -> Backlog:
    """Look at every import that has not ended.

    Raises:
        StorageUnavailableError: No answer; the next timer measures again.
    """
    moment = now()
    silences = [(moment - last_sign_of_life(stored.record)).total_seconds() async for stored in records.open_imports()]
    return Backlog(len(silences), max(0.0, *silences) if silences else 0.0)
