"""How long a run may go on: its slice, or until the process is asked to end."""

import asyncio

import pytest

from importcore.deadline import Deadline, OutOfTime


async def test_a_slice_ends() -> None:
    """Before that, asking changes nothing."""
    deadline = Deadline(540)

    await asyncio.sleep(539)
    deadline.check()
    assert 0 < deadline.remaining <= 1
    await asyncio.sleep(1)

    with pytest.raises(OutOfTime):
        deadline.check()
    assert deadline.remaining == 0
    assert not deadline.stopped


async def test_a_stop_ends_it_at_once() -> None:
    """Whoever waits for it learns of it, and there is no time left."""
    deadline = Deadline(540)
    waiting = asyncio.create_task(deadline.wait_stopped())
    await asyncio.sleep(1)
    assert not waiting.done()

    deadline.stop()
    await waiting

    assert deadline.stopped
    assert deadline.remaining == 0
    with pytest.raises(OutOfTime):
        deadline.check()
