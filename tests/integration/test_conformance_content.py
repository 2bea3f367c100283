"""The content that the distribution spec's conformance tests push, through an import, byte for byte.

The names of the cases are those of the conformance tests; what `test_import_of_every_kind.py` brings is not repeated.
"""

from typing import Any

import pytest

from devtools.registry_content import RegistryContent
from devtools.sample_images import EMPTY_JSON, SampleImage, artifact, digest, image, layer
from devtools.ship import Ship
from importcore.descriptors import OCI_INDEX, OCI_MANIFEST

pytestmark = pytest.mark.asyncio(loop_scope="session")

CONFIG = b'{"os":"linux","architecture":"amd64"}'
FOREIGN = "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip"


def described(media_type: str, data: bytes, /, algorithm: str = "sha256", **more: Any) -> dict[str, Any]:  # noqa: ANN401 (JSON)
    """A descriptor of bytes."""
    return {"mediaType": media_type, "digest": digest(data, algorithm), "size": len(data), **more}


def manifest(layers: list[dict[str, Any]], blobs: dict[str, bytes], **more: Any) -> SampleImage:  # noqa: ANN401 (JSON)
    """An image manifest with these layers."""
    config = described("application/vnd.oci.image.config.v1+json", CONFIG)
    body = {"schemaVersion": 2, "mediaType": OCI_MANIFEST, "config": config, "layers": layers, **more}
    made = SampleImage.of(OCI_MANIFEST, body, [CONFIG], [])
    return SampleImage(made.root, made.manifests, {**made.blobs, **blobs})


def sha512() -> SampleImage:
    """A layer named by its sha512 digest."""
    data = layer(5_000, 1)
    layers = [described("application/vnd.oci.image.layer.v1.tar", data, "sha512")]
    return manifest(layers, {digest(data, "sha512"): data})


def large_sha512() -> SampleImage:
    """A layer of several chunks named by its sha512 digest."""
    data = layer(9_000_000, 2)
    layers = [described("application/vnd.oci.image.layer.v1.tar", data, "sha512")]
    return manifest(layers, {digest(data, "sha512"): data})


def data_field() -> SampleImage:
    """A layer whose bytes also stand in its descriptor."""
    return manifest(
        [described("application/vnd.oci.empty.v1+json", EMPTY_JSON, data="e30=")], {digest(EMPTY_JSON): EMPTY_JSON}
    )


def custom_fields() -> SampleImage:
    """Fields that no spec knows, in the manifest and in a descriptor."""
    data = layer(300, 3)
    layers = [{**described("application/vnd.oci.image.layer.v1.tar", data), "org.example.field": [1, None, "ü"]}]
    return manifest(layers, {digest(data): data}, **{"org.example.custom": {"nested": True}}, annotations={"k": "v"})


def non_distributable() -> SampleImage:
    """A foreign layer that the registry holds all the same."""
    data = layer(400, 4)
    return manifest([described(FOREIGN, data, urls=["https://elsewhere.example/layer"])], {digest(data): data})


def missing_subject() -> SampleImage:
    """A referrer of something that is nowhere."""
    return artifact(b"orphan", subject=image([b"never pushed"]))


CASES = [sha512, large_sha512, data_field, custom_fields, non_distributable, missing_subject]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.__name__)
async def test_the_content_goes_through_unchanged(storage: str, case: Any) -> None:  # noqa: ANN401 (a function of this module)
    """What the target serves is what was pushed to the source, digest by digest."""
    content: SampleImage = case()
    async with Ship.sails(storage) as ship:
        await ship.push(content)
        record = await ship.import_app(verify=True)
        assert (record["status"], record["error"]) == ("Succeeded", None)
        async with RegistryContent.at(f"http://{ship.target}", "app") as repository:
            found = await repository.read("1")
        assert found.root == content.root
        assert found.manifests == {name: raw for name, (_, raw) in content.manifests.items()}
        assert found.blobs == {name: len(data) for name, data in content.blobs.items()}


async def test_a_foreign_layer_that_the_source_does_not_hold_stays_where_it_is(storage: str) -> None:
    """The manifest is imported; the layer is left at the URL that its descriptor names."""
    data = layer(400, 5)
    content = manifest([described(FOREIGN, data, urls=["https://elsewhere.example/layer"])], {})
    async with Ship.sails(storage) as ship:
        await ship.push(content)
        record = await ship.import_app()
        assert (record["status"], record["progress"]["blobsSkipped"]) == ("Succeeded", 1)
        assert ship.tags() == {"1": content.root}


async def test_an_index_that_points_at_nothing_is_refused_by_name(storage: str) -> None:
    """A sparse index cannot be imported whole: the error names the child that the source does not have."""
    child = image([layer(100, 6)])
    media_type = "application/vnd.oci.image.index.v1+json"
    sparse = SampleImage.of(
        media_type, {"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": [child.descriptor()]}, [], [child]
    )
    async with Ship.sails(storage) as ship:
        await ship.push(sparse)
        ship.source_emulator.catalog.remove_manifest("app", child.root)
        record = await ship.import_app()
        assert (record["status"], record["error"]["code"], record["error"]["side"]) == ("Failed", "not_found", "source")
        assert child.root in record["error"]["reference"]
        assert ship.target_emulator.state()["repositories"] == {}
