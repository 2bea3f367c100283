"""What the storage account must hold; infra makes it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class StorageNames:
    """The queue, table and container. The host derives the poison queue's name."""

    queue: str = "imports"
    table: str = "imports"
    plan_container: str = "plans"

    @property
    def poison_queue(self) -> str:
        """Where the host puts a message that it gave up."""
        return f"{self.queue}-poison"


STORAGE_NAMES = StorageNames()
