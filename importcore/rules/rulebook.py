"""The rules in force: their document is looked at again every half minute, and by a wrong one no event is taken."""

from importcore.documents.watched import WatchedDocument
from importcore.rules.document import KnownHere, Rule, RulesDocument
from importcore.settings.model import Settings

RULES = "TRANSLOAD_RULES"


class Rulebook:
    """Gives the rules as they stand now."""

    def __init__(self, document: WatchedDocument[RulesDocument] | None) -> None:
        """Take the document, where one is configured."""
        self._document = document

    @property
    def is_configured(self) -> bool:
        """Whether there is a document at all."""
        return self._document is not None

    async def rules(self) -> tuple[Rule, ...]:
        """Give the rules; none where no document is configured.

        Raises:
            ConfigurationError: The document is wrong or not there.
            StorageUnavailableError: Nobody knows what it says now.
        """
        return () if self._document is None else (await self._document.current()).rules


def known_here(settings: Settings) -> KnownHere:
    """What the app settings know, for a document of rules to be held to."""
    return KnownHere(settings.allowed_targets, {name: value.registry for name, value in settings.credentials.items()})
