"""Which credential goes to which registry: the clients of one import, for its source and its target."""

import json

from importcore.errors import Side
from importcore.record import ImportRecord
from importcore.reference import Reference
from importcore.registry.client import RegistryClient
from importcore.registry.credentials import (
    AcrAccessToken,
    AcrIdentity,
    Anonymous,
    Credential,
    EntraTokens,
    UserPassword,
)
from importcore.registry.registries import Registries
from importcore.request import UserCredentials
from importcore.sealing import Sealer
from importcore.settings import Settings


class ImportClients:
    """Makes the registry clients that an import needs, and seals the credentials that came with it."""

    def __init__(self, settings: Settings, registries: Registries, sealer: Sealer, entra: EntraTokens) -> None:
        self._settings = settings
        self.registries = registries
        self._sealer = sealer
        self._entra = entra
        self._identities: dict[str, AcrIdentity] = {}

    def sealed(self, credentials: UserCredentials | None, import_id: str) -> str | None:
        """Seal credentials for the record."""
        if credentials is None:
            return None
        return self._sealer.seal(json.dumps([credentials.username, credentials.password]).encode(), import_id)

    def source(self, record: ImportRecord) -> RegistryClient:
        """The source of an import, with the credentials that its request brought."""
        sealed, credentials = record.sealed_credentials, None
        if sealed:
            username, password = json.loads(self._sealer.open(sealed, record.id))
            credentials = UserCredentials(password, username)
        return self.source_for(Reference.parse(record.source), credentials)

    def source_for(self, reference: Reference, credentials: UserCredentials | None) -> RegistryClient:
        """A source: with the request's credentials, else this app's identity at an ACR, else anonymous."""
        credential: Credential = self._own(reference.registry)
        if credentials:
            username, password = credentials.username, credentials.password
            credential = UserPassword(username, password) if username else AcrAccessToken(password)
        return self.registries.client(reference.registry, Side.SOURCE, credential)

    def target(self, registry: str) -> RegistryClient:
        """The target: with this app's identity at an ACR, else anonymous."""
        return self.registries.client(registry, Side.TARGET, self._own(registry))

    def _own(self, registry: str) -> Credential:
        if not self._settings.is_acr(registry):
            return Anonymous()
        return self._identities.setdefault(registry, AcrIdentity(self._entra))
