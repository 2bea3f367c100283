"""Reading manifests from a source that may count every one: each is asked for once, over all runs of an import.

A plan that a source interrupts (a used-up quota, an outage) keeps what was read; the next run goes on from there.
"""

from importcore.content import Manifest
from importcore.reference import is_digest
from importcore.registry.client import RegistryClient


class ManifestReader:
    """Reads the manifests of one repository.

    Attributes:
        known: What was read, by digest; earlier runs may have begun it.
    """

    def __init__(self, source: RegistryClient, repository: str, known: dict[str, Manifest] | None = None) -> None:
        self._source = source
        self._repository = repository
        self.known = {} if known is None else known

    async def get(self, reference: str) -> Manifest:
        """Give a manifest by digest, or by a tag; see `RegistryClient.get_manifest` for what it raises."""
        if self.known and not is_digest(reference):
            # An earlier run read something: a HEAD, which no registry counts, tells whether it was this.
            reference = await self.digest_of(reference) or reference
        if reference not in self.known:
            manifest = await self._source.get_manifest(self._repository, reference)
            self.known[manifest.digest] = manifest
            return manifest
        return self.known[reference]

    async def digest_of(self, reference: str) -> str | None:
        """Ask what a reference stands on; None when there is nothing."""
        return await self._source.head_manifest(self._repository, reference)
