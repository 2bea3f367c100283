"""Phase 1 of an import: what there is to bring. Resolves the tag to a digest once and walks the manifests.

Every manifest is asked for once; the result is a `Plan`, which is kept, so that later runs need not ask again.
"""

import asyncio

from importcore.content import Manifest
from importcore.descriptors import Descriptor
from importcore.errors import Side, SizeMismatchError, TargetTagExistsError, UnsupportedContentError
from importcore.parallel import for_each, together
from importcore.phases.manifest_reader import ManifestReader
from importcore.phases.plan import Plan
from importcore.phases.platforms import select_platforms
from importcore.phases.referrers import ReferrerSearch
from importcore.reference import Reference
from importcore.registry.client import RegistryClient
from importcore.registry.listing import list_tags
from importcore.request.model import ImportOptions, Mode

MANIFESTS_AT_MOST = 20_000
TAGS_AT_MOST = 100
"""With those that a request names, but for one: they all stand in the record."""
MANIFEST_BYTES_IN_ALL_AT_MOST = 32 * 1024 * 1024
"""A plan takes some eight times as much memory while it is written or read, and a worker runs several imports."""
_DEPTH_AT_MOST = 8
_FETCHED_AT_ONCE = 8


async def make_plan(
    source: RegistryClient,
    reference: Reference,
    options: ImportOptions = ImportOptions(),  # noqa: B008 (frozen)
    known: dict[str, Manifest] | None = None,
) -> Plan:
    """Walk the source from a reference down, and find what refers to it.

    Args:
        source: The registry.
        reference: What to import.
        options: Which platforms and referrers.
        known: Manifests that need not be asked for; gets those that are read.

    Raises:
        RegistryError: The source refused or does not have a manifest.
        ContentError: A manifest is not what its descriptor says, or a wanted platform is not there.
    """
    reader = ManifestReader(source, reference.repository, known)
    walk = _Walk(reader)
    named = await reader.get(reference.manifest_reference)
    root = select_platforms(named, options.platforms)
    await walk.below((root,))
    image = _children_first((root,), walk.found)
    if not options.referrers:
        return Plan(image, source_digest=named.digest)
    search = ReferrerSearch(source, reference.repository, options.artifact_types, reader)
    referrers, manifests = await search.of(image)
    beside = _Walk(reader)
    await beside.below(manifests)
    in_image = {manifest.digest for manifest in image}
    attached = tuple(m for m in _children_first(manifests, beside.found) if m.digest not in in_image)
    return Plan(image, attached, referrers, named.digest)


class _Walk:
    """Fetches every manifest below a root once, level by level."""

    def __init__(self, reader: ManifestReader) -> None:
        self._reader = reader
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
            self._require_within_bounds(len(wanted), sum(child.size for child in wanted.values()))
            async with together() as group:
                tasks = [group.create_task(self._fetch(child)) for child in wanted.values()]
            level = {manifest.digest: manifest for manifest in (task.result() for task in tasks)}
        raise UnsupportedContentError(
            f"indexes are nested deeper than {_DEPTH_AT_MOST} levels", origin=Side.SOURCE, step="get manifest"
        )

    async def _fetch(self, child: Descriptor) -> Manifest:
        async with self._at_once:
            manifest = await self._reader.get(child.digest)
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
        self._require_within_bounds()

    def _require_within_bounds(self, more: int = 0, more_bytes: int = 0) -> None:
        """Refuse more than can be planned; asked before a level is fetched, too, by what its descriptors say."""
        if len(self.found) + more > MANIFESTS_AT_MOST or self._bytes + more_bytes > MANIFEST_BYTES_IN_ALL_AT_MOST:
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


async def tags_of_digest(
    source: RegistryClient, repository: str, digest: str, *, at_most: int = TAGS_AT_MOST
) -> tuple[str, ...]:
    """List the tags of a repository that stand on a digest; a HEAD for each, which no registry counts as a pull.

    Raises:
        UnsupportedContentError: There are too many.
    """
    found: list[str] = []

    async def ask(tag: str) -> None:
        if await source.head_manifest(repository, tag) == digest:
            found.append(tag)
        if len(found) > at_most:
            raise UnsupportedContentError(
                f"over {at_most} tags of {repository} stand on {digest}",
                action="Name the tags that are wanted in `targetTags`, or choose them with `tags`.",
                origin=Side.SOURCE,
                step="list tags",
            )

    await for_each(await list_tags(source, repository), ask, at_once=_FETCHED_AT_ONCE)
    return tuple(sorted(found))


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
