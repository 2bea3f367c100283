"""Every state that the lease protocol can come into, within bounds: what must never be is nowhere."""

from collections import defaultdict, deque
from collections.abc import Iterator

import pytest

from tests.unit.core.lease_model import NOBODY, Rules, State, Worker, successors

WORKERS = 2
PUTS_AT_MOST = 3
"""The first message and two lease messages: as few as any of the broken promises below needs."""
BEGINNING = State(workers=(Worker(),) * WORKERS)
Before = defaultdict[State, set[State]]


def explored(rules: Rules, before: Before) -> Iterator[State]:
    """Every state that can be reached, nearest first; `before` gets what leads to each."""
    known, waiting = {BEGINNING}, deque([BEGINNING])
    while waiting:
        state = waiting.popleft()
        yield state
        for after in successors(state, rules, puts_at_most=PUTS_AT_MOST):
            before[after].add(state)
            if after not in known:
                known.add(after)
                waiting.append(after)


def leading_to_an_end(states: set[State], before: Before) -> set[State]:
    """The states from which somebody's steps can lead to the end of the import."""
    waiting = deque(state for state in states if state.final)
    found = set(waiting)
    while waiting:
        for state in before[waiting.popleft()] - found:
            found.add(state)
            waiting.append(state)
    return found


def has_two_owners(state: State) -> bool:
    """Whether a run that was replaced has changed something, or two hold the message that may act."""
    return state.trespassed or len(state.owners()) > 1


def has_no_message(state: State) -> bool:
    """Whether no message can act: neither the one that the record names nor, before the first claim, the first one."""
    return not state.final and state.message(max(state.lease_id, 0)) is None


@pytest.fixture(scope="module")
def world() -> tuple[set[State], Before]:
    """The protocol as it is: its states, and what leads to each."""
    before: Before = defaultdict(set)
    return set(explored(Rules(), before)), before


def test_a_run_that_was_replaced_changes_nothing(world: tuple[set[State], Before]) -> None:
    """No heartbeat and no hand-over succeeds but the owner's, and there is one owner at most."""
    assert len(world[0]) > 1_000
    assert [state for state in world[0] if has_two_owners(state)] == []


def test_there_always_is_a_message_that_can_act(world: tuple[set[State], Before]) -> None:
    """Until the import has ended, whoever dies wherever."""
    assert [state for state in world[0] if has_no_message(state)] == []


def test_no_state_is_a_dead_end(world: tuple[set[State], Before]) -> None:
    """From each of them the import can come to its end, while there is a message left to put."""
    states, before = world
    stuck = states - leading_to_an_end(states, before)
    assert [state for state in stuck if state.put < PUTS_AT_MOST] == []


def test_an_import_can_be_claimed_and_ended(world: tuple[set[State], Before]) -> None:
    """The model does what it models."""
    assert any(state.lease_id != NOBODY and state.owners() for state in world[0])
    assert any(state.final and not state.messages for state in world[0])


@pytest.mark.parametrize("without", Rules._fields)
def test_each_rule_is_needed(without: str) -> None:
    """Without any one of them a promise is broken in some state."""
    rules = Rules()._replace(**{without: False})
    assert any(has_two_owners(state) or has_no_message(state) for state in explored(rules, defaultdict(set)))
