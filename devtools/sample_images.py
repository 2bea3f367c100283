"""Sample images of every kind that an import can meet, made from a seed, byte for byte the same each time.

An image here is a set of manifests and blobs and the digest of its root; `registry_content.py` pushes and compares
them. Names of the kinds follow the OCI image spec and the distribution spec's conformance tests.
"""

import hashlib
import json
import random
from dataclasses import dataclass, field
from typing import Any, Self

from importcore.descriptors import DOCKER_LIST, DOCKER_MANIFEST, OCI_INDEX, OCI_MANIFEST

EMPTY_JSON = b"{}"
_LAYER = "application/vnd.oci.image.layer.v1.tar"
_CONFIG = "application/vnd.oci.image.config.v1+json"
_EMPTY = "application/vnd.oci.empty.v1+json"


def digest(data: bytes, algorithm: str = "sha256") -> str:
    """The digest of bytes."""
    return f"{algorithm}:{hashlib.new(algorithm, data).hexdigest()}"


def layer(size: int, seed: int = 0) -> bytes:
    """Bytes that do not compress, the same for the same seed."""
    return random.Random(seed).randbytes(size)  # noqa: S311 (sample content)


@dataclass(frozen=True, slots=True)
class SampleImage:
    """An image: `manifests` by digest as (media type, bytes), children first; `blobs` by digest."""

    root: str
    manifests: dict[str, tuple[str, bytes]] = field(default_factory=dict)
    blobs: dict[str, bytes] = field(default_factory=dict)

    @property
    def size(self) -> int:
        """Bytes of all blobs."""
        return sum(map(len, self.blobs.values()))

    @classmethod
    def of(cls, media_type: str, body: dict[str, Any], blobs: list[bytes], children: "list[SampleImage]") -> Self:
        """Make an image whose root is a manifest with this body."""
        raw = json.dumps(body, separators=(",", ":")).encode()
        manifests: dict[str, tuple[str, bytes]] = {}
        held: dict[str, bytes] = {}
        for child in children:
            manifests |= child.manifests
            held |= child.blobs
        held |= {digest(blob): blob for blob in blobs}
        root = digest(raw)
        return cls(root, {**manifests, root: (media_type, raw)}, held)

    def descriptor(self, **more: Any) -> dict[str, Any]:  # noqa: ANN401 (fields of a JSON object)
        """The descriptor of the root."""
        media_type, raw = self.manifests[self.root]
        return {"mediaType": media_type, "digest": self.root, "size": len(raw), **more}


def _blob(media_type: str, data: bytes, /, **more: Any) -> dict[str, Any]:  # noqa: ANN401 (fields of a JSON object)
    return {"mediaType": media_type, "digest": digest(data), "size": len(data), **more}


def image(layers: list[bytes], platform: str = "linux/amd64", *, docker: bool = False) -> SampleImage:
    """One platform's image, in OCI's form or in Docker's schema 2."""
    os, _, architecture = platform.partition("/")
    config = json.dumps({"os": os, "architecture": architecture, "rootfs": {"type": "layers", "diff_ids": []}}).encode()
    layer_type = "application/vnd.docker.image.rootfs.diff.tar.gzip" if docker else _LAYER
    config_type = "application/vnd.docker.container.image.v1+json" if docker else _CONFIG
    media_type = DOCKER_MANIFEST if docker else OCI_MANIFEST
    body = {
        "schemaVersion": 2,
        "mediaType": media_type,
        "config": _blob(config_type, config),
        "layers": [_blob(layer_type, data) for data in layers],
    }
    return SampleImage.of(media_type, body, [config, *layers], [])


def image_of_large_layer(name: str, size: int) -> SampleImage:
    """An image whose one layer is known by its digest and size alone; it is pushed by other means."""
    config = b'{"os":"linux","architecture":"amd64"}'
    body = {
        "schemaVersion": 2,
        "mediaType": OCI_MANIFEST,
        "config": _blob(_CONFIG, config),
        "layers": [{"mediaType": _LAYER, "digest": name, "size": size}],
    }
    return SampleImage.of(OCI_MANIFEST, body, [config], [])


def index(children: dict[str, SampleImage], *, docker: bool = False) -> SampleImage:
    """An index (or Docker manifest list) of images by platform name."""
    media_type = DOCKER_LIST if docker else OCI_INDEX
    entries = []
    for platform, child in children.items():
        os, _, architecture = platform.partition("/")
        entries.append(child.descriptor(platform={"os": os, "architecture": architecture}))
    body = {"schemaVersion": 2, "mediaType": media_type, "manifests": entries}
    return SampleImage.of(media_type, body, [], list(children.values()))


def multi_platform(sizes: list[int], platforms: list[str], seed: int = 0, *, docker: bool = False) -> SampleImage:
    """An index with one image for each platform; every image has layers of these sizes, all different."""
    children = {
        platform: image([layer(size, seed + 1000 * p + i) for i, size in enumerate(sizes)], platform, docker=docker)
        for p, platform in enumerate(platforms)
    }
    return index(children, docker=docker)


def artifact(
    payload: bytes, *, artifact_type: str = "application/vnd.example.sbom", subject: SampleImage | None = None
) -> SampleImage:
    """An artifact with an empty config, such as an SBOM or a signature; `subject` makes it a referrer."""
    body = {
        "schemaVersion": 2,
        "mediaType": OCI_MANIFEST,
        "artifactType": artifact_type,
        "config": _blob(_EMPTY, EMPTY_JSON, data="e30="),
        "layers": [_blob("application/octet-stream", payload)],
        **({"subject": subject.descriptor()} if subject else {}),
        "annotations": {"org.example.kind": "sample"},
    }
    return SampleImage.of(OCI_MANIFEST, body, [EMPTY_JSON, payload], [])


def helm_chart(seed: int = 0) -> SampleImage:
    """A Helm chart as Helm 3 pushes it."""
    config = json.dumps({"name": "sample", "version": "0.1.0", "apiVersion": "v2"}).encode()
    chart = layer(2_000, seed)
    body = {
        "schemaVersion": 2,
        "config": _blob("application/vnd.cncf.helm.config.v1+json", config),
        "layers": [_blob("application/vnd.cncf.helm.chart.content.v1.tar+gzip", chart)],
    }
    return SampleImage.of(OCI_MANIFEST, body, [config, chart], [])


def every_kind(seed: int = 0) -> dict[str, SampleImage]:
    """One small image of each kind, by a name that can be a tag."""
    small = image([layer(3_000, seed), layer(500, seed + 1)])
    twice = layer(700, seed + 2)
    bare = {"schemaVersion": 2, "mediaType": OCI_MANIFEST, "config": _blob(_EMPTY, EMPTY_JSON), "layers": []}
    untyped = {"schemaVersion": 2, "config": _blob(_CONFIG, b'{"os":"linux"}'), "layers": []}
    unknown = {
        "schemaVersion": 2,
        "mediaType": OCI_MANIFEST,
        "config": _blob("application/vnd.unknown.config+json", b"[]"),
        "layers": [_blob("application/vnd.unknown.layer", layer(90, seed + 3), annotations={"a": "ü"})],
        "org.example.custom": {"kept": True},
    }
    return {
        "single": small,
        "docker-schema2": image([layer(900, seed + 4)], docker=True),
        "index": multi_platform([1_500, 800], ["linux/amd64", "linux/arm64"], seed + 5),
        "docker-list": multi_platform([600], ["linux/amd64", "linux/s390x"], seed + 6, docker=True),
        "nested-index": index({"linux/amd64": multi_platform([400], ["linux/amd64", "linux/arm64"], seed + 7)}),
        "artifact": artifact(layer(300, seed + 8)),
        "helm-chart": helm_chart(seed + 9),
        "no-layers": SampleImage.of(OCI_MANIFEST, bare, [EMPTY_JSON], []),
        "untyped": SampleImage.of(OCI_MANIFEST, untyped, [b'{"os":"linux"}'], []),
        "unknown-types": SampleImage.of(OCI_MANIFEST, unknown, [b"[]", layer(90, seed + 3)], []),
        "empty-blob": image([b"", layer(100, seed + 10)]),
        "same-blob-twice": image([twice, twice]),
    }
