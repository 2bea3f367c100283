"""Phase 3 of an import: put the manifests, children first and by digest; then the fence; then the tags.

Only now does anything become visible. Everything before the tags is idempotent and named by digest, so two runs that
do it at once do no harm; the tags move last, after the fence, and each with one request. Referrers stand at the target
before the tag does, so that whoever asks for a signature when the tag moves finds it.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace

from importcore.content import Manifest
from importcore.deadline import Deadline
from importcore.errors import MissingContentError
from importcore.parallel import for_each
from importcore.phases.plan import Plan
from importcore.reference import Reference
from importcore.registry.client import RegistryClient
from importcore.request.backup_tag import fill_in
from importcore.state.progress import ManifestDone, Observer
from importcore.state.record import TargetResult

_PUT_AT_ONCE = 6


class Commit:
    """Puts the manifests and tags of one import."""

    def __init__(self, plan: Plan, target: RegistryClient, observer: Observer, deadline: Deadline) -> None:
        self._plan = plan
        self._target = target
        self._observer = observer
        self._deadline = deadline

    async def manifests(self, repositories: Sequence[str]) -> None:
        """Put every manifest by digest, in every repository, level by level from the leaves; then the referrers'.

        Raises:
            OutOfTime: The slice is over.
            MissingContentError: The target lacks a part although it said that it has it.
        """
        for repository in repositories:
            for level in [*_levels(self._plan.image), *_levels(self._plan.attached)]:

                async def put(manifest: Manifest, repository: str = repository) -> None:
                    self._deadline.check()
                    self._observer(ManifestDone(manifest.digest, await self._put_missing(repository, manifest)))

                await for_each(level, put, at_once=_PUT_AT_ONCE)

    async def tags(
        self, targets: Sequence[TargetResult], fence: Callable[[], Awaitable[None]], backup_tag: str | None
    ) -> tuple[TargetResult, ...]:
        """Move the tags, each in one request, right after the fence.

        Args:
            targets: Where to; one without a tag stands already, by digest.
            fence: Renews the lease; nothing is moved when it raises.
            backup_tag: The template of a tag that keeps what another stood on.

        Returns:
            The targets with the digest that they stand on, and what they stood on before.

        Raises:
            LeaseLostError: Another run owns the import: no tag was moved by this one.
        """
        return tuple([await self._move(target, fence, backup_tag) for target in targets])

    async def _move(
        self, target: TargetResult, fence: Callable[[], Awaitable[None]], backup_tag: str | None
    ) -> TargetResult:
        where, digest = Reference.parse(target.reference), self._plan.root.digest
        done = replace(target, digest=digest)
        if where.tag is None:
            return done
        standing = await self._target.head_manifest(where.repository, where.tag)
        if standing == digest:
            return done
        if standing is not None:
            done = replace(done, previous_digest=standing)
            if backup_tag:
                kept = replace(where, tag=fill_in(backup_tag, where.tag, standing))
                overwritten = await self._target.get_manifest(where.repository, standing)
                await fence()
                await self._target.put_manifest(kept.repository, kept.manifest_reference, overwritten)
                done = replace(done, backup=str(kept))
        await fence()
        await self._target.put_manifest(where.repository, where.tag, self._plan.root)
        return done

    async def _put_missing(self, repository: str, manifest: Manifest) -> bool:
        if await self._target.head_manifest(repository, manifest.digest) == manifest.digest:
            return False
        try:
            await self._target.put_manifest(repository, manifest.digest, manifest)
        except MissingContentError:
            # A child that the target claimed to have: put the children whatever it says, and try once more.
            if not manifest.children:
                raise
            by_digest = {m.digest: m for m in self._plan.manifests}
            for child in manifest.children:
                if child.digest in by_digest:
                    await self._target.put_manifest(repository, child.digest, by_digest[child.digest])
            await self._target.put_manifest(repository, manifest.digest, manifest)
        return True


def _levels(manifests: Sequence[Manifest]) -> list[list[Manifest]]:
    """Group manifests by how deep the tree below them is; one level needs only those before it."""
    depth: dict[str, int] = {}
    levels: list[list[Manifest]] = []
    for manifest in manifests:  # children come first
        level = max((depth.get(child.digest, -1) + 1 for child in manifest.children), default=0)
        depth[manifest.digest] = level
        while len(levels) <= level:
            levels.append([])
        levels[level].append(manifest)
    return levels
