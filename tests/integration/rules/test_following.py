"""Imports of rules end with the target on what the source tag stands on, whatever the order of events and workers."""

import asyncio
import random
from dataclasses import replace

import pytest

from devtools.rule_stage import SOURCE, RuleStage
from devtools.sample_images import image, layer
from importcore.state.record import Status

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_a_push_is_an_import(storage: str) -> None:
    """The event of one push leads to one import, asked for by the rule, and the target has the image."""
    stage = await RuleStage(storage).set_up()
    event = await stage.push(image([layer(1_000)]))
    (taken,) = await stage.tell(event)
    await stage.work_off()
    (record,) = await stage.records()
    assert [made.import_id for made in taken.imports] == [record.id]
    assert (record.status, record.follows, record.asked_by and record.asked_by.identity) == (
        Status.SUCCEEDED, True, "rule:mirror"
    )  # fmt: skip
    assert stage.tag() == event.digest


async def test_an_event_that_comes_five_times_is_one_import(storage: str) -> None:
    """At once, one after the other, and after the import has ended."""
    stage = await RuleStage(storage).set_up()
    event = await stage.push(image([layer(1_000)]))
    at_once = await stage.tell(event, event, event)
    again = await stage.tell(event)
    await stage.work_off(2)
    after = await stage.tell(event)
    (record,) = await stage.records()
    assert {made.import_id for taken in (*at_once, *again, *after) for made in taken.imports} == {record.id}
    assert (record.status, stage.tag_puts()) == (Status.SUCCEEDED, 1)


@pytest.mark.parametrize("seed", range(3))
async def test_ten_pushes_end_on_the_newest_whatever_the_order(storage: str, seed: int) -> None:
    """Ten pushes of one tag; their events are shuffled and told to several hosts while several others work."""
    chance = random.Random(seed)  # noqa: S311 (no secret)
    stage = await RuleStage(storage).set_up()
    events = [await stage.push(image([layer(500, number)])) for number in range(4)]
    early = chance.sample(events, len(events))
    await stage.tell(*early[:2])

    async def go_on() -> None:
        later = [await stage.push(image([layer(500, 4 + number)])) for number in range(6)]
        events.extend(later)
        rest = [*early[2:], *later, *chance.sample(events, 3)]
        chance.shuffle(rest)
        await asyncio.gather(*(stage.tell(event) for event in rest))

    await asyncio.gather(go_on(), stage.work_off(3))
    await stage.work_off(3)
    assert stage.tag() == events[-1].digest
    assert {record.status for record in await stage.records()} == {Status.SUCCEEDED}


async def test_events_before_an_import_begins_are_all_its_own(storage: str) -> None:
    """Ten pushes before anybody works are one import, and it brings the newest."""
    stage = await RuleStage(storage).set_up()
    events = [await stage.push(image([layer(500, number)])) for number in range(10)]
    for event in events:
        await stage.tell(event)
    await stage.work_off(2)
    (record,) = await stage.records()
    assert (record.digest, stage.tag(), stage.tag_puts()) == (events[-1].digest, events[-1].digest, 1)


async def test_a_burst_is_worked_off_by_however_many_hosts_there_are(storage: str) -> None:
    """Thirty tags told twice within a moment: each is one import, and three hosts bring them all."""
    stage = await RuleStage(storage).set_up()
    content = image([layer(300)])
    events = [await stage.push(content, "0")]
    for number in range(1, 30):
        stage.registries[SOURCE].catalog.put_tag("app", f"{number}", content.root)
        events.append(replace(events[0], tag=f"{number}"))
    app = stage.born()
    await stage.tell(*events, *events, host=app)
    await app.aclose()
    await stage.work_off(3)
    records = await stage.records()
    assert (len(records), {record.status for record in records}) == (30, {Status.SUCCEEDED})
    assert {stage.tag(event.tag or "") for event in events} == {content.root}
