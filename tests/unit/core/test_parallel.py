"""Doing several things at once: how many, in which order, and whose error is raised."""

import asyncio

import pytest

from importcore.deadline import OutOfTime
from importcore.errors import ContentError, StorageUnavailableError
from importcore.parallel import for_each, together

FINAL, PASSING = ContentError("final"), StorageUnavailableError("may pass")


@pytest.mark.parametrize("at_once", [1, 3, 50])
async def test_no_more_than_so_many_run_at_once(at_once: int) -> None:
    """And all are done, in their order of beginning."""
    running, most, begun = 0, 0, []

    async def work(item: int) -> None:
        nonlocal running, most
        begun.append(item)
        running += 1
        most = max(most, running)
        await asyncio.sleep(1 + item % 3)
        running -= 1

    await for_each(range(20), work, at_once=at_once)

    assert begun == list(range(20))
    assert most == min(at_once, 20)
    assert running == 0


@pytest.mark.parametrize(
    ("errors", "raised"),
    [
        ([PASSING, FINAL], ContentError),
        ([FINAL, PASSING], ContentError),
        ([PASSING, ValueError("bug")], ValueError),
        ([ValueError("bug"), FINAL], ContentError),
        ([PASSING, OutOfTime()], OutOfTime),
    ],
)
async def test_the_error_that_nobody_can_wait_out_is_raised(errors: list[Exception], raised: type[Exception]) -> None:
    """A fault that may pass must not hide one that will not."""
    barrier = asyncio.Barrier(len(errors))

    async def fail(error: Exception) -> None:
        await barrier.wait()
        raise error

    with pytest.raises(raised):
        await for_each(errors, fail, at_once=len(errors))


async def test_groups_within_groups_raise_one_error() -> None:
    """Callers never see an exception group."""

    async def inner() -> None:
        async with together() as group:
            group.create_task(fail(PASSING))
            group.create_task(fail(FINAL))

    async def fail(error: Exception) -> None:
        await asyncio.sleep(0)
        raise error

    async def both_raise() -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(inner())
            group.create_task(fail(PASSING))

    with pytest.raises(ContentError, match="final"):
        async with together() as group:
            group.create_task(both_raise())


async def test_the_first_trouble_stops_the_others() -> None:
    """What is under way is cancelled, what has not begun never begins."""
    begun, finished = [], []

    async def work(item: int) -> None:
        begun.append(item)
        if item == 1:
            raise FINAL
        await asyncio.sleep(10)
        finished.append(item)

    with pytest.raises(ContentError):
        await for_each(range(10), work, at_once=2)

    assert (begun, finished) == ([0, 1], [])


async def test_being_cancelled_stays_a_cancellation() -> None:
    """It is no error of the items, and each of them learns of it."""
    begun, stopped = asyncio.Event(), []

    async def work(item: int) -> None:
        begun.set()
        try:
            await asyncio.sleep(1000)
        except asyncio.CancelledError:
            stopped.append(item)
            raise

    task = asyncio.create_task(for_each(range(5), work, at_once=2))
    await begun.wait()
    task.cancel()

    with pytest.raises(asyncio.CancelledError):
        await task
    assert sorted(stopped) == [0, 1]


async def test_nothing_to_do_is_done_at_once() -> None:
    """An image whose blobs are all there already."""
    done: list[int] = []

    async def work(item: int) -> None:
        done.append(item)

    await for_each([], work, at_once=6)

    assert done == []
