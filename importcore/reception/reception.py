"""Takes an event: holds it to the rules and makes the imports that follow, through `intake.py` like everybody.

An event is either taken whole or not at all, as its sender sees it: whatever hinders an import and may pass is raised,
so that the sender delivers again. An import is known by the event's identity and by what it means, so that nothing is
made twice. Which order events come in does not matter; see `run/following.py`.
"""

import hashlib
from dataclasses import replace

from importcore.audit import Audit
from importcore.caller import Caller
from importcore.errors import (
    ConfigurationError,
    InvalidRequestError,
    PolicyError,
    StorageUnavailableError,
    TooManyImportsError,
    TransloadError,
    UnsafeUrlError,
)
from importcore.hooks.push_event import PushEvent
from importcore.intake import Intake
from importcore.reception.taken import EventNotTakenError, Made, Passed, Taken
from importcore.request.callback import Callback
from importcore.request.model import ImportRequest
from importcore.rules.matching import verdicts
from importcore.rules.rulebook import RULES, Rulebook
from importcore.state.record import now

_DELIVER_AGAIN_SECONDS = 30.0
_MAY_PASS = (StorageUnavailableError, TooManyImportsError, ConfigurationError)
_REFUSALS = (PolicyError, InvalidRequestError, UnsafeUrlError)


class Reception:
    """Where events come in."""

    def __init__(self, rulebook: Rulebook, intake: Intake, audit: Audit) -> None:
        self._rulebook = rulebook
        self._intake = intake
        self._audit = audit

    async def take(
        self, event: PushEvent, *, caller: Caller, rule: str | None = None, callback: Callback | None = None
    ) -> Taken:
        """Make the imports that follow from an event.

        Args:
            event: What was pushed.
            caller: The door that heard of it. Each import is asked for by the rule, through this caller.
            rule: Hold it to this rule alone.
            callback: Whom to call when an import has ended.

        Raises:
            EventNotTakenError: Storage, the rules, the policy or a limit hinder it for now.
        """
        try:
            rules = await self._rulebook.rules()
        except _MAY_PASS as error:
            raise _not_taken(error) from error
        if not rules:
            return Taken(passed=(Passed(None, f"there are no rules; {RULES} says what a push means"),))
        made: list[Made] = []
        passed: list[Passed] = []
        hindrance: TransloadError | None = None
        for verdict in verdicts([each for each in rules if rule in {None, each.name}], event):
            passed += [Passed(verdict.rule.name, reason) for reason in verdict.reasons]
            asks = by_rule(verdict.rule.name, caller)
            for request in verdict.requests:
                try:
                    made.append(await self._made(verdict.rule.name, event, replace(request, callback=callback), asks))
                except _REFUSALS as error:
                    self._audit.refused("event", error, asks, asks.address)
                    passed.append(Passed(verdict.rule.name, f"{error.code}: {error.message}"))
                except _MAY_PASS as error:
                    if isinstance(error, TooManyImportsError):
                        self._audit.refused("event", error, asks, asks.address)
                    hindrance = hindrance or error
        if hindrance is not None:
            raise _not_taken(hindrance) from hindrance
        return Taken(tuple(made), tuple(passed))

    async def _made(self, rule: str, event: PushEvent, request: ImportRequest, asks: Caller) -> Made:
        resolved = await self._intake.resolved(request, asks)
        record = await self._intake.submit(resolved, asks, idempotency_key=_key(event, resolved))
        return Made(rule, record.id, record.source, tuple(target.reference for target in record.targets))


def by_rule(rule: str, caller: Caller) -> Caller:
    """A rule, through a door: one push that two doors tell of is one import; a policy may know either."""
    own = Caller.by_rule(rule)
    name = "" if caller.identity == own.identity else caller.identity
    return replace(own, who=own.who | caller.who, name=name, address=caller.address)


def _key(event: PushEvent, request: ImportRequest) -> str | None:
    """What makes an import the one of this event; None where the event has nothing to be known by.

    One that is told ahead of its time is known by nothing: whoever guesses when a push will be told of must not have
    an import stand for it that ran before.
    """
    if event.identity is None or (event.at is not None and event.at > now()):
        return None
    meaning = (
        event.identity, *map(str, request.targets), request.mode.value, request.options, request.credentials,
        request.callback and request.callback.url,
    )  # fmt: skip
    return hashlib.sha256(repr(meaning).encode()).hexdigest()


def _not_taken(error: TransloadError) -> EventNotTakenError:
    wrong = isinstance(error, ConfigurationError)
    what = "the rules or the policy are wrong; see /api/health" if wrong else error.message
    return EventNotTakenError(
        f"the event was not taken: {what}", retry_after=error.retry_after or _DELIVER_AGAIN_SECONDS
    )
