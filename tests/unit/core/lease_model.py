"""The lease protocol as a state machine in the manner of TLA+, small enough to be looked at whole.

Each action is one atomic step of storage: receive, read, put, compare-and-swap, update, delete. Time has no numbers: a
message that is hidden may become visible at any moment, a worker may stop between any two steps for any time, and die.
`docs/decisions/0013-lease-specification.md` says the same in TLA+; `test_lease_model.py` looks at every state.
"""

from collections.abc import Iterator
from enum import IntEnum
from typing import NamedTuple

FIRST = 0
"""The message that the API put; lease messages count up from it."""
NOBODY = -1
NOW, OLD, NEW = 0, 1, 2
"""Pop receipts and ETags matter by being the latest or not: that is all that is kept of them between two steps."""


class At(IntEnum):
    """Where a worker is."""

    IDLE = 0
    RECEIVED = 1  # has a message
    READ = 2  # has read the record: its message may act
    SENT = 3  # has put a lease message
    STALE = 4  # has read the record: its message may not act, and a claim may still name it
    OWNS = 5  # runs the import
    ENDED = 6  # has written the end of the import


class Worker(NamedTuple):
    """A worker: the message it received, the lease message it put, and what it knows of both and of the record."""

    at: At = At.IDLE
    message: int = NOBODY
    message_receipt: int = NOW
    lease: int = NOBODY
    receipt: int = NOW
    version: int = NOW


class Message(NamedTuple):
    """A message in the queue: its latest receipt, whether it can be received, and which attempt it is for."""

    id: int
    attempt: int
    receipt: int = NOW
    visible: bool = False


class Rules(NamedTuple):
    """What makes the protocol safe; a test takes each away."""

    fence: bool = True
    looks_at_lease_id: bool = True
    compares: bool = True
    spoils_before_it_drops: bool = True


class State(NamedTuple):
    """The record, the queue and the workers."""

    workers: tuple[Worker, ...]
    messages: tuple[Message, ...] = (Message(FIRST, 0, visible=True),)
    lease_id: int = NOBODY
    attempts: int = 0
    version: int = NOW
    final: bool = False
    put: int = 1
    trespassed: bool = False
    """Somebody who was not the owner changed the message of a run."""

    def message(self, number: int) -> Message | None:
        """A message by its id."""
        for each in self.messages:
            if each.id == number:
                return each
        return None

    def owners(self) -> list[Worker]:
        """The workers that can change the message which the record names."""
        held = self.message(self.lease_id)
        return [w for w in self.workers if w.at is At.OWNS and held and (w.lease, w.receipt) == (held.id, held.receipt)]


def successors(state: State, rules: Rules, *, puts_at_most: int) -> Iterator[State]:
    """Every state that one step of anybody leads to."""
    for message in state.messages:
        if not message.visible:
            yield _changed(state, message, message._replace(visible=True))
    for number, worker in enumerate(state.workers):
        for after, known in _steps(state, worker, rules, puts_at_most):
            workers = (*state.workers[:number], known, *state.workers[number + 1 :])
            yield _forgetting(after._replace(workers=workers))


def _steps(state: State, w: Worker, rules: Rules, puts_at_most: int) -> Iterator[tuple[State, Worker]]:
    if w.at is At.IDLE:
        yield from _receives(state)
        return
    yield state, Worker()  # it dies; the message that the host gave it comes back by itself
    if w.at is At.RECEIVED:
        yield _reads(state, w, rules)
    elif w.at is At.READ and state.put < puts_at_most:
        lease = Message(state.put, state.attempts + 1)
        put = state._replace(messages=(*state.messages, lease), put=state.put + 1)
        yield put, w._replace(at=At.SENT, lease=lease.id, receipt=NOW)
    elif w.at is At.SENT:
        yield _claims(state, w, rules)
    elif w.at is At.STALE:
        if state.version == w.version:  # writes the record as it stands, so that no claim that read it can succeed
            yield _returned(state._replace(version=NEW), w), Worker()
        else:
            yield state, w._replace(at=At.RECEIVED)
    elif w.at is At.OWNS:
        yield from _runs(state, w, rules)
    elif w.at is At.ENDED:
        held = state.message(w.lease)
        mine = held and held.receipt == w.receipt
        yield _returned(_changed(state, held, None) if held and mine else state, w), Worker()


def _receives(state: State) -> Iterator[tuple[State, Worker]]:
    """Receive any message that is visible; it is hidden then."""
    for message in state.messages:
        if message.visible:
            taken = message._replace(receipt=NEW, visible=False)
            yield _changed(state, message, taken), Worker(At.RECEIVED, taken.id, NEW)


def _reads(state: State, w: Worker, rules: Rules) -> tuple[State, Worker]:
    """Read the record, and look whether the message may act."""
    if not state.final and (state.lease_id in {NOBODY, w.message} or not rules.looks_at_lease_id):
        return state, w._replace(at=At.READ, version=state.version)
    received = state.message(w.message)
    to_come = received is not None and received.attempt >= state.attempts and not state.final
    if to_come and rules.spoils_before_it_drops:
        return state, w._replace(at=At.STALE, version=state.version)
    return _returned(state, w), Worker()


def _claims(state: State, w: Worker, rules: Rules) -> tuple[State, Worker]:
    """Name the lease message in the record, by compare-and-swap; refused, delete it and read again."""
    if state.version == w.version or not rules.compares:
        named = state._replace(lease_id=w.lease, version=NEW, attempts=state.attempts + 1)
        return named, w._replace(at=At.OWNS, version=NOW)
    held = state.message(w.lease)
    kept = _changed(state, held, None) if held and held.receipt == w.receipt else state
    return kept, w._replace(at=At.RECEIVED, lease=NOBODY, receipt=NOW)


def _runs(state: State, w: Worker, rules: Rules) -> Iterator[tuple[State, Worker]]:
    """A heartbeat, a hand-over, the end; whom the queue refuses stops at once."""
    held = state.message(w.lease)
    if held is None or (rules.fence and held.receipt != w.receipt):
        yield _returned(state, w), Worker()
        return
    seen = state._replace(trespassed=state.trespassed or w not in state.owners())
    yield _changed(seen, held, held._replace(receipt=NEW, visible=False)), w._replace(receipt=NEW)
    yield _returned(_changed(seen, held, held._replace(receipt=NEW, visible=True)), w), Worker()
    if state.lease_id == w.lease and not state.final:
        yield state._replace(final=True, version=NEW), w._replace(at=At.ENDED)


def _returned(state: State, w: Worker) -> State:
    """The function returned: the host deletes the message that it gave it, if it still holds it."""
    held = state.message(w.message)
    return _changed(state, held, None) if held and held.receipt == w.message_receipt else state


def _changed(state: State, before: Message, after: Message | None) -> State:
    others = [message for message in state.messages if message.id != before.id]
    return state._replace(messages=tuple(sorted([*others, after] if after else others)))


def _forgetting(state: State) -> State:
    """Keep of receipts and ETags only whether they are the latest, and of the workers not who is who."""
    latest = {message.id: message.receipt for message in state.messages}
    workers = [
        w
        if w.at is At.IDLE
        else w._replace(
            message_receipt=NOW if w.message_receipt == latest.get(w.message) else OLD,
            receipt=NOW if w.receipt == latest.get(w.lease) else OLD,
            version=NOW if w.version == state.version else OLD,
        )
        for w in state.workers
    ]
    messages = tuple(message._replace(receipt=NOW) for message in state.messages)
    return state._replace(workers=tuple(sorted(workers)), messages=messages, version=NOW)
