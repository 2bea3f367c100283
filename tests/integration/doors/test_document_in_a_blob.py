"""A document that lies in a blob of the app's storage account, read from a real Azurite."""

from pathlib import Path

import pytest
from azure.storage.blob.aio import ContainerClient

from importcore.documents.place import DocumentPlace
from importcore.errors import ConfigurationError, StorageUnavailableError
from importcore.storage.documents import TextInBlob, document_source

NAME = "TRANSLOAD_RULES"


async def test_a_document_in_a_blob_is_read_and_read_again_when_it_changed(storage: str) -> None:
    """Its ETag tells; a blob that is not there is the operator's mistake, no storage that is away."""
    async with ContainerClient.from_connection_string(storage, "documents") as container:
        await container.create_container()
        source = document_source(
            DocumentPlace(blob=("documents", "team/rules.yaml")),
            NAME,
            folder=Path(),
            container=lambda name: ContainerClient.from_connection_string(storage, name),
        )
        with pytest.raises(ConfigurationError, match=r"TRANSLOAD_RULES: there is no blob team/rules\.yaml"):
            await source.read(None)

        await container.upload_blob("team/rules.yaml", b"rules: []")
        first = await source.read(None)
        assert first is not None
        assert (first.text, await source.read(first.version)) == ("rules: []", None)

        await container.upload_blob("team/rules.yaml", b"rules: [1]", overwrite=True)
        second = await source.read(first.version)
        assert second is not None
        assert second.text == "rules: [1]"
        assert isinstance(source, TextInBlob)
        await source.aclose()


async def test_storage_that_does_not_answer_is_not_a_missing_document() -> None:
    """Nobody knows then what the document says."""
    nowhere = "DefaultEndpointsProtocol=http;AccountName=a;AccountKey=MDAwMA==;BlobEndpoint=http://127.0.0.1:1/a"
    source = TextInBlob(
        lambda: ContainerClient.from_connection_string(nowhere, "documents", retry_total=0), "rules.yaml", NAME
    )

    with pytest.raises(StorageUnavailableError, match="read the document of TRANSLOAD_RULES"):
        await source.read(None)
    await source.aclose()
