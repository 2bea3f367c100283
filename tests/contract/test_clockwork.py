"""The storage account whose clock is turned by hand answers as Azurite does: the same cases on both.

Only what claims and heartbeats stand on: who holds a message, until when, and who may write over an entity.
"""

import asyncio
import base64
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any

import pytest
import pytest_asyncio
from azure.core import MatchConditions
from azure.core.exceptions import HttpResponseError, ResourceExistsError, ResourceModifiedError, ResourceNotFoundError
from azure.data.tables import UpdateMode
from azure.data.tables.aio import TableClient
from azure.storage.queue.aio import QueueClient

from devtools.azurite import running_azurite
from devtools.clockwork import CONNECTION_STRING, ClockworkAccount, ClockworkTransport
from devtools.storage_setup import make_storage
from importcore.storage.faults import error_code
from importcore.storage.names import STORAGE_NAMES

pytestmark = pytest.mark.asyncio(loop_scope="module")


@dataclass(frozen=True, slots=True)
class Account:
    """A storage account, and how seconds pass in it."""

    queue: QueueClient
    table: TableClient
    pass_seconds: Callable[[float], Awaitable[object]]


@pytest_asyncio.fixture(scope="module", loop_scope="module", params=["clockwork", "azurite"])
async def account(request: pytest.FixtureRequest) -> AsyncIterator[Account]:
    """One account of each kind, empty."""
    options: dict[str, Any] = {"retry_total": 0}
    pass_seconds: Callable[[float], Awaitable[object]]
    async with AsyncExitStack() as stack:
        if request.param == "clockwork":
            memory = ClockworkAccount()

            async def turn(seconds: float) -> None:
                memory.now += seconds

            address, pass_seconds = CONNECTION_STRING, turn
            options["transport"] = ClockworkTransport(memory)
        else:
            azurite = await stack.enter_async_context(running_azurite())
            await make_storage(azurite.connection_string)
            address, pass_seconds = azurite.connection_string, asyncio.sleep
        queue = QueueClient.from_connection_string(address, STORAGE_NAMES.queue, **options)
        table = TableClient.from_connection_string(address, STORAGE_NAMES.table, **options)
        yield Account(await stack.enter_async_context(queue), await stack.enter_async_context(table), pass_seconds)


async def refusal(work: Awaitable[object]) -> tuple[int | None, str]:
    """The status and the service's code of a request that is refused."""
    with pytest.raises(HttpResponseError) as refused:
        await work
    return refused.value.status_code, error_code(refused.value)


async def test_a_message_is_held_until_its_time_is_over(account: Account) -> None:
    """Then another receives it, with the text of the last update."""
    put = await account.queue.send_message("one", visibility_timeout=0)
    taken = await account.queue.receive_message(visibility_timeout=2)
    assert taken is not None
    assert (taken.id, taken.content, taken.dequeue_count) == (put.id, "one", 1)
    assert await account.queue.receive_message() is None

    updated = await account.queue.update_message(taken.id, taken.pop_receipt, content="two", visibility_timeout=1)
    assert updated.pop_receipt != taken.pop_receipt
    assert await account.queue.receive_message() is None
    await account.pass_seconds(1.5)

    again = await account.queue.receive_message(visibility_timeout=30)
    assert again is not None
    assert (again.id, again.content, again.dequeue_count) == (put.id, "two", 2)
    await account.queue.delete_message(again.id, again.pop_receipt)


async def test_an_old_receipt_opens_nothing(account: Account) -> None:
    """Neither an update nor a delete, whoever changed the receipt: this is the fence."""
    put = await account.queue.send_message("x", visibility_timeout=30)
    renewed = await account.queue.update_message(put.id, put.pop_receipt, content="y", visibility_timeout=30)

    late = account.queue.update_message(put.id, put.pop_receipt, content="z", visibility_timeout=0)
    assert await refusal(late) == (400, "PopReceiptMismatch")
    assert await refusal(account.queue.delete_message(put.id, put.pop_receipt)) == (400, "PopReceiptMismatch")
    assert await account.queue.receive_message() is None
    await account.queue.delete_message(put.id, renewed.pop_receipt)


async def test_a_message_that_is_gone_is_told_apart(account: Account) -> None:
    """Nothing can be done to it any more."""
    put = await account.queue.send_message("x", visibility_timeout=30)
    await account.queue.delete_message(put.id, put.pop_receipt)

    assert await refusal(account.queue.delete_message(put.id, put.pop_receipt)) == (404, "MessageNotFound")
    late = account.queue.update_message(put.id, put.pop_receipt, content="z", visibility_timeout=0)
    assert await refusal(late) == (404, "MessageNotFound")


async def test_the_clients_texts_are_carried_as_they_are(account: Account) -> None:
    """What base64 holds, and the characters that XML has its own way with."""
    for text in (base64.b64encode(bytes(range(256))).decode(), "<a&b> 'é'"):
        await account.queue.send_message(text)
        taken = await account.queue.receive_message()
        assert taken is not None
        assert taken.content == text
        await account.queue.delete_message(taken.id, taken.pop_receipt)


async def test_an_entity_is_written_over_in_the_state_that_was_read(account: Account) -> None:
    """Of two writers that read the same state one is refused; a second insert is, too."""
    key = {"PartitionKey": "p", "RowKey": "r"}
    made = await account.table.create_entity({**key, "Text": "one"})
    with pytest.raises(ResourceExistsError):
        await account.table.create_entity({**key, "Text": "other"})
    read = await account.table.get_entity("p", "r")
    assert (read["Text"], read.metadata["etag"]) == ("one", made["etag"])

    async def write(text: str, etag: str) -> str:
        answer = await account.table.update_entity(
            {**key, "Text": text}, UpdateMode.REPLACE, etag=etag, match_condition=MatchConditions.IfNotModified
        )
        return str(answer["etag"])

    second = await write("two", made["etag"])
    assert second != made["etag"]
    with pytest.raises(ResourceModifiedError):
        await write("three", made["etag"])
    assert (await account.table.get_entity("p", "r"))["Text"] == "two"
    await write("three", second)


async def test_an_entity_that_is_not_there(account: Account) -> None:
    """Is no empty one."""
    with pytest.raises(ResourceNotFoundError):
        await account.table.get_entity("p", "none")
