"""How often one blob may be begun again, and how often it may stumble."""

import asyncio

import pytest

from importcore.deadline import Deadline, OutOfTime
from importcore.errors import DigestMismatchError, RateLimitedError, RegistryUnavailableError
from importcore.phases.attempts import BlobAttempts

BROKEN = RegistryUnavailableError("the connection broke", registry="r")


async def test_a_blob_is_restarted_three_times() -> None:
    """The fourth time its own error is raised."""
    attempts = BlobAttempts(Deadline(540))
    error = DigestMismatchError("other bytes")
    for _ in range(3):
        attempts.restart(error)

    with pytest.raises(DigestMismatchError) as caught:
        attempts.restart(error)

    assert caught.value is error


async def test_a_blob_may_stumble_as_often_as_it_moves() -> None:
    """A poor connection is slow, not an error."""
    attempts = BlobAttempts(Deadline(10_000))

    for offset in range(1, 101):
        await attempts.stumble(BROKEN, offset)
    for _ in range(4):
        await attempts.stumble(BROKEN, 100)

    with pytest.raises(RegistryUnavailableError):
        await attempts.stumble(BROKEN, 100)


async def test_a_restarted_blob_moves_again_from_zero() -> None:
    """What it had reached before says nothing any more."""
    attempts = BlobAttempts(Deadline(10_000))
    await attempts.stumble(BROKEN, 1000)
    for _ in range(3):
        await attempts.stumble(BROKEN, 1000)

    attempts.restart(BROKEN)
    for offset in (10, 20, 30, 40, 50, 60):
        await attempts.stumble(BROKEN, offset)

    for _ in range(4):
        await attempts.stumble(BROKEN, 60)
    with pytest.raises(RegistryUnavailableError):
        await attempts.stumble(BROKEN, 60)


async def test_waits_grow_and_stay_short() -> None:
    """A function that sleeps costs money: never more than five seconds, and more each time."""
    attempts, clock, waits = BlobAttempts(Deadline(540)), asyncio.get_running_loop().time, []
    for _ in range(5):
        before = clock()
        await attempts.stumble(BROKEN, 0)
        waits.append(clock() - before)

    assert all(0.1 <= wait <= 5.5 for wait in waits)
    assert waits[-1] > waits[0]


async def test_a_registry_that_asks_for_a_while_gets_it() -> None:
    """Up to five seconds here; what is longer is the queue's to wait for."""
    attempts, clock = BlobAttempts(Deadline(540)), asyncio.get_running_loop().time
    before = clock()
    await attempts.stumble(RateLimitedError("slow", registry="r", retry_after=5.0), 0)
    assert clock() - before >= 4.9

    with pytest.raises(RateLimitedError):
        await attempts.stumble(RateLimitedError("slower", registry="r", retry_after=5.1), 10)


async def test_nobody_waits_past_the_slice() -> None:
    """The run hands over instead."""
    deadline = Deadline(540)
    deadline.stop()

    with pytest.raises(OutOfTime):
        await BlobAttempts(deadline).stumble(BROKEN, 0)


async def test_a_slice_that_ends_over_trouble_ends_with_the_trouble() -> None:
    """So that the record names it, rather than that nothing moved."""
    with pytest.raises(RegistryUnavailableError) as caught:
        await BlobAttempts(Deadline(0.01)).stumble(BROKEN, 0)

    assert caught.value is BROKEN
