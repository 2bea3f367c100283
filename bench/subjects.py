"""What is copied: images of a given shape, made on the fly, so that no test data has to be kept or fetched."""

import hashlib
import json
import random
import tarfile
import zlib
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from typing import Any

import httpx
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

KIBIBYTE, MEBIBYTE, GIBIBYTE = 1024, 1024**2, 1024**3
_PIECE = MEBIBYTE
_BLOCK = 512  # of a tar archive
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
_CONFIG = "application/vnd.oci.image.config.v1+json"
_LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"


@dataclass(frozen=True, slots=True)
class Subject:
    """An image to copy.

    Attributes:
        title: For the tables.
        repository: Where it stands, at source and target.
        layers: The bytes of the one file in each layer.
    """

    title: str
    repository: str
    layers: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class PushedImage:
    """An image as the source holds it: digests of everything that a copy must have, and its size in bytes."""

    subject: Subject
    manifest: str
    blobs: tuple[str, ...]
    size: int

    @property
    def reference(self) -> str:
        """Repository and tag, without a registry."""
        return f"{self.subject.repository}:1"


def subjects(*, quick: bool) -> tuple[Subject, ...]:
    """The large image and the one of many layers; much smaller ones for `quick`."""
    large = (128 * MEBIBYTE,) * 2 if quick else (GIBIBYTE,) * 2
    sizes = random.Random(1)  # noqa: S311 (the same sizes in every run, not a secret)
    small = tuple(sizes.randrange(2 * KIBIBYTE, 100 * KIBIBYTE) for _ in range(50 if quick else 200))
    return (
        Subject(f"{sum(large) // MEBIBYTE} MiB in {len(large)} layers", "bench/large", large),
        Subject(f"{len(small)} small layers", "bench/small", small),
    )


class Layer:
    """A gzipped tar archive with one file of noise, stored rather than compressed, so that making it costs little.

    It has to be a real archive: skopeo compresses a layer that is not, and so would copy something else.
    """

    def __init__(self, number: int, size: int) -> None:
        self._number = number
        self._size = size
        self._archive, self._blob = hashlib.sha256(), hashlib.sha256()
        self.length = 0

    def pieces(self) -> Iterator[bytes]:
        """The layer's bytes; `digest`, `diff_id` and `length` are known at the end."""
        stored = zlib.compressobj(level=0, wbits=zlib.MAX_WBITS | 16)
        for piece in self._tar():
            self._archive.update(piece)
            yield self._counted(stored.compress(piece))
        yield self._counted(stored.flush())

    def _counted(self, piece: bytes) -> bytes:
        self._blob.update(piece)
        self.length += len(piece)
        return piece

    def _tar(self) -> Iterator[bytes]:
        head = tarfile.TarInfo(f"noise-{self._number}")
        head.size = self._size
        yield head.tobuf()
        # The key stream of a cipher is noise that no compression shrinks, at gigabytes a second.
        noise = Cipher(algorithms.AES(self._number.to_bytes(16)), modes.CTR(bytes(16))).encryptor()
        zeros = bytes(_PIECE)
        for begin in range(0, self._size, _PIECE):
            yield noise.update(zeros[: self._size - begin])
        yield bytes(-self._size % _BLOCK + 2 * _BLOCK)

    @property
    def digest(self) -> str:
        """The blob's digest."""
        return f"sha256:{self._blob.hexdigest()}"

    @property
    def diff_id(self) -> str:
        """The digest of the archive inside (OCI image spec, "Layer DiffID")."""
        return f"sha256:{self._archive.hexdigest()}"

    @property
    def descriptor(self) -> dict[str, Any]:
        """What a manifest says of it."""
        return {"mediaType": _LAYER, "digest": self.digest, "size": self.length}


async def push(http: httpx.AsyncClient, subject: Subject) -> PushedImage:
    """Make an image and push it to a registry, the client's base URL (spec: "Pushing blobs", "Pushing manifests").

    Raises:
        httpx.HTTPStatusError: The registry refused.
    """
    layers = [Layer(number, size) for number, size in enumerate(subject.layers, start=1)]
    for layer in layers:
        await _push_layer(http, subject.repository, layer)
    config = json.dumps(
        {
            "architecture": "amd64",
            "os": "linux",
            "config": {},
            "rootfs": {"type": "layers", "diff_ids": [layer.diff_id for layer in layers]},
        }
    ).encode()
    config_digest = f"sha256:{hashlib.sha256(config).hexdigest()}"
    started = (await http.post(f"/v2/{subject.repository}/blobs/uploads/")).raise_for_status()
    await _finish(http, started, config_digest, config)
    manifest = json.dumps(
        {
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "config": {"mediaType": _CONFIG, "digest": config_digest, "size": len(config)},
            "layers": [layer.descriptor for layer in layers],
        }
    ).encode()
    url = f"/v2/{subject.repository}/manifests/1"
    (await http.put(url, content=manifest, headers={"Content-Type": MANIFEST})).raise_for_status()
    return PushedImage(
        subject,
        f"sha256:{hashlib.sha256(manifest).hexdigest()}",
        (config_digest, *(layer.digest for layer in layers)),
        len(config) + sum(layer.length for layer in layers),
    )


async def _push_layer(http: httpx.AsyncClient, repository: str, layer: Layer) -> None:
    async def body() -> AsyncIterator[bytes]:
        for piece in layer.pieces():
            yield piece

    started = (await http.post(f"/v2/{repository}/blobs/uploads/")).raise_for_status()
    octets = {"Content-Type": "application/octet-stream"}
    sent = await http.patch(started.headers["location"], content=body(), headers=octets)
    await _finish(http, sent.raise_for_status(), layer.digest, b"")


async def _finish(http: httpx.AsyncClient, answer: httpx.Response, digest: str, body: bytes) -> None:
    url = httpx.URL(answer.headers["location"]).copy_add_param("digest", digest)
    octets = {"Content-Type": "application/octet-stream"}
    (await http.put(url, content=body, headers=octets)).raise_for_status()
