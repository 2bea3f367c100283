"""For tests: a claim and nothing behind it, as of a worker that dies at once."""

from importcore.run.claim import Claims
from importcore.run.running import RunningImport
from importcore.sealing import Sealer
from importcore.services import Services
from importcore.state.message import ImportMessage


async def claimed(services: Services, body: bytes, message_id: str) -> RunningImport | None:
    """Claim the import that a message is about; None where the message is stale."""
    sealer = Sealer(services.settings.sealing_keys)
    lease_seconds = services.settings.lease_seconds
    claims = Claims(
        services.records, services.queue, sealer, services.outbox, lease_seconds=lease_seconds, worker="short/1"
    )
    return await claims.claim(ImportMessage.decode(body, sealer), message_id)
