"""Phase 1 of an import: what there is to bring. Resolves the tag to a digest once and walks the manifests.

The plan is immutable: it is kept in blob storage under the import's id, so that every later run of the import works on
the same digest, whatever the tag does meanwhile, and a source that counts pulls is asked once.
"""

import asyncio
import base64
import json
from dataclasses import dataclass
from functools import cached_property
from typing import Self

from importcore.content import Descriptor, Manifest, Referrer
from importcore.errors import ContentError, Side, SizeMismatchError, TargetTagExistsError, UnsupportedContentError
from importcore.parallel import together
from importcore.platforms import select_platforms
from importcore.reference import Reference
from importcore.referrers import ReferrerSearch
from importcore.registry.client import RegistryClient
from importcore.request import ImportOptions, Mode

VERSION = 1
MANIFESTS_AT_MOST = 20_000
MANIFEST_BYTES_IN_ALL_AT_MOST = 64 * 1024 * 1024
_DEPTH_AT_MOST = 8
_FETCHED_AT_ONCE = 8


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
        """Read what `encode` wrote; every digest is verified again.

        Raises:
            ContentError: It is no plan, or of a version that this code does not know.
        """
        value = json.loads(raw)
        if not isinstance(value, dict) or value.get("v") != VERSION:
            raise ContentError(f"the kept plan is not of version {VERSION}", step="read the plan")
        image = tuple(_manifest(row) for row in value["manifests"])
        return cls(
            image,
            tuple(_manifest(row) for row in value.get("attached", [])),
            tuple(Referrer(*row) for row in value.get("referrers", [])),
            value.get("sourceDigest") or image[-1].digest,
        )


def _row(manifest: Manifest) -> list[str]:
    return [manifest.media_type, manifest.digest, base64.b64encode(manifest.raw).decode()]


def _manifest(row: list[str]) -> Manifest:
    media_type, digest, encoded = row
    return Manifest.parse(base64.b64decode(encoded), content_type=media_type, expected=digest)


async def make_plan(source: RegistryClient, reference: Reference, options: ImportOptions = ImportOptions()) -> Plan:  # noqa: B008 (frozen)
    """Walk the source from a reference down, and find what refers to it.

    Raises:
        RegistryError: The source refused or does not have a manifest.
        ContentError: A manifest is not what its descriptor says, or a wanted platform is not there.
    """
    walk = _Walk(source, reference.repository)
    named = await source.get_manifest(reference.repository, reference.manifest_reference)
    root = select_platforms(named, options.platforms)
    await walk.below((root,))
    image = _children_first((root,), walk.found)
    if not options.referrers:
        return Plan(image, source_digest=named.digest)
    search = ReferrerSearch(source, reference.repository, options.artifact_types)
    referrers, manifests = await search.of(image)
    beside = _Walk(source, reference.repository)
    await beside.below(manifests)
    known = {manifest.digest for manifest in image}
    attached = tuple(m for m in _children_first(manifests, beside.found) if m.digest not in known)
    return Plan(image, attached, referrers, named.digest)


class _Walk:
    """Fetches every manifest below a root once, level by level."""

    def __init__(self, source: RegistryClient, repository: str) -> None:
        self._source = source
        self._repository = repository
        self._at_once = asyncio.Semaphore(_FETCHED_AT_ONCE)
        self._bytes = 0
        self.found: dict[str, Manifest] = {}

    async def below(self, roots: tuple[Manifest, ...]) -> None:
        level = {manifest.digest: manifest for manifest in roots}
        for _ in range(_DEPTH_AT_MOST):
            self._keep(level)
            wanted = {
                child.digest: child for m in level.values() for child in m.children if child.digest not in self.found
            }
            if not wanted:
                return
            async with together() as group:
                tasks = [group.create_task(self._fetch(child)) for child in wanted.values()]
            level = {manifest.digest: manifest for manifest in (task.result() for task in tasks)}
        raise UnsupportedContentError(
            f"indexes are nested deeper than {_DEPTH_AT_MOST} levels", origin=Side.SOURCE, step="get manifest"
        )

    async def _fetch(self, child: Descriptor) -> Manifest:
        async with self._at_once:
            manifest = await self._source.get_manifest(self._repository, child.digest)
        if manifest.size != child.size:
            raise SizeMismatchError(
                f"the index says {child.size} bytes for {child.digest}, it has {manifest.size}",
                origin=Side.SOURCE,
                step="get manifest",
                reference=child.digest,
            )
        return manifest

    def _keep(self, level: dict[str, Manifest]) -> None:
        self.found.update(level)
        self._bytes += sum(manifest.size for manifest in level.values())
        if len(self.found) > MANIFESTS_AT_MOST or self._bytes > MANIFEST_BYTES_IN_ALL_AT_MOST:
            raise UnsupportedContentError(
                f"over {MANIFESTS_AT_MOST} manifests, or over {MANIFEST_BYTES_IN_ALL_AT_MOST} bytes of them",
                origin=Side.SOURCE,
                step="get manifest",
            )


def _children_first(roots: tuple[Manifest, ...], found: dict[str, Manifest]) -> tuple[Manifest, ...]:
    """Order manifests so that each follows everything it refers to (post-order; content addresses have no cycles)."""
    ordered: dict[str, Manifest] = {}
    waiting = [(root, False) for root in reversed(roots)]
    while waiting:
        manifest, below_done = waiting.pop()
        if manifest.digest in ordered:
            continue
        if below_done:
            ordered[manifest.digest] = manifest
            continue
        waiting.append((manifest, True))
        waiting += [(found[child.digest], False) for child in reversed(manifest.children)]
    return tuple(ordered.values())


async def require_free_tags(target: RegistryClient, targets: tuple[Reference, ...], digest: str, mode: Mode) -> None:
    """With `NoForce`, refuse when a target tag stands on another digest; asked before any byte moves.

    Raises:
        TargetTagExistsError: Names the tag and what it stands on.
    """
    if mode is Mode.FORCE:
        return
    for reference in targets:
        if reference.tag is None:
            continue
        standing = await target.head_manifest(reference.repository, reference.tag)
        if standing is not None and standing != digest:
            raise TargetTagExistsError(
                f"{reference} already stands on {standing}, the source on {digest}",
                origin=Side.TARGET,
                step="check target tag",
                reference=str(reference),
            )
