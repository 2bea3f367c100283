"""Rounds: what a rule with a `schedule` looks for by itself, because an event may have been lost.

A timer sends one message for each repository; whoever takes it asks for the repository's tags and, for each that the
rule means, what it stands on at the source and at the target: two HEADs, which no registry counts as pulls. Where they
differ, the reception gets an event as if the source had told it. A check ends after some tags and sends the next
message, so that a repository of any size is asked about, whatever the time-out of a function.
"""

import logging
import time
from dataclasses import replace

from importcore.access.clients import ImportClients
from importcore.caller import Caller
from importcore.errors import TransloadError
from importcore.hooks.push_event import PushEvent
from importcore.reception.reception import Reception
from importcore.reference import Reference
from importcore.registry.client import RegistryClient
from importcore.registry.listing import list_repositories, list_tags
from importcore.repository_globs import matches_text
from importcore.request.model import ImportRequest, Mode
from importcore.request.source_access import NamedCredentials
from importcore.rounds.round_message import RoundMessage
from importcore.rules.conditions import is_pattern
from importcore.rules.document import Rule, seconds_of
from importcore.rules.matching import verdicts
from importcore.rules.rulebook import Rulebook
from importcore.storage.queue import ImportQueue
from importcore.storage.tag_notes import TagNotes

TAGS_AT_MOST = 100
"""In one check; at two HEADs each it ends within a minute or so."""
_TRY_AGAIN_SECONDS = 60.0
_log = logging.getLogger("transload")


class Rounds:
    """Begins rounds, and makes their checks."""

    def __init__(
        self, rulebook: Rulebook, clients: ImportClients, reception: Reception, notes: TagNotes, queue: ImportQueue
    ) -> None:
        self._rulebook = rulebook
        self._clients = clients
        self._reception = reception
        self._notes = notes
        self._queue = queue

    async def begin(self) -> int:
        """Begin the rounds that are due: once in each interval of a rule, however many timers go off.

        The messages first, then the note of it: a death in between begins the round twice, which costs HEADs alone.

        Returns:
            How many checks were sent.

        Raises:
            ConfigurationError: The rules are wrong.
            StorageUnavailableError: No answer; the next timer goes on.
        """
        sent = 0
        for rule in await self._rulebook.rules():
            number = _round_of(rule)
            if number is None or await self._notes.last_round(rule.name) == number:
                continue
            for message in _first_messages(rule, number):
                await self._queue.send(message.encode())
                sent += 1
            await self._notes.note_round(rule.name, number)
        return sent

    async def check(self, message: RoundMessage) -> None:
        """Make one check.

        What may pass is tried again from where it stopped, until the rule's next round begins; what a registry
        refuses is logged, since that round will ask again.

        Raises:
            ConfigurationError: The rules are wrong; the host delivers the message again.
            StorageUnavailableError: So it does.
        """
        rule = next((each for each in await self._rulebook.rules() if each.name == message.rule), None)
        if rule is None or _round_of(rule) != message.round or not _is_about(rule, message):
            _log.info("round of %s: this check is over, another round has begun or the rule is gone", message.rule)
            return
        done = message.after
        try:
            source = self._source(rule, message.registry)
            if message.repository is None:
                await self._ask_the_catalog(rule, message, source)
                return
            tags = await _wanted_tags(rule, message, message.repository, source)
            for tag in tags[:TAGS_AT_MOST]:
                await self._look_at(rule, message, Reference(message.registry, message.repository, tag), source)
                done = tag
        except TransloadError as error:
            if not error.retryable:
                _log.error("round of %s: %s/%s: %s", rule.name, message.registry, message.repository, error.message)
                return
            _log.warning("round of %s waits: %s", rule.name, error.message)
            pause = error.retry_after or _TRY_AGAIN_SECONDS
            await self._queue.send(replace(message, after=done).encode(), visible_in=pause)
            return
        if len(tags) > TAGS_AT_MOST:
            await self._queue.send(replace(message, after=done).encode())

    def _source(self, rule: Rule, registry: str) -> RegistryClient:
        named = rule.options.credentials
        return self._clients.source_for(registry, NamedCredentials(named) if named else None)

    async def _ask_the_catalog(self, rule: Rule, message: RoundMessage, source: RegistryClient) -> None:
        for repository in await list_repositories(source):
            if any(matches_text(glob, repository) for glob in rule.on.repository):
                await self._queue.send(replace(message, repository=repository).encode())

    async def _look_at(self, rule: Rule, message: RoundMessage, reference: Reference, source: RegistryClient) -> None:
        """Compare one tag with its targets; the reception gets an event where one of them has something else."""
        event = PushEvent(reference.registry, reference.repository, reference.tag)
        (verdict,) = verdicts((rule,), event)
        if not verdict.requests:
            return
        digest = await source.head_manifest(reference.repository, event.tag or "")
        if digest is None or all([await self._has(request, digest) for request in verdict.requests]):
            return
        told = replace(event, digest=digest, delivery=f"round {message.round} of {rule.name}")
        await self._reception.take(told, caller=Caller.by_rule(rule.name), rule=rule.name)

    async def _has(self, request: ImportRequest, digest: str) -> bool:
        """Whether every target has what an import would put there; a tag that may not be overwritten counts as well."""
        client = self._clients.target(request.target_registry)
        for target in request.targets:
            standing = await client.head_manifest(target.repository, target.tag or "")
            if standing is None:
                return False
            if standing == digest or request.mode is Mode.NO_FORCE:
                continue
            stored = await self._notes.get(str(target))
            if stored is None or (stored.note.digest, stored.note.source_digest) != (standing, digest):
                return False
        return True


async def _wanted_tags(rule: Rule, message: RoundMessage, repository: str, source: RegistryClient) -> list[str]:
    """The tags of a repository that the rule means, in the order of their names, from where the check goes on."""
    tags = rule.on.tag.choice.of(await list_tags(source, repository))
    return sorted(tag for tag in tags if message.after is None or tag > message.after)


def _round_of(rule: Rule) -> int | None:
    """The number of a rule's present round; None where it has no schedule."""
    return int(time.time()) // seconds_of(rule.schedule) if rule.schedule else None


def _is_about(rule: Rule, message: RoundMessage) -> bool:
    """Whether the rule would ask there by itself: a queue is no place from which to have this app ask anybody else."""
    asked = message.repository is None or any(matches_text(glob, message.repository) for glob in rule.on.repository)
    return asked and message.registry in rule.on.registry


def _first_messages(rule: Rule, number: int) -> list[RoundMessage]:
    """One for each repository that the rule names, and one for the catalog where it has patterns."""
    plain = [name for name in rule.on.repository if not is_pattern(name)]
    repositories = [*plain, *([None] if len(plain) < len(rule.on.repository) else [])]
    return [
        RoundMessage(rule.name, number, registry, repository)
        for registry in rule.on.registry
        for repository in repositories
    ]
