"""The policy in force: its document is looked at again every half minute, and a wrong one opens no door."""

from importcore.documents.watched import WatchedDocument
from importcore.errors import ConfigurationError
from importcore.policy.document import PolicyDocument
from importcore.policy.door import PolicyDoor
from importcore.settings.model import CallersBy, Settings

POLICY = "TRANSLOAD_POLICY"


class Policies:
    """Gives the door as it stands now."""

    def __init__(self, settings: Settings, document: WatchedDocument[PolicyDocument] | None) -> None:
        """Take the settings, and the document where one is configured."""
        self._settings = settings
        self._document = document

    @property
    def is_configured(self) -> bool:
        """Whether there is a document at all."""
        return self._document is not None

    async def door(self) -> PolicyDoor:
        """Give the door.

        Raises:
            ConfigurationError: The document is wrong or not there: nobody may do anything until it is corrected.
            StorageUnavailableError: Nobody knows what it says now.
        """
        if self._document is None:
            return PolicyDoor(self._settings)
        document = await self._document.current()
        if self._settings.callers_by is CallersBy.ENTRA and document.callers is None:
            raise ConfigurationError(f"{POLICY}: names no `callers`, and TRANSLOAD_CALLERS is entra: nobody is let in")
        return PolicyDoor(self._settings, document)
