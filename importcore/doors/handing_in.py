"""Hands the pushes of one delivery to the reception, and gathers what became of them all."""

from dataclasses import dataclass
from typing import Protocol

from importcore.caller import Caller
from importcore.errors import TransloadError
from importcore.hooks.push_event import Heard, PushEvent
from importcore.parallel import for_each
from importcore.reception.taken import Made, Taken
from importcore.request.callback import Callback

_AT_ONCE = 8
"""Event Grid waits 30 seconds for the answer to a batch, and each push costs some exchanges with storage."""


class Receives(Protocol):
    """The reception, as the doors see it."""

    async def take(self, event: PushEvent, *, caller: Caller, callback: Callback | None = None) -> Taken:
        """Take an event, so that it need not be told again.

        Raises:
            EventNotTakenError: It must be told again.
        """
        ...


@dataclass(frozen=True, slots=True)
class Unheeded:
    """Something that was told and led to no import: what, why not, and by which rule where one decided it."""

    what: str
    reason: str
    rule: str | None = None


@dataclass(frozen=True, slots=True)
class Heeded:
    """What became of one delivery.

    Attributes:
        imports: The imports that follow.
        ignored: What led to none.
        validation_code: What Event Grid's handshake is answered with.
        refusal: Why nobody will be called whom the sender names; for the audit log.
    """

    imports: tuple[Made, ...] = ()
    ignored: tuple[Unheeded, ...] = ()
    validation_code: str | None = None
    refusal: TransloadError | None = None


async def hand_in(heard: Heard, reception: Receives, caller: Caller, callback: Callback | None = None) -> Heeded:
    """Hand in every push of a delivery.

    Raises:
        EventNotTakenError: One was not taken, so the whole delivery must come again; what was taken is known by then.
    """
    taken: dict[int, Taken] = {}

    async def take(numbered: tuple[int, PushEvent]) -> None:
        number, event = numbered
        taken[number] = await reception.take(event, caller=caller, callback=callback)

    await for_each(enumerate(heard.pushes), take, at_once=_AT_ONCE)
    passed = [
        Unheeded(f"push {push.source}", one.reason, one.rule)
        for number, push in enumerate(heard.pushes)
        for one in taken[number].passed
    ]
    return Heeded(
        imports=tuple(made for number in range(len(taken)) for made in taken[number].imports),
        ignored=(*(Unheeded(one.what, one.reason) for one in heard.ignored), *passed),
        validation_code=heard.validation_code,
    )
