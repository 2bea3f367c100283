"""Phase 3, for referrers: what makes them findable at the target besides their manifests.

A target with a referrers API finds a referrer by its `subject` alone. For one without, the client keeps the index under
the tag `sha256-<hex>` ("Referrers Tag Schema": read, add, write). Cosign's older tags are tags like any other; with
NoForce one that stands on something else at the target is left alone, since signatures may be added there.
"""

import json
from collections.abc import Sequence
from typing import Any

from importcore.content import Manifest, Referrer, referrers_tag
from importcore.descriptors import INDEX_TYPES, OCI_INDEX
from importcore.phases.plan import Plan
from importcore.registry.client import RegistryClient
from importcore.registry.listing import has_referrers_api
from importcore.request.model import Mode


class Attach:
    """Makes the referrers of one import findable."""

    def __init__(self, plan: Plan, target: RegistryClient, mode: Mode) -> None:
        self._plan = plan
        self._target = target
        self._mode = mode
        self._manifests = {manifest.digest: manifest for manifest in plan.manifests}

    async def to(self, repositories: Sequence[str]) -> None:
        """Do so in every repository, after the manifests and before the image's tags."""
        if not self._plan.referrers:
            return
        for repository in repositories:
            await self._tag(repository)
            if not await has_referrers_api(self._target, repository, self._plan.root.digest):
                await self._keep_indexes(repository)

    async def _tag(self, repository: str) -> None:
        for referrer in self._plan.referrers:
            if referrer.tag is None:
                continue
            standing = await self._target.head_manifest(repository, referrer.tag)
            if standing is None or (standing != referrer.digest and self._mode is Mode.FORCE):
                await self._target.put_manifest(repository, referrer.tag, self._manifests[referrer.digest])

    async def _keep_indexes(self, repository: str) -> None:
        by_subject: dict[str, list[Referrer]] = {}
        for referrer in self._plan.referrers:
            if referrer.tag is None:
                by_subject.setdefault(referrer.subject, []).append(referrer)
        for subject, referrers in by_subject.items():
            tag = referrers_tag(subject)
            index = await self._kept_index(repository, tag)
            if index is None:
                continue
            kept = index["manifests"]
            there = {entry.get("digest") for entry in kept if isinstance(entry, dict)}
            added = [_entry(self._manifests[r.digest]) for r in referrers if r.digest not in there]
            if added:
                raw = json.dumps({**index, "manifests": [*kept, *added]}, separators=(",", ":")).encode()
                await self._target.put_manifest(repository, tag, Manifest.parse(raw))

    async def _kept_index(self, repository: str, tag: str) -> dict[str, Any] | None:
        """The index under the tag, or an empty one; None where something else stands there that is not ours to move."""
        fresh: dict[str, Any] = {"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": []}
        if await self._target.head_manifest(repository, tag) is None:
            return fresh
        standing = await self._target.get_manifest(repository, tag)
        if standing.media_type not in INDEX_TYPES:
            return fresh if self._mode is Mode.FORCE else None
        body: dict[str, Any] = json.loads(standing.raw)
        return {**body, "manifests": body.get("manifests") or []}


def _entry(manifest: Manifest) -> dict[str, Any]:
    """The descriptor of a referrer as the referrers API would list it, with its annotations."""
    entry: dict[str, Any] = {"mediaType": manifest.media_type, "digest": manifest.digest, "size": manifest.size}
    if manifest.artifact_type:
        entry["artifactType"] = manifest.artifact_type
    annotations = json.loads(manifest.raw).get("annotations")
    return {**entry, "annotations": annotations} if annotations else entry
