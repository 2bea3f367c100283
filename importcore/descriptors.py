"""What points at content: media types, digests and descriptors; what they point at is `content.py`'s.

Media types and fields: OCI image spec 1.1 ("descriptor"), Docker image manifest v2 schema 2, and the artifact manifests
that ACR still stores.
"""

import hashlib
from dataclasses import dataclass
from typing import Any, Protocol, Self

from importcore.errors import ContentError, UnsupportedContentError, printable
from importcore.reference import is_digest

OCI_INDEX = "application/vnd.oci.image.index.v1+json"
OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
DOCKER_LIST = "application/vnd.docker.distribution.manifest.list.v2+json"
DOCKER_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
OCI_ARTIFACT = "application/vnd.oci.artifact.manifest.v1+json"
ORAS_ARTIFACT = "application/vnd.cncf.oras.artifact.manifest.v1+json"
SCHEMA_1 = frozenset(
    {
        "application/vnd.docker.distribution.manifest.v1+prettyjws",
        "application/vnd.docker.distribution.manifest.v1+json",
    }
)
INDEX_TYPES = frozenset({OCI_INDEX, DOCKER_LIST})
IMAGE_TYPES = frozenset({OCI_MANIFEST, DOCKER_MANIFEST})
ARTIFACT_TYPES = frozenset({OCI_ARTIFACT, ORAS_ARTIFACT})
MANIFEST_TYPES = INDEX_TYPES | IMAGE_TYPES | ARTIFACT_TYPES | SCHEMA_1

# Without names for the version 2 types an old registry converts down to schema 1, which changes the digest.
# Schema 1 itself is named last, so that such an image can be recognised and reported.
ACCEPT = ", ".join(
    [
        OCI_INDEX,
        OCI_MANIFEST,
        DOCKER_LIST,
        DOCKER_MANIFEST,
        OCI_ARTIFACT,
        ORAS_ARTIFACT,
        *sorted(SCHEMA_1),
        "*/*",
    ]
)

_SIZE_AT_MOST = 2**63 - 1
"""What every other reader of manifests can hold."""
_ARTIFACT_TYPE_AT_MOST = 255
"""RFC 6838, 4.2: two names of at most 127 characters, and the slash between them."""
_DESCRIPTOR_FIELDS = frozenset({"mediaType", "digest", "size", "urls", "platform", "artifactType", "annotations"})


class Hasher(Protocol):
    """What `hashlib` gives: fed with bytes, it answers their digest."""

    def update(self, data: bytes | memoryview, /) -> None:
        """Take more bytes."""

    def hexdigest(self) -> str:
        """The digest so far, in hexadecimal."""

    def copy(self) -> "Hasher":
        """The same state again, to go on from later."""


def hasher_for(digest: str) -> Hasher:
    """Make the hasher that can verify this digest (its algorithm was checked when it was parsed)."""
    return hashlib.new(digest.partition(":")[0])


def digest_of(raw: bytes, like: str = "sha256:") -> str:
    """Compute the digest of bytes with the algorithm of another digest, sha256 by default."""
    algorithm = like.partition(":")[0]
    return f"{algorithm}:{hashlib.new(algorithm, raw).hexdigest()}"


@dataclass(frozen=True, slots=True)
class Descriptor:
    """What points at content: its type, digest and size in bytes (OCI image spec, "descriptor").

    Attributes:
        is_foreign: Whether it names other places (`urls`), and so need not be in a registry. Which, nobody asks.
    """

    media_type: str
    digest: str
    size: int
    platform: str | None = None
    is_foreign: bool = False
    artifact_type: str | None = None

    @classmethod
    def from_json(cls, value: object) -> Self:
        """Read a descriptor.

        Raises:
            ContentError: A required field is missing or malformed.
            UnsupportedContentError: The digest's algorithm cannot be verified.
        """
        if not isinstance(value, dict):
            raise ContentError("a descriptor in the manifest is not a JSON object")
        require_exact_names(value, _DESCRIPTOR_FIELDS)
        media_type, digest, size = value.get("mediaType"), value.get("digest"), value.get("size")
        if not isinstance(media_type, str) or not isinstance(digest, str):
            raise ContentError("a descriptor in the manifest lacks `mediaType` or `digest`")
        if not is_digest(digest):
            raise UnsupportedContentError(f"the digest '{printable(digest, 80)}' is neither sha256 nor sha512")
        if not isinstance(size, int) or isinstance(size, bool) or not 0 <= size <= _SIZE_AT_MOST:
            raise ContentError(f"the descriptor of {digest} has no valid `size`")
        urls = value.get("urls") or []
        if not isinstance(urls, list) or not all(isinstance(url, str) for url in urls):
            raise ContentError(f"the descriptor of {digest} has malformed `urls`")
        return cls(
            media_type,
            digest,
            size,
            platform=_platform_name(value.get("platform")),
            is_foreign=bool(urls),
            artifact_type=artifact_type_of(value.get("artifactType")),
        )


def artifact_type_of(value: object) -> str | None:
    """Take the name of a kind; a text that can be none is none, since the record and its readers would hold it."""
    fits = isinstance(value, str) and value.isascii() and value.isprintable() and len(value) <= _ARTIFACT_TYPE_AT_MOST
    return str(value) if fits and value else None


def _platform_name(value: object) -> str | None:
    if not isinstance(value, dict):
        return None
    parts = [value.get("os"), value.get("architecture"), value.get("variant")]
    return "/".join(part for part in parts if isinstance(part, str) and part)


def require_exact_names(value: dict[str, Any], names: frozenset[str]) -> None:
    """Refuse a field that is another one's name in other letters.

    Go's `encoding/json`, by which registries and clients read, folds the case of names as Unicode does: to it `Layers`,
    and `layers` with a long s at its end, are `layers`.
    """
    folded = {name.casefold(): name for name in names}
    for key in value:
        meant = folded.get(key.casefold())
        if meant is not None and meant != key:
            raise ContentError(f"the field '{printable(key, 40)}' would be `{meant}` to other readers")
