"""Makes in a storage account what infra makes in Azure: the queues, the table and the container."""

import contextlib

from azure.core.exceptions import ResourceExistsError
from azure.data.tables.aio import TableClient
from azure.storage.blob.aio import ContainerClient
from azure.storage.queue.aio import QueueClient

from importcore.storage.names import STORAGE_NAMES, StorageNames


async def make_storage(connection_string: str, names: StorageNames = STORAGE_NAMES) -> None:
    """Make whatever is not there yet."""
    queues = [
        name for queue in (names.queue, names.notice_queue, names.event_queue) for name in (queue, f"{queue}-poison")
    ]
    for name in queues:
        async with QueueClient.from_connection_string(connection_string, name) as queue:
            with contextlib.suppress(ResourceExistsError):
                await queue.create_queue()
    async with TableClient.from_connection_string(connection_string, names.table) as table:
        with contextlib.suppress(ResourceExistsError):
            await table.create_table()
    async with ContainerClient.from_connection_string(connection_string, names.plan_container) as container:
        with contextlib.suppress(ResourceExistsError):
            await container.create_container()
