"""Which credential goes to which registry: the clients of one import, for its source and its target.

For a source, in this order: what the request says (credentials, the name of configured ones, or this app's identity
for a resource id); the credentials configured for that registry; this app's Entra identity where the registry is an
ACR of the app's cloud, and nobody where that identity is refused; nobody. For a target: this app's identity where it
is an ACR of the app's cloud, else the configured credentials, else nobody.
"""

import json
from dataclasses import replace

from importcore.access.arm import RegistryResources
from importcore.errors import ConfigurationError, InvalidRequestError, Side
from importcore.reference import Reference
from importcore.registry.client import RegistryClient
from importcore.registry.credentials import (
    AcrAccessToken,
    AcrIdentity,
    Anonymous,
    Credential,
    EntraTokens,
    IdentityOrNobody,
    UserPassword,
)
from importcore.registry.registries import Registries
from importcore.request.model import ImportRequest
from importcore.request.source_access import NamedCredentials, OwnIdentity, SourceAccess, UserCredentials
from importcore.sealing import Sealer
from importcore.settings.model import Settings
from importcore.state.record import ImportRecord


class ImportClients:
    """Makes the registry clients that an import needs, and seals the credentials that came with it."""

    def __init__(
        self,
        settings: Settings,
        registries: Registries,
        sealer: Sealer,
        entra: EntraTokens,
        resources: RegistryResources,
    ) -> None:
        self._settings = settings
        self.registries = registries
        self._sealer = sealer
        self._entra = entra
        self._resources = resources
        self._identities: dict[str, AcrIdentity] = {}

    # -- when a request comes --------------------------------------------------------------------------------------

    async def located(self, request: ImportRequest) -> ImportRequest:
        """Find the login server of a resource id.

        Raises:
            InvalidRequestError: Names the field: a resource that is not there or may not be read.
            RegistryError: Azure Resource Manager or Entra ID refused or did not answer.
        """
        if request.source_id is not None:
            server = await self._resources.login_server(request.source_id)
            source, selection = request.source, request.selection
            request = replace(
                request,
                source=replace(source, registry=server) if source else None,
                selection=replace(selection, source_registry=server) if selection else None,
            )
        return request

    def require_usable(self, access: SourceAccess | None, registry: str) -> None:
        """Refuse credentials that cannot be meant for the source.

        Raises:
            InvalidRequestError: Names the field: credentials that are not configured or are another registry's.
        """
        match access:
            case NamedCredentials(name):
                configured = self._settings.credentials.get(name)
                if configured is None:
                    raise InvalidRequestError.in_field(
                        "source.credentials.name", "names no credentials of the setting TRANSLOAD_CREDENTIALS"
                    )
                if configured.registry != registry:
                    raise InvalidRequestError.in_field(
                        "source.credentials.name", f"names credentials that are not for {registry}"
                    )
            case UserCredentials(username=None) if not self._settings.is_acr(registry):
                message = f"is required: only an Azure Container Registry takes a token alone, and {registry} is none"
                raise InvalidRequestError.in_field("source.credentials.username", message)
            case None if len(names := self._settings.credentials_for(registry)) > 1:
                message = f"must name one of the credentials that are configured for {registry}: {', '.join(names)}"
                raise InvalidRequestError.in_field("source.credentials.name", message)
            case _:
                return

    def sealed(self, access: SourceAccess | None, registry: str, import_id: str) -> str | None:
        """Seal for the record what the request says about access; of configured credentials that is the name alone.

        A secret is sealed with the registry that it is for, because the record names its source in clear.
        """
        said: object
        if access is None:
            return None
        if isinstance(access, UserCredentials):
            said = [access.username, access.password, registry]
        else:
            said = {"name": access.name} if isinstance(access, NamedCredentials) else {"identity": True}
        return self._sealer.seal(json.dumps(said).encode(), import_id)

    def _unsealed(self, record: ImportRecord) -> SourceAccess | None:
        if record.sealed_credentials is None:
            return None
        said = json.loads(self._sealer.open(record.sealed_credentials, record.id))
        if isinstance(said, dict):
            return NamedCredentials(said["name"]) if "name" in said else OwnIdentity()
        username, password, *registry = said  # which registry, an earlier version did not say
        if registry not in ([], [record.source_registry]):
            raise ConfigurationError(
                "the credentials of this import are for another registry than its record names",
                action="Somebody changed the record in storage; find out who, and send the request again.",
            )
        return UserCredentials(password, username)

    # -- when an import runs ---------------------------------------------------------------------------------------

    def source(self, record: ImportRecord) -> RegistryClient:
        """The source of an import, with the access that its request said.

        Raises:
            ConfigurationError: Credentials or files that the settings named for it are not there any more, or those of
                the request are for another registry.
        """
        towards = None if record.selection else Reference.parse(record.targets[0].reference).registry
        return self.source_for(record.source_registry, self._unsealed(record), towards=towards)

    def source_for(self, registry: str, access: SourceAccess | None, *, towards: str | None = None) -> RegistryClient:
        """A source, read through its mirrors where it has some.

        Args:
            registry: The source.
            access: What the request said about it.
            towards: The target, whose limits on transfers count as well.

        Raises:
            ConfigurationError: As `source`.
        """
        mirrors = [
            self.registries.client(mirror, Side.SOURCE, self._credential(mirror, None), towards=towards)
            for mirror in self._settings.host(registry).mirrors
        ]
        credential = self._credential(registry, access)
        return self.registries.client(registry, Side.SOURCE, credential, towards=towards, mirrors=mirrors)

    def target(self, registry: str) -> RegistryClient:
        """The target."""
        if self._settings.takes_identity(registry):
            return self.registries.client(registry, Side.TARGET, self._identity(registry))
        return self.registries.client(registry, Side.TARGET, self._configured(registry) or Anonymous())

    def _credential(self, registry: str, access: SourceAccess | None) -> Credential:
        match access:
            case UserCredentials(password, None):
                return AcrAccessToken(password)
            case UserCredentials(password, str(username)):
                return UserPassword(username, password)
            case NamedCredentials(name):
                return self._named(name, registry)
            case OwnIdentity():
                return self._identity(registry)
        configured = self._configured(registry)
        if configured is not None:
            return configured
        return IdentityOrNobody(self._identity(registry)) if self._settings.takes_identity(registry) else Anonymous()

    def _named(self, name: str, registry: str) -> Credential:
        configured = self._settings.credentials.get(name)
        if configured is None or configured.registry != registry:
            raise ConfigurationError(
                f"TRANSLOAD_CREDENTIALS: '{name}' is not configured for {registry} any more",
                action="Configure it again, or send the request with other credentials.",
            )
        return UserPassword(configured.username, configured.password)

    def _configured(self, registry: str) -> Credential | None:
        names = self._settings.credentials_for(registry)
        return self._named(names[0], registry) if len(names) == 1 else None

    def _identity(self, registry: str) -> AcrIdentity:
        return self._identities.setdefault(registry, AcrIdentity(self._entra))
