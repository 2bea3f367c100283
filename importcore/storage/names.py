"""What the storage account must hold; infra makes it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class StorageNames:
    """The queues, table and container. The host derives the poison queues' names."""

    queue: str = "imports"
    table: str = "imports"
    plan_container: str = "plans"
    notice_queue: str = "notices"
    event_queue: str = "events"

    @property
    def poison_queue(self) -> str:
        """Where the host puts a message of an import that it gave up."""
        return f"{self.queue}-poison"

    @property
    def notice_poison_queue(self) -> str:
        """Where the host puts a message of a notice that it gave up."""
        return f"{self.notice_queue}-poison"

    @property
    def event_poison_queue(self) -> str:
        """Where events are kept that could not be read, or not be taken for a day; nothing takes them away."""
        return f"{self.event_queue}-poison"


STORAGE_NAMES = StorageNames()
