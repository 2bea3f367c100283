"""What a registry checks in a manifest before it takes it (image spec 1.1; distribution, registry/storage handlers).

The bytes are parsed to be judged and are stored as they came.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from devtools.emulator.grammar import is_digest
from devtools.emulator.refusal import RefusalError

LARGEST_MANIFEST = 4 << 20
"""Bytes; the size that a registry should take at least, and here at most (distribution spec, "Pushing Manifests")."""

OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
OCI_INDEX = "application/vnd.oci.image.index.v1+json"
_IMAGES = {OCI_MANIFEST, "application/vnd.docker.distribution.manifest.v2+json"}
_INDEXES = {OCI_INDEX, "application/vnd.docker.distribution.manifest.list.v2+json"}
_ARTIFACTS = {"application/vnd.oci.artifact.manifest.v1+json", "application/vnd.cncf.oras.artifact.manifest.v1+json"}
_SCHEMA_VERSION = 2


@dataclass(frozen=True, slots=True)
class JudgedManifest:
    """What a registry reads out of a manifest.

    Attributes:
        media_type: Its media type.
        blobs: Digests that must be in the repository as blobs.
        children: Digests that must be in the repository as manifests.
        subject: The digest that it refers to, None when to none; it need not exist.
        artifact_type: `artifactType`, else the config's media type.
        annotations: Its annotations as JSON text; empty when it has none.
    """

    media_type: str
    blobs: tuple[str, ...]
    children: tuple[str, ...]
    subject: str | None
    artifact_type: str
    annotations: str


def judge_manifest(body: bytes, content_type: str) -> JudgedManifest:
    """Read a manifest.

    Args:
        body: The bytes that were put.
        content_type: The request's Content-Type; its parameters do not count.

    Raises:
        RefusalError: MANIFEST_INVALID, with the reason as its detail.
    """
    media_type = content_type.partition(";")[0].strip()
    try:
        document = json.loads(body)
    except ValueError as error:
        raise RefusalError("MANIFEST_INVALID", f"not JSON: {error}") from error
    if not isinstance(document, dict):
        raise RefusalError("MANIFEST_INVALID", "not a JSON object")
    if media_type not in _IMAGES | _INDEXES | _ARTIFACTS:
        raise RefusalError("MANIFEST_INVALID", f"unknown media type {media_type!r}")
    declared = document.get("mediaType", media_type)
    if declared != media_type:
        raise RefusalError("MANIFEST_INVALID", f"mediaType is {declared!r}, Content-Type {media_type!r}")
    if media_type not in _ARTIFACTS and document.get("schemaVersion") != _SCHEMA_VERSION:
        raise RefusalError("MANIFEST_INVALID", "schemaVersion is not 2")
    config = _descriptor(document["config"]) if media_type in _IMAGES and "config" in document else None
    if media_type in _IMAGES and (config is None or "manifests" in document):
        raise RefusalError("MANIFEST_INVALID", "not an image manifest")
    if media_type in _INDEXES and ("manifests" not in document or "layers" in document):
        raise RefusalError("MANIFEST_INVALID", "not an index")
    layers = [*_descriptors(document, "layers"), *_descriptors(document, "blobs")]
    held = [*([config] if config else []), *(layer for layer in layers if not layer.get("urls"))]
    subject = _descriptor(document["subject"])["digest"] if document.get("subject") else None
    annotations = document.get("annotations")
    return JudgedManifest(
        media_type=media_type,
        blobs=tuple(descriptor["digest"] for descriptor in held),
        children=tuple(descriptor["digest"] for descriptor in _descriptors(document, "manifests")),
        subject=subject,
        artifact_type=str(document.get("artifactType") or (config or {}).get("mediaType", "")),
        annotations=json.dumps(annotations) if annotations else "",
    )


def _descriptors(document: dict[str, Any], field: str) -> Iterator[dict[str, Any]]:
    entries = document.get(field) or []
    if not isinstance(entries, list):
        raise RefusalError("MANIFEST_INVALID", f"{field} is no list")
    return (_descriptor(entry) for entry in entries)


def _descriptor(value: object) -> dict[str, Any]:
    if not isinstance(value, dict) or not is_digest(str(value.get("digest"))) or not isinstance(value.get("size"), int):
        raise RefusalError("MANIFEST_INVALID", "a descriptor lacks its digest or size")
    return value
