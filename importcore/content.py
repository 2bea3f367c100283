"""What a registry holds: descriptors, manifests, and what a manifest refers to.

Manifest bytes are kept as they were received and never serialised again, because their digest is over those bytes.
Media types and fields: OCI image spec 1.1 ("manifest", "image index", "descriptor"), Docker image manifest v2
schema 2, and the artifact manifests that ACR still stores.
"""

import hashlib
from dataclasses import dataclass
from typing import Any, Protocol, Self

from importcore.errors import ContentError, DigestMismatchError, Side, UnsupportedContentError, printable
from importcore.reference import is_digest
from importcore.strict_json import decode_json

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

MANIFEST_BYTES_AT_MOST = 4 * 1024 * 1024
"""Distribution spec, "Pushing manifests": registries should take at least 4 MiB; ACR's own clients stop there."""


_SIZE_AT_MOST = 2**63 - 1
"""What every other reader of manifests can hold."""
_ARTIFACT_TYPE_AT_MOST = 255
"""RFC 6838, 4.2: two names of at most 127 characters, and the slash between them."""
_MANIFEST_FIELDS = frozenset(
    {
        "schemaVersion",
        "mediaType",
        "config",
        "layers",
        "manifests",
        "blobs",
        "subject",
        "artifactType",
        "annotations",
        "fsLayers",
    }
)
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
        _require_exact_names(value, _DESCRIPTOR_FIELDS)
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
            artifact_type=_artifact_type(value.get("artifactType")),
        )


def _artifact_type(value: object) -> str | None:
    """Take the name of a kind; a text that can be none is none, since the record and its readers would hold it."""
    fits = isinstance(value, str) and value.isascii() and value.isprintable() and len(value) <= _ARTIFACT_TYPE_AT_MOST
    return str(value) if fits and value else None


def _platform_name(value: object) -> str | None:
    if not isinstance(value, dict):
        return None
    parts = [value.get("os"), value.get("architecture"), value.get("variant")]
    return "/".join(part for part in parts if isinstance(part, str) and part)


@dataclass(frozen=True, slots=True)
class Manifest:
    """A manifest exactly as received, with what it refers to.

    Attributes:
        media_type: From the body where it says so, else from Content-Type, else from the structure.
        digest: Over `raw`.
        children: Descriptors of other manifests (an index has these).
        blobs: Descriptors of config and layers.
        subject: The digest of the manifest that this one refers to (a signature, an SBOM), if any.
        artifact_type: `artifactType`, or else the config's media type (OCI image spec, "image manifest").
    """

    media_type: str
    digest: str
    raw: bytes
    children: tuple[Descriptor, ...] = ()
    blobs: tuple[Descriptor, ...] = ()
    subject: str | None = None
    artifact_type: str | None = None

    @property
    def size(self) -> int:
        """The manifest's own size in bytes."""
        return len(self.raw)

    @classmethod
    def parse(cls, raw: bytes, *, content_type: str = "", expected: str | None = None) -> Self:
        """Read manifest bytes; `expected` is the digest they must have.

        Raises:
            DigestMismatchError: The bytes are not those that were asked for.
            UnsupportedContentError: Docker schema 1, or a kind that nobody knows.
            ContentError: It is not the JSON that its type promises.
        """
        if len(raw) > MANIFEST_BYTES_AT_MOST:
            raise UnsupportedContentError(f"the manifest is larger than {MANIFEST_BYTES_AT_MOST} bytes")
        digest = digest_of(raw, expected or "sha256:")
        if expected is not None and digest != expected:
            raise DigestMismatchError(
                f"asked for {printable(expected, 140)}, got bytes with digest {digest}", origin=Side.SOURCE
            )
        try:
            body = decode_json(raw)
        except ValueError as error:
            raise ContentError(f"{digest} is not valid JSON: {printable(str(error), 120)}") from error
        if not isinstance(body, dict):
            raise ContentError(f"{digest} is not a JSON object")
        _require_exact_names(body, _MANIFEST_FIELDS)
        media_type = _media_type(body, content_type)
        if media_type in SCHEMA_1:
            raise UnsupportedContentError(
                f"{digest} is a Docker schema 1 manifest, which registries no longer take",
                action="Pull and push the image once with a current client, which converts it, and import the result.",
            )
        try:
            return cls(media_type, digest, raw, *_parts(body, media_type), *_relation(body))
        except ContentError as error:
            error.reference = error.reference or digest
            raise


def _require_exact_names(value: dict[str, Any], names: frozenset[str]) -> None:
    """Refuse a field that is another one's name in other letters.

    Go's `encoding/json`, by which registries and clients read, folds the case of names as Unicode does: to it `Layers`,
    and `layers` with a long s at its end, are `layers`.
    """
    folded = {name.casefold(): name for name in names}
    for key in value:
        meant = folded.get(key.casefold())
        if meant is not None and meant != key:
            raise ContentError(f"the field '{printable(key, 40)}' would be `{meant}` to other readers")


def _parts(body: dict[str, Any], media_type: str) -> tuple[tuple[Descriptor, ...], tuple[Descriptor, ...]]:
    """Find the children and the blobs of a manifest."""
    # Two readers could see two images in it (CVE-2021-41190; OCI image spec 1.0.2, "image manifest").
    if ("manifests" in body or media_type in INDEX_TYPES) and ("layers" in body or "config" in body):
        raise ContentError("it is an index and an image at once, which the OCI image spec forbids")
    if "fsLayers" in body:
        raise ContentError("it is a manifest of Docker's schema 1 and of a later kind at once")
    if media_type in INDEX_TYPES:
        # Some tools (build caches) list blobs in an index; only what is a manifest can have children.
        entries = _descriptors(body, "manifests")
        children = tuple(entry for entry in entries if entry.media_type in MANIFEST_TYPES)
        return children, tuple(entry for entry in entries if entry.media_type not in MANIFEST_TYPES)
    if media_type in IMAGE_TYPES:
        return (), (Descriptor.from_json(body.get("config")), *_descriptors(body, "layers"))
    if media_type in ARTIFACT_TYPES:
        return (), _descriptors(body, "blobs")
    raise UnsupportedContentError(f"the manifest type '{printable(media_type, 80)}' is unknown")


def _relation(body: dict[str, Any]) -> tuple[str | None, str | None]:
    """Find the subject's digest and the artifact type."""
    subject, config = body.get("subject"), body.get("config")
    refers_to = Descriptor.from_json(subject).digest if subject is not None else None
    artifact_type = body.get("artifactType") or (config.get("mediaType") if isinstance(config, dict) else None)
    return refers_to, _artifact_type(artifact_type)


def _descriptors(body: dict[str, Any], field: str) -> tuple[Descriptor, ...]:
    values = body.get(field) or []  # null and absent both occur for "none"
    if not isinstance(values, list):
        raise ContentError(f"the manifest's `{field}` is not a list")
    return tuple(Descriptor.from_json(value) for value in values)


def _media_type(body: dict[str, Any], content_type: str) -> str:
    """Find the type: body, then header, then structure (OCI 1.0 manifests may leave the field out)."""
    declared = body.get("mediaType")
    if isinstance(declared, str) and declared:
        return declared
    if body.get("schemaVersion") == 1 or "fsLayers" in body:
        return "application/vnd.docker.distribution.manifest.v1+json"
    header = content_type.partition(";")[0].strip().lower()
    if header in MANIFEST_TYPES:
        return header
    if "manifests" in body:
        return OCI_INDEX
    if "config" in body and "layers" in body:
        return OCI_MANIFEST
    return header


@dataclass(frozen=True, slots=True)
class Referrer:
    """One manifest that refers to another.

    Attributes:
        digest: The referrer's own digest.
        subject: What it refers to.
        artifact_type: What it is, as far as the source says.
        tag: The tag under which cosign's older convention keeps it; None where its `subject` says it all.
    """

    digest: str
    subject: str
    artifact_type: str | None = None
    tag: str | None = None


COSIGN_TAGS = (".sig", ".att", ".sbom")
"""Behind the tag below: where cosign's older convention keeps a signature, an attestation, an SBOM."""


def referrers_tag(digest: str) -> str:
    """The tag of the fallback index: algorithm at most 32 characters, encoded part at most 64 (the spec's schema)."""
    algorithm, _, encoded = digest.partition(":")
    return f"{algorithm[:32]}-{encoded[:64]}"
