"""What refers to an image: signatures, SBOMs, attestations. Part of the plan; they travel with the image by default.

Three ways to find them, all of them asked, for the root and for every platform's manifest, and again for what was
found (a signature of an SBOM):
  - the referrers API (distribution spec 1.1, "Listing Referrers");
  - where a registry has none, the tag `sha256-<hex>`, an index kept by clients ("Referrers Tag Schema");
  - cosign's older tags `sha256-<hex>.sig`, `.att` and `.sbom`.
"""

import asyncio

from importcore.content import COSIGN_TAGS, Manifest, Referrer, referrers_tag
from importcore.descriptors import INDEX_TYPES, Descriptor
from importcore.errors import NotFoundError, Side, UnsupportedContentError
from importcore.parallel import together
from importcore.phases.manifest_reader import ManifestReader
from importcore.registry.client import RegistryClient
from importcore.registry.listing import REFERRERS_AT_MOST, list_referrers

_DEPTH_AT_MOST = 4
_ASKED_AT_ONCE = 8
_LISTED_AT_MOST = REFERRERS_AT_MOST
"""In all lists of one search: a list of a few megabytes, again for each of thousands of manifests, fills the memory."""
_BYTES_AT_MOST = 32 * 1024 * 1024
COSIGN_TYPES = {suffix: f"application/vnd.dev.cosign.artifact{suffix}.v1+json" for suffix in COSIGN_TAGS}


class ReferrerSearch:
    """Finds the referrers of manifests at the source."""

    def __init__(
        self,
        source: RegistryClient,
        repository: str,
        artifact_types: tuple[str, ...],
        reader: ManifestReader | None = None,
    ) -> None:
        """Take where to look.

        Args:
            source: The registry.
            repository: The image's repository; referrers live in the same one.
            artifact_types: Carry these alone; empty carries all.
            reader: Reads the manifests; one of its own where nobody else reads there.
        """
        self._reader = reader or ManifestReader(source, repository)
        self._source = source
        self._repository = repository
        self._artifact_types = frozenset(artifact_types)
        self._at_once = asyncio.Semaphore(_ASKED_AT_ONCE)
        self._has_api = True
        self._listed = 0
        self._bytes = 0

    async def of(self, subjects: tuple[Manifest, ...]) -> tuple[tuple[Referrer, ...], tuple[Manifest, ...]]:
        """Find everything that refers to the subjects, and to what was found.

        Returns:
            The relations, and the referrers' manifests, each once.
        """
        relations: dict[tuple[str, str], Referrer] = {}
        manifests: dict[str, Manifest] = {}
        level, known = subjects, {subject.digest for subject in subjects}
        for _ in range(_DEPTH_AT_MOST):
            async with together() as group:
                tasks = [group.create_task(self.direct(subject.digest)) for subject in level]
            found = [pair for task in tasks for pair in task.result()]
            relations |= {(referrer.digest, referrer.subject): referrer for referrer, _ in found}
            manifests |= {manifest.digest: manifest for _, manifest in found}
            level = tuple(manifest for manifest in manifests.values() if manifest.digest not in known)
            known |= {manifest.digest for manifest in level}
            if not level:
                break
        return tuple(relations.values()), tuple(manifests.values())

    async def direct(self, subject: str) -> list[tuple[Referrer, Manifest]]:
        """Find what refers to one digest itself."""
        found: list[tuple[Referrer, Manifest]] = []
        for entry in self._counted(await self._entries(subject)):
            manifest = await self._get(entry.digest)
            if manifest is None:
                continue  # listed, and deleted since
            kind = manifest.artifact_type or entry.artifact_type
            if self._is_wanted(kind):
                found.append((Referrer(manifest.digest, subject, kind), manifest))
        for suffix, kind in COSIGN_TYPES.items():
            if self._is_wanted(kind):
                tag = referrers_tag(subject) + suffix
                manifest = await self._get(tag)
                if manifest is not None:
                    found.append((Referrer(manifest.digest, subject, kind, tag), manifest))
        return found

    async def _entries(self, subject: str) -> tuple[Descriptor, ...]:
        if self._has_api:
            async with self._at_once:
                listed = await list_referrers(self._source, self._repository, subject)
            if listed is not None:
                return listed
            self._has_api = False
        fallback = await self._get(referrers_tag(subject))
        return fallback.children if fallback and fallback.media_type in INDEX_TYPES else ()

    def _counted(self, entries: tuple[Descriptor, ...]) -> tuple[Descriptor, ...]:
        """Each entry once; refused where the lists hold too much together, before anything of this one is fetched."""
        once = tuple({entry.digest: entry for entry in entries}.values())
        self._listed += len(once)
        if self._listed > _LISTED_AT_MOST:
            raise _too_many(f"{_LISTED_AT_MOST} referrers")
        return once

    async def _get(self, reference: str) -> Manifest | None:
        """Get a manifest that may not be there; asked with a HEAD first, which no registry counts as a pull."""
        async with self._at_once:
            try:
                digest = await self._reader.digest_of(reference)
                manifest = await self._reader.get(digest) if digest else None
            except NotFoundError:
                return None
        self._bytes += manifest.size if manifest else 0
        if self._bytes > _BYTES_AT_MOST:
            raise _too_many(f"{_BYTES_AT_MOST} bytes of referrers' manifests")
        return manifest

    def _is_wanted(self, kind: str | None) -> bool:
        return not self._artifact_types or kind in self._artifact_types


def _too_many(what: str) -> UnsupportedContentError:
    return UnsupportedContentError(
        f"the image has over {what}",
        action="Choose some with `artifactTypes`, or leave them behind with `includeReferrers: false`.",
        origin=Side.SOURCE,
        step="list referrers",
    )
