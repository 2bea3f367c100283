"""The queue `events`, where Event Grid delivers: no public endpoint, and whoever may write there is Azure's to say.

The host delivers a message five times within a minute or so and then gives it up; rules that are wrong for an hour must
lose nothing. So what is not taken is put back by this app itself, for a day at most, as Event Grid would; and what
cannot be read goes into `events-poison` at once, with the reason. The checks of rules with a schedule come here, too.
"""

import logging
from dataclasses import replace
from datetime import timedelta
from typing import Any

from importcore.caller import Caller
from importcore.doors.event_message import EventMessage, as_text, given_up
from importcore.doors.handing_in import Receives, hand_in
from importcore.hooks import eventgrid
from importcore.hooks.payload import MalformedEventError, Payload
from importcore.hooks.push_event import heard
from importcore.reception.taken import EventNotTakenError
from importcore.rounds.round_message import RoundMessage
from importcore.rounds.rounds import Rounds
from importcore.state.record import now
from importcore.storage.queue import ImportQueue

DOOR = "eventgrid"
"""What the policy and the audit log call this door; the webhook of Event Grid is the same to them."""
_FIRST_PAUSE_SECONDS = 30.0
_PAUSE_AT_MOST = 1_800.0
_WAITS_AT_MOST = timedelta(days=1)
_log = logging.getLogger("transload")


class EventMessages:
    """Works the queue `events` off."""

    def __init__(
        self,
        reception: Receives,
        rounds: Rounds,
        queue: ImportQueue,
        poison: ImportQueue,
        *,
        registry: str | None = None,
    ) -> None:
        """Take what it needs; `registry` is what the settings say that the hook `eventgrid` is about."""
        self._rounds = rounds
        self._reception = reception
        self._queue = queue
        self._poison = poison
        self._registry = registry

    async def take(self, body: bytes) -> None:
        """Take one message.

        Raises:
            StorageUnavailableError: The host delivers it again.
            ConfigurationError: So it does with a check of a round, where the rules are wrong.
        """
        try:
            message = EventMessage.decode(body)
        except MalformedEventError as error:
            await self._give_up(as_text(body), error.message)
            return
        check = RoundMessage.read(message.value)
        if check is not None:
            await self._rounds.check(check)
            return
        for event in message.value if isinstance(message.value, list) else [message.value]:
            await self._take_one(replace(message, value=event))

    async def _take_one(self, message: EventMessage) -> None:
        try:
            told = heard(eventgrid.read_event(Payload(message.value), self._registry))
            heeded = await hand_in(told, self._reception, Caller.by_hook(DOOR))
        except MalformedEventError as error:
            await self._give_up(message.value, error.message)
        except EventNotTakenError as error:
            await self._put_off(message, error)
        else:
            _log.info("event: %d imports, %d ignored", len(heeded.imports), len(heeded.ignored))

    async def _put_off(self, message: EventMessage, error: EventNotTakenError) -> None:
        """The next message first: a death in between takes the event twice, which is once."""
        moment = now()
        if message.since is not None and moment - message.since > _WAITS_AT_MOST:
            await self._give_up(message.value, error.message)
            return
        pause = max(error.retry_after or 0.0, min(_PAUSE_AT_MOST, _FIRST_PAUSE_SECONDS * 2 ** min(message.attempt, 16)))
        await self._queue.send(message.again(moment), visible_in=pause)
        _log.warning("an event waits %.0f s: %s", pause, error.message)

    async def _give_up(self, event: Any, reason: str) -> None:  # noqa: ANN401 (whatever JSON holds)
        await self._poison.send(given_up(event, reason))
        _log.error("an event was given up and is in the poison queue: %s", reason)
