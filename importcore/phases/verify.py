"""After the commit, where a request asks for it: does the target hold all of it, as planned?"""

from collections.abc import Sequence

from importcore.content import Manifest
from importcore.descriptors import Descriptor
from importcore.errors import ContentError, Side
from importcore.parallel import for_each
from importcore.phases.plan import Plan
from importcore.reference import Reference
from importcore.registry.client import RegistryClient

_ASKED_AT_ONCE = 8


async def verify(plan: Plan, target: RegistryClient, targets: Sequence[Reference]) -> None:
    """Ask the target about every tag, manifest and blob, with digest and size.

    Raises:
        ContentError: Names the first thing that is not there, or is another.
    """
    for reference in targets:
        if reference.tag is not None:
            standing = await target.head_manifest(reference.repository, reference.tag)
            if standing != plan.root.digest:
                raise _missing(str(reference), f"the tag stands on {standing or 'nothing'}")
    for repository in dict.fromkeys(reference.repository for reference in targets):

        async def check_manifest(manifest: Manifest, repository: str = repository) -> None:
            # Read, not only asked for: a target that lies about a manifest lies to a HEAD.
            found = await target.get_manifest(repository, manifest.digest)
            if found.raw != manifest.raw:
                raise _missing(f"{repository}@{manifest.digest}", "the manifest has other bytes")

        async def check_blob(blob: Descriptor, repository: str = repository) -> None:
            if not await target.blob_exists(repository, blob) and not blob.is_foreign:
                raise _missing(f"{repository}@{blob.digest}", "the blob is not there")

        await for_each(plan.manifests, check_manifest, at_once=_ASKED_AT_ONCE)
        await for_each(plan.blobs, check_blob, at_once=_ASKED_AT_ONCE)


def _missing(reference: str, what: str) -> ContentError:
    return ContentError(
        f"after the import, {what}: {reference}",
        origin=Side.TARGET,
        step="verify",
        reference=reference,
        action="Send the request again with mode Force; if it happens again, the registry loses content.",
    )
