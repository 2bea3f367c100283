"""What the triggers work with: the parts, built once for each worker process by `wiring.py`, and what concerns all."""

import asyncio
import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from importcore.access.clients import ImportClients
from importcore.audit import Audit
from importcore.doors.event_messages import EventMessages
from importcore.doors.webhooks import Webhooks
from importcore.errors import ConfigurationError, StorageUnavailableError
from importcore.importer import Importer
from importcore.intake import Intake
from importcore.notices.delivery import Notices
from importcore.policy.policies import Policies
from importcore.reception.reception import Reception
from importcore.reception.trial import Trial
from importcore.registry.registries import Registries
from importcore.rounds.rounds import Rounds
from importcore.rules.rulebook import Rulebook
from importcore.run.outbox import Outbox
from importcore.run.poison import PoisonedMessages
from importcore.settings.model import Settings
from importcore.storage.documents import TextInBlob
from importcore.storage.plans import Plans
from importcore.storage.queue import ImportQueue
from importcore.storage.records import ImportRecords
from importcore.upkeep.backlog import measure_backlog
from importcore.upkeep.orphans import Orphans
from importcore.upkeep.retention import Retention
from importcore.waiting import Waiting

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

_log = logging.getLogger("transload")


class Closable(Protocol):
    """Something with connections."""

    async def close(self) -> None:
        """Close them."""


@dataclass(frozen=True, slots=True)
class Services:
    """What the triggers need."""

    settings: Settings
    audit: Audit
    policies: Policies
    intake: Intake
    waiting: Waiting
    importer: Importer
    poison: PoisonedMessages
    outbox: Outbox
    notices: Notices
    records: ImportRecords
    queue: ImportQueue
    plans: Plans
    registries: Registries
    clients: ImportClients
    orphans: Orphans
    retention: Retention
    rulebook: Rulebook
    reception: Reception
    trial: Trial
    rounds: Rounds
    webhooks: Webhooks
    event_messages: EventMessages
    closing: tuple[Closable, ...] = ()
    documents: tuple[TextInBlob, ...] = ()

    async def health(self) -> dict[str, str]:
        """Ask each part that an import needs; `ok`, or what is wrong with it."""
        parts: dict[str, Callable[[], Awaitable[object]]] = {
            "queue": self.queue.check,
            "records": self.records.check,
            "plans": self.plans.check,
        }
        if self.policies.is_configured:
            parts["policy"] = self.policies.door
        if self.rulebook.is_configured:
            parts["rules"] = self.rulebook.rules

        async def ask(name: str) -> str:
            try:
                await parts[name]()
            except (StorageUnavailableError, ConfigurationError) as error:
                return error.message
            return "ok"

        return dict(zip(parts, await asyncio.gather(*map(ask, parts)), strict=True))

    async def keep_up(self) -> None:
        """Do what a timer does now and then: imports without a message go back, and what is old goes.

        Raises:
            StorageUnavailableError: No answer; the next timer goes on.
        """
        _log.info("%s", await measure_backlog(self.records))
        orphans = await self.orphans.put_back()
        removed = await self.retention.remove_old()
        _log.info("upkeep: %d imports put back, removed %s", orphans, removed)

    async def aclose(self) -> None:
        """Close every connection (tests and tools; a worker process just ends)."""
        await self.registries.aclose()
        await self.plans.aclose()
        for document in self.documents:
            await document.aclose()
        for client in self.closing:
            await client.close()
