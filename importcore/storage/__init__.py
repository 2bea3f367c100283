"""What must survive a process: records in a table, plans in a blob container, messages in a queue.

The only importer of `azure.storage.*` and `azure.data.*`. Every failure of the storage account becomes a
`StorageUnavailableError`, except those that mean something to an import (another owner, another writer).
"""
