"""The storage account: infra makes what the code uses, by the same names."""

from dataclasses import fields

import function_app
from importcore.storage.names import STORAGE_NAMES, StorageNames
from tests.unit.infra.bicep_text import items, text

_FILE = "app/storage.bicep"


def _names(ending: str) -> set[str]:
    """Give the names of one kind from StorageNames: of its fields and properties called …queue, …table, …container."""
    attributes = [name for name in (*(f.name for f in fields(StorageNames)), *vars(StorageNames)) if name[:1] != "_"]
    return {str(getattr(STORAGE_NAMES, name)) for name in attributes if name.endswith(ending)}


def test_infra_makes_every_queue() -> None:
    """Add a new queue, and its poison queue, to `queues` in infra/app/storage.bicep."""
    assert items(_FILE, "queues") == _names("queue")


def test_infra_makes_every_table() -> None:
    """Add a new table to `tables` in infra/app/storage.bicep."""
    assert items(_FILE, "tables") == _names("table")


def test_infra_makes_every_container() -> None:
    """Add a new container to `containers` in infra/app/storage.bicep."""
    assert items(_FILE, "containers") == _names("container")


def test_every_name_has_a_kind() -> None:
    """A name that is called neither queue, table nor container would escape the tests above."""
    known = _names("queue") | _names("table") | _names("container")
    assert {getattr(STORAGE_NAMES, field.name) for field in fields(StorageNames)} <= known


def test_every_queue_trigger_listens_where_infra_made_a_queue() -> None:
    """A trigger on a queue that is not there keeps the whole host from starting."""
    builders = [value for value in vars(function_app).values() if hasattr(value, "_function")]
    triggers = [builder._function.get_trigger() for builder in builders]
    queues = {trigger.queue_name for trigger in triggers if trigger.type == "queueTrigger"}
    assert queues
    assert queues <= items(_FILE, "queues")


def test_keys_of_the_account_are_off() -> None:
    """Only identities reach the account, and nobody reads a blob without one."""
    source = text(_FILE)
    assert "allowSharedKeyAccess: false" in source
    assert "allowBlobPublicAccess: false" in source
