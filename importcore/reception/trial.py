"""What the rules in force would make of an event, and what the policy says to it; nothing is done."""

from dataclasses import dataclass

from importcore.caller import Caller
from importcore.errors import PolicyError
from importcore.hooks.push_event import PushEvent
from importcore.policy.policies import Policies
from importcore.reception.reception import by_rule
from importcore.request.model import ImportRequest
from importcore.rules.matching import verdicts
from importcore.rules.rulebook import Rulebook


@dataclass(frozen=True, slots=True)
class WouldFollow:
    """An import that would follow; `refused` is what the policy or the settings say against it."""

    request: ImportRequest
    refused: str | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one rule would make of an event.

    Attributes:
        rule: Its name.
        matches: Whether the event is what it asks for.
        reasons: Why not, or why one of its targets is left out.
        imports: What would follow.
    """

    rule: str
    matches: bool
    reasons: tuple[str, ...]
    imports: tuple[WouldFollow, ...]


class Trial:
    """Tries events out."""

    def __init__(self, rulebook: Rulebook, policies: Policies) -> None:
        self._rulebook = rulebook
        self._policies = policies

    async def require_may_ask(self, asks: Caller) -> None:
        """Refuse whoever may not see every import: rules tell what is imported from where for others.

        Raises:
            PolicyError: Says what is missing.
        """
        door = await self._policies.door()
        door.require_sees_all(door.admit(asks))

    async def of(self, event: PushEvent, *, through: Caller | None) -> tuple[Outcome, ...]:
        """Hold an event to every rule.

        Args:
            event: The event.
            through: The door that the event would come in by, where that is said; the policy may know it.

        Raises:
            ConfigurationError: The rules or the policy are wrong.
            StorageUnavailableError: Nobody knows what they say now.
        """
        door = await self._policies.door()
        rules = await self._rulebook.rules()
        outcomes = []
        for verdict in verdicts(rules, event):
            caller = by_rule(verdict.rule.name, through or Caller.by_rule(verdict.rule.name))
            imports = []
            for request in verdict.requests:
                try:
                    door.require_request(door.admit(caller), request)
                except PolicyError as error:
                    imports.append(WouldFollow(request, error.message))
                else:
                    imports.append(WouldFollow(request))
            matches = not verdict.rule.on.differences(event)
            outcomes.append(Outcome(verdict.rule.name, matches, verdict.reasons, tuple(imports)))
        return tuple(outcomes)
