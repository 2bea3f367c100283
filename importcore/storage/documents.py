"""A document (rules, policy) in a blob of the app's storage account; asked for again by its ETag."""

from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from azure.core import MatchConditions
from azure.core.exceptions import HttpResponseError, ResourceNotFoundError

from importcore.documents.place import BYTES_AT_MOST, DocumentPlace
from importcore.documents.watched import DocumentSource, DocumentText, TextInFile, TextInSetting, decoded
from importcore.errors import ConfigurationError
from importcore.storage.faults import storage_step

if TYPE_CHECKING:
    from collections.abc import Callable

    from azure.storage.blob.aio import ContainerClient

_NOT_MODIFIED = 304


def document_source(
    place: DocumentPlace, name: str, *, folder: Path, container: "Callable[[str], ContainerClient]"
) -> DocumentSource:
    """Make what reads a document where it lies.

    Args:
        place: Where.
        name: The app setting, for messages.
        folder: Where the app is deployed; paths are relative to it.
        container: Makes the client of a container of the app's storage account.
    """
    if place.blob is not None:
        in_container, blob = place.blob
        return TextInBlob(lambda: container(in_container), blob, name)
    if place.file is not None:
        return TextInFile(folder / place.file, name)
    return TextInSetting(place.text or "")


class TextInBlob:
    """A `DocumentSource`. The client is made at the first read, since its SDK is slow to import."""

    def __init__(self, connect: "Callable[[], ContainerClient]", blob: str, name: str) -> None:
        """Take what makes the client of the container, the blob, and the name of the app setting for messages."""
        self._connect = connect
        self._blob = blob
        self._name = name

    @cached_property
    def _client(self) -> "ContainerClient":
        return self._connect()

    async def read(self, known: str | None) -> DocumentText | None:
        """See `DocumentSource`."""
        conditions: dict[str, Any] = {"etag": known, "match_condition": MatchConditions.IfModified} if known else {}
        with storage_step(f"read the document of {self._name}"):
            try:
                download = await self._client.download_blob(
                    self._blob, offset=0, length=BYTES_AT_MOST + 1, **conditions
                )
                content = await download.readall()
            except ResourceNotFoundError:
                raise ConfigurationError(f"{self._name}: there is no blob {self._blob}") from None
            except HttpResponseError as error:
                if error.status_code == _NOT_MODIFIED:
                    return None
                raise
        return DocumentText(decoded(content, self._name), str(download.properties.etag))

    async def aclose(self) -> None:
        """Close the connection, if there is one."""
        if "_client" in self.__dict__:
            await self._client.close()
