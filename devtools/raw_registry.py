"""RawRegistry: a registry spoken to with bare HTTP requests, for tests that must not rest on the product's client."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import httpx

OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
OCI_INDEX = "application/vnd.oci.image.index.v1+json"
OCI_CONFIG = "application/vnd.oci.image.config.v1+json"
OCI_LAYER = "application/vnd.oci.image.layer.v1.tar"
DOCKER_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
DOCKER_LIST = "application/vnd.docker.distribution.manifest.list.v2+json"

ACCEPT = {"Accept": f"{OCI_MANIFEST}, {OCI_INDEX}, {DOCKER_MANIFEST}, {DOCKER_LIST}"}


def digest_of(data: bytes, algorithm: str = "sha256") -> str:
    """The digest of bytes."""
    return f"{algorithm}:{hashlib.new(algorithm, data).hexdigest()}"


def descriptor(data: bytes, media_type: str, **fields: object) -> dict[str, Any]:
    """A descriptor of bytes."""
    return {"mediaType": media_type, "digest": digest_of(data), "size": len(data), **fields}


def image_manifest(
    config: bytes, layers: Sequence[bytes] = (), media_type: str = OCI_MANIFEST, **fields: object
) -> bytes:
    """An image manifest with further fields; the layers may exist or not."""
    document = {
        "schemaVersion": 2,
        "mediaType": media_type,
        "config": descriptor(config, OCI_CONFIG),
        "layers": [descriptor(layer, OCI_LAYER) for layer in layers],
        **fields,
    }
    return json.dumps(document).encode()


def index_of(manifests: Sequence[bytes], media_type: str = OCI_INDEX, child_type: str = OCI_MANIFEST) -> bytes:
    """An index (or Docker's manifest list) of manifests; they may exist or not."""
    platform = {"os": "linux", "architecture": "amd64"}
    children = [descriptor(manifest, child_type, platform=platform) for manifest in manifests]
    return json.dumps({"schemaVersion": 2, "mediaType": media_type, "manifests": children}).encode()


def codes(response: httpx.Response) -> list[str]:
    """The error codes of an answer in the spec's form."""
    return [error["code"] for error in response.json()["errors"]]


def with_digest(location: httpx.URL, digest: str) -> httpx.URL:
    """A Location with the `digest` that closes the upload; what it carries already stays."""
    return location.copy_add_param("digest", digest)


@dataclass(frozen=True, slots=True)
class RawRegistry:
    """A registry under test.

    Attributes:
        kind: What it is, as the table of known differences names it.
        http: A client with the registry's base URL, authorized for the two repositories; redirects are not followed.
        repository: Where the test works.
        neighbour: A second repository beside it.
    """

    kind: str
    http: httpx.AsyncClient
    repository: str = "contract/first"
    neighbour: str = "contract/second"

    def located(self, response: httpx.Response) -> httpx.URL:
        """The Location of an answer, relative or absolute, as a URL to use whole."""
        return response.request.url.join(response.headers["location"])

    def blob_path(self, digest: str, repository: str | None = None) -> str:
        """The path of a blob."""
        return f"/v2/{repository or self.repository}/blobs/{digest}"

    def manifest_path(self, reference: str, repository: str | None = None) -> str:
        """The path of a manifest."""
        return f"/v2/{repository or self.repository}/manifests/{reference}"

    async def start_upload(self, query: str = "", repository: str | None = None) -> httpx.Response:
        """Start an upload."""
        return await self.http.post(f"/v2/{repository or self.repository}/blobs/uploads/{query}")

    async def push_blob(self, data: bytes, repository: str | None = None) -> str:
        """Push a blob with one POST and one PUT, and return its digest."""
        started = await self.start_upload(repository=repository)
        digest = digest_of(data)
        finished = await self.http.put(with_digest(self.located(started), digest), content=data)
        finished.raise_for_status()
        return digest

    async def put_manifest(
        self, body: bytes, reference: str, media_type: str = OCI_MANIFEST, repository: str | None = None
    ) -> httpx.Response:
        """Put a manifest and return the answer, whatever it is."""
        path = self.manifest_path(reference, repository)
        return await self.http.put(path, content=body, headers={"Content-Type": media_type})

    async def push_image(self, tag: str, config: bytes = b"{}", layers: Sequence[bytes] = (b"layer",)) -> bytes:
        """Push an image with its blobs, and return its manifest's bytes."""
        for blob in (config, *layers):
            await self.push_blob(blob)
        manifest = image_manifest(config, layers)
        (await self.put_manifest(manifest, tag)).raise_for_status()
        return manifest
