"""The clients of the app's storage account, by connection string or by identity, with short waits."""

from typing import Any

from azure.core.credentials_async import AsyncTokenCredential
from azure.data.tables.aio import TableServiceClient
from azure.storage.queue.aio import QueueServiceClient

from importcore.errors import ConfigurationError
from importcore.settings.values import StorageAccount

TIMEOUTS: dict[str, Any] = {"connection_timeout": 5, "read_timeout": 10}
RETRY: dict[str, Any] = {"initial_backoff": 1, "increment_base": 2, "retry_total": 2, **TIMEOUTS}
"""Short waits: a heartbeat that waits 15 seconds for its first retry (the SDK's default) would lose its lease."""


def storage_clients(
    account: StorageAccount, identity: AsyncTokenCredential, options: dict[str, Any]
) -> tuple[QueueServiceClient, TableServiceClient]:
    """Make the clients of queues and tables.

    Raises:
        ConfigurationError: The connection string is none.
    """
    if account.connection_string:
        try:
            return (
                QueueServiceClient.from_connection_string(account.connection_string, **RETRY, **options),
                TableServiceClient.from_connection_string(
                    account.connection_string, retry_total=2, **TIMEOUTS, **options
                ),
            )
        except ValueError:  # its words may hold the key
            raise ConfigurationError("AzureWebJobsStorage: is not a storage connection string") from None
    return (
        QueueServiceClient(account.queue_endpoint or "", identity, **RETRY, **options),
        TableServiceClient(account.table_endpoint or "", credential=identity, retry_total=2, **TIMEOUTS, **options),
    )
