"""Part of the plan, where the policy demands it: a valid signature of the source image, or nothing is brought at all.

Asked by every run, before the first byte moves: a kept plan must not outlive the trust in a key. What is signed is the
source's own digest: of an index, the index (its entries are bound by their digests); where platforms are chosen, the
whole index that they are chosen from, and the choice is made again, because a kept plan is what storage says it is.
Signatures are looked for as `referrers.py` finds them, and under cosign's tag.
"""

import json
from collections.abc import Sequence
from typing import Any

from importcore.content import Manifest
from importcore.descriptors import Descriptor, digest_of
from importcore.errors import ContentError, Side
from importcore.phases.cosign import (
    BUNDLE,
    SIGNATURE_ANNOTATION,
    SIMPLE_SIGNING,
    signer_of_bundle,
    signer_of_payload,
)
from importcore.phases.manifest_reader import ManifestReader
from importcore.phases.plan import Plan
from importcore.phases.platforms import select_platforms
from importcore.phases.referrers import COSIGN_TYPES, ReferrerSearch
from importcore.registry.client import RegistryClient

_PAYLOAD_AT_MOST = 128 * 1024
"""Bytes; a payload has a few hundred, a bundle with everything that it may hold some ten thousand."""
_READ_AT_MOST = 100
_STEP = "verify the signature"


class SignatureRequiredError(ContentError):
    """The policy demands a signature of this image, and there is none that one of its keys made."""

    code = "signature_required"
    default_action = (
        "Sign the image's digest with a key that the policy names (cosign sign --key …), in the source's repository; "
        "or correct `signatures` in the policy (TRANSLOAD_POLICY)."
    )


async def require_signatures(
    source: RegistryClient,
    repository: str,
    plan: Plan,
    key_sets: Sequence[Sequence[str]],
    platforms: tuple[str, ...] = (),
) -> tuple[str, ...]:
    """Verify that the source image is signed.

    Args:
        source: The registry.
        repository: The image's.
        plan: What is to be brought.
        key_sets: For each rule that applies, its public keys in PEM; one key of each set must have signed.
        platforms: Which were chosen.

    Returns:
        The fingerprints of the keys that did, one for each set.

    Raises:
        SignatureRequiredError: No valid signature of one of the sets, or the plan is not about what was signed.
        RegistryError: The source did not say; nothing is brought on a guess.
    """
    if not key_sets:
        return ()
    found = await _Signatures(source, repository, plan).read()
    signers = tuple(found.signer(keys) for keys in key_sets)
    if plan.root.digest != plan.source_digest:
        whole = await source.get_manifest(repository, plan.source_digest)
        if select_platforms(whole, platforms).digest != plan.root.digest:
            raise _refused(plan.source_digest, f"the plan would bring {plan.root.digest}, which was not made from it")
    return signers


class _Found:
    """The signatures of one digest, as they were read."""

    def __init__(self, registry: str, digest: str) -> None:
        self._registry = registry
        self._digest = digest
        self.payloads: list[tuple[bytes, str]] = []
        self.bundles: list[bytes] = []

    def signer(self, keys: Sequence[str]) -> str:
        signers = [signer_of_payload(payload, sig, self._digest, keys) for payload, sig in self.payloads]
        signers += [signer_of_bundle(bundle, self._digest, keys) for bundle in self.bundles]
        for signer in signers:
            if signer is not None:
                return signer
        count = len(self.payloads) + len(self.bundles)
        there = f"none of its {count} signatures is by a key of the policy" if count else "it has no signature"
        raise _refused(self._digest, there)


def _refused(digest: str, why: str) -> SignatureRequiredError:
    return SignatureRequiredError(
        f"the policy demands a signature of {digest}, and {why}", origin=Side.SOURCE, step=_STEP, reference=digest
    )


class _Signatures:
    """Reads the signatures of an image at its source."""

    def __init__(self, source: RegistryClient, repository: str, plan: Plan) -> None:
        self._source = source
        self._repository = repository
        self._digest = plan.source_digest
        known = {manifest.digest: manifest for manifest in plan.manifests}
        kinds = (COSIGN_TYPES[".sig"], BUNDLE)
        self._search = ReferrerSearch(source, repository, kinds, ManifestReader(source, repository, known))
        self._found = _Found(source.registry, plan.source_digest)
        self._left = _READ_AT_MOST

    async def read(self) -> _Found:
        for _, manifest in await self._search.direct(self._digest):
            for layer in _layers(manifest):
                await self._take(layer)
        return self._found

    async def _take(self, layer: dict[str, Any]) -> None:
        blob = Descriptor.from_json(layer)
        signature = (layer.get("annotations") or {}).get(SIGNATURE_ANNOTATION)
        if blob.media_type not in {SIMPLE_SIGNING, BUNDLE} or blob.size > _PAYLOAD_AT_MOST or not self._left:
            return
        self._left -= 1
        async with self._source.open_blob(self._repository, blob) as reader:
            content = b"".join([piece async for piece in reader])
        if digest_of(content, blob.digest) != blob.digest:
            return  # not what was pushed: as good as none
        if blob.media_type == BUNDLE:
            self._found.bundles.append(content)
        elif isinstance(signature, str):
            self._found.payloads.append((content, signature))


def _layers(manifest: Manifest) -> list[dict[str, Any]]:
    layers = json.loads(manifest.raw).get("layers")  # `Manifest.parse` has read it before
    return [layer for layer in layers or [] if isinstance(layer, dict) and isinstance(_notes(layer), dict)]


def _notes(layer: dict[str, Any]) -> object:
    return layer.get("annotations") or {}
