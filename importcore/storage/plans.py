"""Plans in Blob storage: written once per import and never changed (the claim check of its messages)."""

from functools import cached_property
from typing import TYPE_CHECKING

from azure.core.exceptions import ResourceExistsError, ResourceNotFoundError

from importcore.storage.faults import storage_step

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from azure.storage.blob.aio import ContainerClient


class Plans:
    """The container `plans`. Every method raises `StorageUnavailableError` when it does not answer."""

    def __init__(self, connect: "Callable[[], ContainerClient]") -> None:
        """Take what makes the client; it is called when the first plan is needed, since its SDK is slow to import."""
        self._connect = connect

    @cached_property
    def _client(self) -> "ContainerClient":
        return self._connect()

    async def write_once(self, import_id: str, plan: bytes) -> bytes:
        """Keep a plan; answers the one that is kept, which is another's if one was there before."""
        with storage_step("keep the plan"):
            try:
                await self._client.upload_blob(_name(import_id), plan, overwrite=False)
            except ResourceExistsError:
                kept = await self.read(import_id)
                if kept is None:
                    raise
                return kept
        return plan

    async def read(self, import_id: str) -> bytes | None:
        """Read a plan; None when there is none yet."""
        return await self._read(_name(import_id))

    async def write_draft(self, import_id: str, draft: bytes) -> None:
        """Keep what a plan in the making has read, over what was kept before."""
        with storage_step("keep the draft of the plan"):
            await self._client.upload_blob(_draft_name(import_id), draft, overwrite=True)

    async def read_draft(self, import_id: str) -> bytes | None:
        """Read what an earlier run read; None when there is nothing."""
        return await self._read(_draft_name(import_id))

    async def _read(self, name: str) -> bytes | None:
        with storage_step("read the plan"):
            try:
                download = await self._client.download_blob(name)
                return await download.readall()
            except ResourceNotFoundError:
                return None

    async def delete(self, import_id: str) -> None:
        """Remove a plan and its draft; it is no error when there is none."""
        for name in (_name(import_id), _draft_name(import_id)):
            with storage_step("remove the plan"):
                try:
                    await self._client.delete_blob(name)
                except ResourceNotFoundError:
                    continue

    async def kept_for(self) -> "AsyncIterator[str]":
        """Give the ids of the imports that a plan or a draft is kept for; one with both comes twice."""
        with storage_step("list the plans"):
            async for name in self._client.list_blob_names():
                yield name.partition(".")[0]

    async def aclose(self) -> None:
        """Close the connection, if there is one."""
        if "_client" in self.__dict__:
            await self._client.close()

    async def check(self) -> None:
        """Ask for the container's properties, to know that it is there and may be used."""
        with storage_step("read the container's properties"):
            await self._client.get_container_properties()


def _name(import_id: str) -> str:
    return f"{import_id}.json"


def _draft_name(import_id: str) -> str:
    return f"{import_id}.draft.json"
