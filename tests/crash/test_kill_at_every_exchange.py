"""The same promise with real processes: a Functions host is killed with SIGKILL at every exchange of an import.

One import does everything at once: an index, a layer of several chunks and a small one, a referrer, into two
repositories, so that blobs are mounted.
"""

import asyncio
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from devtools.deadly_wire import Doom
from devtools.gauntlet import Case, World
from importcore.state.record import ImportRecord

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(600)]

AT_ONCE = 10


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def world(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    """Azurite, registries and a nursery of hosts."""
    async with World.made(tmp_path_factory.mktemp("hosts")) as made:
        yield made


async def undisturbed(world: World) -> list[str]:
    """All exchanges of an import that nothing disturbs."""
    case = Case(world, Doom())
    record = await case.play()
    assert await case.what_is_wrong(record) is None
    assert record.attempts == 1
    return case.doom.seen


async def played(world: World, dooms: list[Doom]) -> list[tuple[Doom, ImportRecord]]:
    """Play an import for each doom, many at once; every promise must have been kept."""
    at_once = asyncio.Semaphore(AT_ONCE)

    async def one(doom: Doom) -> tuple[ImportRecord, str | None]:
        async with at_once:
            case = Case(world, doom)
            record = await case.play()
            return record, await case.what_is_wrong(record)

    ends = await asyncio.gather(*map(one, dooms))
    told = zip(dooms, ends, strict=True)
    assert [f"{sorted(d.at)} {'half' if d.half else ''}: {wrong}" for d, (_, wrong) in told if wrong] == []
    return [(doom, record) for doom, (record, _) in zip(dooms, ends, strict=True)]


async def test_an_import_survives_a_kill_at_every_exchange(world: World) -> None:
    """Wherever the process is killed, the import succeeds, with equal bytes, and nothing is sent twice but a chunk."""
    seen = await undisturbed(world)
    assert len(seen) > 60
    ends = await played(world, [Doom(frozenset({number})) for number in range(len(seen))])
    # Heartbeats come by the clock: an import that meets fewer of them ends before the last exchanges are reached.
    assert sum(doom.dealt for doom, _ in ends) > 0.9 * len(seen)
    assert sum(record.resumptions for _, record in ends) > 0.7 * len(seen)


async def test_an_import_survives_a_kill_in_the_middle_of_every_body(world: World) -> None:
    """Half a chunk, half a blob or half a manifest had arrived when the process was killed."""
    seen = await undisturbed(world)
    bodies = [i for i, what in enumerate(seen) if what.split()[0] in {"PATCH", "PUT"} and "/v2/" in what]
    assert len(bodies) > 10
    ends = await played(world, [Doom(frozenset({number}), half=True) for number in bodies])
    assert sum(doom.dealt for doom, _ in ends) > 0.9 * len(bodies)


async def test_an_import_survives_two_kills_in_a_row(world: World) -> None:
    """The run that takes over is killed, too, a few exchanges after it began."""
    seen = await undisturbed(world)
    ends = await played(world, [Doom(frozenset({first, first + 1 + first % 7})) for first in range(0, len(seen), 4)])
    assert sum(doom.dealt for doom, _ in ends) > 1.5 * len(ends)
