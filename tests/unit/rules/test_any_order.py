"""Ten pushes of one tag, in many orders of events, hosts, exchanges and deaths: the target ends on the newest."""

import asyncio
import random

import pytest

from devtools.any_order import AnyOrder
from devtools.rule_stage import SOURCE
from devtools.sample_images import image, layer

IMAGES = [image([layer(100, number)]) for number in range(10)]
ORDER = {content.root: number for number, content in enumerate(IMAGES)}


@pytest.mark.parametrize("seed", range(20))
async def test_the_target_ends_on_the_newest_and_never_goes_back(seed: int) -> None:
    """Events come late, twice and shuffled, hosts die, answers get lost; the tag only ever gets newer."""
    chance = random.Random(seed)  # noqa: S311 (no secret)
    world = AnyOrder(chance, lost_answers=chance.choice([0.0, 0.05]))

    async def pushes() -> None:
        world.still_to_come += 1
        told = []
        for content in IMAGES:
            event = await world.stage.push(content)
            late = [chance.uniform(0, 20) for _ in range(chance.choice([1, 1, 1, 2]))]
            told += [asyncio.create_task(world.tell(event, after)) for after in late]
            await asyncio.sleep(chance.choice([0.0, 0.5, chance.uniform(0, 10)]))
        await asyncio.gather(*told)
        world.still_to_come -= 1

    deaths = [chance.choice([None, chance.uniform(0, 40)]) for _ in range(3)]
    await asyncio.gather(pushes(), *(world.work(dies_after=after) for after in deaths))
    assert world.stage.tag() == world.stage.tag(at=SOURCE) == IMAGES[-1].root
    written = [ORDER[digest] for digest in world.written]
    assert written == sorted(written)
