"""The plan of an import: everything that there is to bring. `planning.py` makes it; the later phases work by it.

The plan is immutable: it is kept in blob storage under the import's id, so that every later run of the import works on
the same digest, whatever the tag does meanwhile, and a source that counts pulls is asked once.
"""

import base64
import json
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Self

from importcore.content import COSIGN_TAGS, Manifest, Referrer, referrers_tag
from importcore.descriptors import Descriptor
from importcore.errors import ContentError

VERSION = 1
_MALFORMED = (ValueError, KeyError, IndexError, TypeError, AttributeError, RecursionError)


@dataclass(frozen=True)
class Plan:
    """Everything that makes up an import, as digests and sizes; manifests in the order in which they can be put.

    Attributes:
        image: The image's manifests, each one after all that it refers to; the last is the root.
        attached: The manifests of its referrers, ordered likewise.
        referrers: Which of them refers to what.
        source_digest: What the source reference stood on; the root's digest, unless platforms were chosen.
    """

    image: tuple[Manifest, ...]
    attached: tuple[Manifest, ...] = ()
    referrers: tuple[Referrer, ...] = ()
    source_digest: str = ""

    @property
    def root(self) -> Manifest:
        """The manifest that the target tags will stand on."""
        return self.image[-1]

    @property
    def manifests(self) -> tuple[Manifest, ...]:
        """Every manifest, the image's first."""
        return self.image + self.attached

    @cached_property
    def blobs(self) -> tuple[Descriptor, ...]:
        """Every blob once, however often it is referred to."""
        return tuple({blob.digest: blob for m in self.manifests for blob in m.blobs}.values())

    @cached_property
    def size(self) -> int:
        """Bytes of all blobs together."""
        return sum(blob.size for blob in self.blobs)

    def encode(self) -> bytes:
        """Write the plan as JSON; manifest bytes go in base64, since not one of them may change."""
        body = {
            "v": VERSION,
            "manifests": [_row(m) for m in self.image],
            "attached": [_row(m) for m in self.attached],
            "referrers": [[r.digest, r.subject, r.artifact_type, r.tag] for r in self.referrers],
            "sourceDigest": self.source_digest,
        }
        return json.dumps(body, separators=(",", ":")).encode()

    @classmethod
    def decode(cls, raw: bytes) -> Self:
        """Read what `encode` wrote; every digest is verified again, and every tag.

        Raises:
            ContentError: It is no plan, or of a version that this code does not know.
        """
        try:
            value = json.loads(raw)
            if value["v"] != VERSION:
                raise ContentError(f"the kept plan is not of version {VERSION}", step="read the plan")
            image = tuple(_manifest(row) for row in value["manifests"])
            attached = tuple(_manifest(row) for row in value.get("attached", []))
            brought = {manifest.digest for manifest in image + attached}
            return cls(
                image,
                attached,
                tuple(_referrer(row, brought) for row in value.get("referrers", [])),
                value.get("sourceDigest") or image[-1].digest,
            )
        except _MALFORMED as error:
            message = f"the kept plan cannot be read as one of version {VERSION}"
            raise ContentError(message, step="read the plan") from error


def encode_manifests(manifests: Iterable[Manifest]) -> bytes:
    """Write manifests that a plan in the making has read."""
    return json.dumps({"v": VERSION, "manifests": [_row(m) for m in manifests]}, separators=(",", ":")).encode()


def decode_manifests(raw: bytes) -> dict[str, Manifest]:
    """Read what `encode_manifests` wrote, by digest; nothing where it is damaged or another version wrote it."""
    try:
        value = json.loads(raw)
        rows = value["manifests"] if value["v"] == VERSION else []
        return {manifest.digest: manifest for manifest in map(_manifest, rows)}
    except (*_MALFORMED, ContentError):
        return {}


def _referrer(row: list[str | None], brought: set[str]) -> Referrer:
    """Read a relation; a kept plan moves no tags but those that belong to what it brings, whoever wrote it."""
    found = Referrer(*row)  # type: ignore[arg-type]
    tags = {None, *(referrers_tag(found.subject) + suffix for suffix in COSIGN_TAGS)}
    if found.digest not in brought or found.subject not in brought or found.tag not in tags:
        raise ContentError("the kept plan would tag what is not its own", step="read the plan")
    return found


def _row(manifest: Manifest) -> list[str]:
    return [manifest.media_type, manifest.digest, base64.b64encode(manifest.raw).decode()]


def _manifest(row: list[str]) -> Manifest:
    media_type, digest, encoded = row
    return Manifest.parse(base64.b64decode(encoded), content_type=media_type, expected=digest)
