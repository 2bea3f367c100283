"""An import of a rule, at the moments that decide: the source moves before and while the target's tag is written.

The registries are emulated, the storage account is in memory; what is to happen at one exchange happens there.
"""

import json
import random
from collections.abc import Awaitable, Callable

from devtools.any_order import AnyOrder
from devtools.rule_stage import SOURCE, TARGET
from devtools.sample_images import SampleImage, image, layer
from importcore.state.record import Status

IMAGES = [image([layer(100, number)]) for number in range(8)]
TAG_WRITTEN = f"PUT {TARGET} /v2/app/manifests/1"
MANIFEST_WRITTEN = f"PUT {TARGET} /v2/app/manifests/sha256:"
SOURCE_ASKED = f"HEAD {SOURCE} /v2/app/manifests/1"


def world() -> AnyOrder:
    """A world in which nothing takes long."""
    return AnyOrder(random.Random(1), longest=0.0)  # noqa: S311 (no secret)


def history(at: AnyOrder, number: int = 0) -> list[str]:
    """What happened to an import."""
    return [event.event for event in at.records()[number].history]


def pushing(at: AnyOrder, *contents: SampleImage) -> Callable[[], Awaitable[None]]:
    """Push the next of some images, without an event, each time when the tag at the target is written."""
    left = list(contents)

    async def push() -> None:
        await at.stage.push(left.pop(0))
        if left:
            at.after[TAG_WRITTEN] = push

    return push


async def test_a_push_while_the_tag_is_written_is_followed() -> None:
    """Nobody tells of it, and the target ends on it all the same, by the same import."""
    at = world()
    await at.tell(await at.stage.push(IMAGES[0]))
    at.after[TAG_WRITTEN] = pushing(at, IMAGES[1])
    await at.work()
    (record,) = at.records()
    assert at.written == [IMAGES[0].root, IMAGES[1].root]
    assert (record.status, record.digest, record.targets[0].digest) == (
        Status.SUCCEEDED, IMAGES[1].root, IMAGES[1].root
    )  # fmt: skip
    assert history(at) == ["Queued", "Started", "Planned", "SourceMoved", "Planned", "Succeeded"]


async def test_what_has_moved_before_the_tag_is_written_is_not_written() -> None:
    """The older image is brought, and never gets the tag."""
    at = world()
    await at.tell(await at.stage.push(IMAGES[0]))
    at.after[MANIFEST_WRITTEN] = pushing(at, IMAGES[1])
    await at.work()
    assert at.written == [IMAGES[1].root]


async def test_a_tag_that_does_not_come_to_rest_sends_the_import_back_into_the_queue() -> None:
    """After five rounds another run goes on, so that nothing else is kept waiting; it ends on the newest."""
    at = world()
    await at.tell(await at.stage.push(IMAGES[0]))
    at.after[TAG_WRITTEN] = pushing(at, *IMAGES[1:])
    await at.work()
    (record,) = at.records()
    assert (record.status, record.digest, record.attempts) == (Status.SUCCEEDED, IMAGES[-1].root, 2)
    assert at.written == [content.root for content in IMAGES]


async def test_an_event_that_comes_after_the_last_comparison_has_its_own_import() -> None:
    """The import that runs then has asked the source for the last time: it must not stand for that event."""
    at = world()
    await at.tell(await at.stage.push(IMAGES[0]))

    async def asked_before_the_tags() -> None:
        at.after[SOURCE_ASKED] = asked_after_the_tags

    async def asked_after_the_tags() -> None:
        await at.tell(await at.stage.push(IMAGES[1]))

    at.after[SOURCE_ASKED] = asked_before_the_tags
    await at.work()
    assert [record.digest for record in at.records()] == [IMAGES[0].root, IMAGES[1].root]
    assert at.stage.tag() == IMAGES[1].root


async def test_while_one_import_writes_a_tag_another_sleeps_and_stands_for_all_that_come() -> None:
    """Of three pushes during an import, one import is made; it waits, and says for whom."""
    at = world()
    await at.tell(await at.stage.push(IMAGES[0]))
    asleep = []

    async def more() -> None:
        await at.tell(await at.stage.push(IMAGES[1]))
        await at.work_once()
        asleep.append(at.records()[1])
        for content in IMAGES[2:4]:
            await at.tell(await at.stage.push(content))

    at.after[MANIFEST_WRITTEN] = more
    await at.work()
    first, second = at.records()
    assert (asleep[0].status, asleep[0].behind) == (Status.RUNNING, first.id)
    assert history(at, 1)[:3] == ["Queued", "Started", "Waiting"]
    assert (second.status, second.behind, at.stage.tag()) == (Status.SUCCEEDED, None, IMAGES[3].root)


async def test_a_run_whose_tag_another_import_holds_writes_nothing() -> None:
    """It slept for longer than its lease, and what it knows is old: it stops, and its message brings it back."""
    at = world()
    await at.tell(await at.stage.push(IMAGES[0]))

    async def stolen() -> None:
        (note,) = (entity.values for (partition, _), entity in at.account.entities.items() if partition == "tags")
        note["Note"] = json.dumps(json.loads(note["Note"]) | {"holder": "another"})

    at.after[MANIFEST_WRITTEN] = stolen
    await at.work_once()
    assert (at.written, at.records()[0].status) == ([], Status.RUNNING)
    await at.work()
    assert (at.written, at.records()[0].status) == ([IMAGES[0].root], Status.SUCCEEDED)


async def test_an_import_that_sleeps_behind_another_can_be_canceled() -> None:
    """It need not wait for the other one to end."""
    at = world()
    await at.tell(await at.stage.push(IMAGES[0]))

    async def canceled() -> None:
        await at.tell(await at.stage.push(IMAGES[1]))
        await at.work_once()
        await at.cancel(at.records()[1].id)
        await at.work_once()
        assert at.records()[1].status is Status.CANCELED

    at.after[MANIFEST_WRITTEN] = canceled
    await at.work()
    assert [record.status for record in at.records()] == [Status.SUCCEEDED, Status.CANCELED]


async def test_a_tag_that_is_deleted_meanwhile_is_no_move() -> None:
    """What was planned is brought: nothing is deleted here."""
    at = world()
    await at.tell(await at.stage.push(IMAGES[0]))

    async def deleted() -> None:
        at.stage.registries[SOURCE].catalog.remove_tag("app", "1")

    at.after[MANIFEST_WRITTEN] = deleted
    await at.work()
    assert (at.stage.tag(), at.records()[0].status) == (IMAGES[0].root, Status.SUCCEEDED)
