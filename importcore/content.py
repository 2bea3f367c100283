"""What a registry holds: manifests, and what a manifest refers to.

Manifest bytes are kept as they were received and never serialised again, because their digest is over those bytes.
Fields: OCI image spec 1.1 ("manifest", "image index"); media types and descriptors are `descriptors.py`'s.
"""

from dataclasses import dataclass
from typing import Any, Self

from importcore.descriptors import (
    ARTIFACT_TYPES,
    IMAGE_TYPES,
    INDEX_TYPES,
    MANIFEST_TYPES,
    OCI_INDEX,
    OCI_MANIFEST,
    SCHEMA_1,
    Descriptor,
    artifact_type_of,
    digest_of,
    require_exact_names,
)
from importcore.errors import ContentError, DigestMismatchError, Side, UnsupportedContentError, printable
from importcore.strict_json import decode_json

MANIFEST_BYTES_AT_MOST = 4 * 1024 * 1024
"""Distribution spec, "Pushing manifests": registries should take at least 4 MiB; ACR's own clients stop there."""


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
        require_exact_names(body, _MANIFEST_FIELDS)
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
    return refers_to, artifact_type_of(artifact_type)


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
