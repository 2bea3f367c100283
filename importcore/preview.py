"""`validateOnly`: what an import would do, found out by asking both registries, with nothing written anywhere."""

import asyncio
from dataclasses import dataclass

from importcore.access.clients import ImportClients
from importcore.caller import Asker
from importcore.descriptors import Descriptor
from importcore.errors import TransloadError
from importcore.parallel import for_each
from importcore.phases.planning import make_plan
from importcore.phases.signature_gate import require_signatures
from importcore.policy.door import PolicyDoor
from importcore.reference import Reference
from importcore.request.model import ImportRequest, Mode

_ASKED_AT_ONCE = 8
_SECONDS_AT_MOST = 200.0
"""The platform cuts an HTTP answer off after 230 seconds."""


@dataclass(frozen=True, slots=True)
class TargetPreview:
    """One target: what it stands on now, and whether the import would be refused because of it."""

    reference: str
    standing: str | None
    conflict: bool


@dataclass(frozen=True, slots=True)
class Preview:
    """What an import would do. Sizes in bytes; blobs of the first target repository, which gets the bytes."""

    source: str
    digest: str
    source_digest: str
    manifests: int
    referrers: int
    blobs: int
    bytes_total: int
    bytes_there: int
    targets: tuple[TargetPreview, ...]

    @property
    def bytes_to_move(self) -> int:
        """What would be sent."""
        return self.bytes_total - self.bytes_there


async def preview(request: ImportRequest, clients: ImportClients, door: PolicyDoor, asker: Asker) -> Preview:
    """Ask both registries what an import would do.

    Raises:
        TransloadError: The import would fail, for this reason; or it takes too long to find out.
    """
    try:
        async with asyncio.timeout(_SECONDS_AT_MOST):
            return await _preview(request, clients, door, asker)
    except TimeoutError as error:
        raise PreviewTooLongError(
            f"finding out took longer than {_SECONDS_AT_MOST:.0f} s",
            action="Send the request without `validateOnly`; its record shows the same numbers after the plan.",
        ) from error


async def _preview(request: ImportRequest, clients: ImportClients, door: PolicyDoor, asker: Asker) -> Preview:
    source = clients.source_for(request.source_registry, request.credentials)
    target = clients.target(request.target_registry)
    plan = await make_plan(source, request.single_source, request.options)
    door.require_size(asker, manifests=len(plan.manifests), size=plan.size)
    keys = [rule.keys for rule in door.signatures_for(request.single_source, request.targets)]
    await require_signatures(source, request.single_source.repository, plan, keys, request.options.platforms)
    repository = request.targets[0].repository
    there = 0

    async def ask(blob: Descriptor) -> None:
        nonlocal there
        if await target.blob_exists(repository, blob):
            there += blob.size

    await for_each(plan.blobs, ask, at_once=_ASKED_AT_ONCE)

    async def standing(reference: Reference) -> TargetPreview:
        digest = await target.head_manifest(reference.repository, reference.tag) if reference.tag else None
        conflict = request.mode is Mode.NO_FORCE and digest not in {None, plan.root.digest}
        return TargetPreview(str(reference), digest, conflict)

    return Preview(
        source=str(request.source),
        digest=plan.root.digest,
        source_digest=plan.source_digest,
        manifests=len(plan.manifests),
        referrers=len(plan.referrers),
        blobs=len(plan.blobs),
        bytes_total=plan.size,
        bytes_there=there,
        targets=tuple([await standing(reference) for reference in request.targets]),
    )


class PreviewTooLongError(TransloadError):
    """A preview that would outlast the platform's limit for an HTTP answer."""

    code = "preview_too_long"
