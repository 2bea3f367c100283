"""The queue where Event Grid delivers: what is taken, what waits, what is given up, and that nothing is lost."""

import base64
import json
from datetime import timedelta

import pytest

from devtools.door_stage import DoorStage
from importcore.doors.event_message import EventMessage
from importcore.state.record import now
from tests.unit.hooks.hook_samples import sample

pytestmark = pytest.mark.asyncio(loop_scope="session")

PUSH = sample("eventgrid", "eventgrid-push").value[0]
SOURCE = "myregistry.azurecr.io/team/app:1.0"
WRONG_RULES = {"TRANSLOAD_RULES": "version: 1\nrules: nothing"}


@pytest.mark.parametrize(
    "message",
    [
        PUSH,
        [PUSH],
        sample("eventgrid", "eventgrid-cloudevent").value,
        base64.b64encode(json.dumps(PUSH).encode()).decode(),
    ],
    ids=["event", "batch", "cloudevent", "twice-encoded"],
)
async def test_an_event_starts_its_import(storage: str, message: object) -> None:
    """In either schema; delivered twice, it starts one."""
    stage = await DoorStage.set_up(storage)
    for _ in range(2):
        await stage.put_event(message)
        await stage.take_events()

    assert await stage.sources() == [SOURCE]
    assert (await stage.waiting_events(), await stage.given_up()) == (0, [])


async def test_what_is_no_push_is_taken_and_leads_to_nothing(storage: str) -> None:
    """A delete; an event of something that is no registry."""
    stage = await DoorStage.set_up(storage)
    await stage.put_event(sample("eventgrid", "eventgrid-batch").value[1])
    await stage.put_event({**PUSH, "eventType": "Microsoft.Storage.BlobCreated"})
    await stage.take_events()

    assert await stage.sources() == []
    assert (await stage.waiting_events(), await stage.given_up()) == (0, [])


@pytest.mark.parametrize(
    ("message", "kept", "reason"),
    [
        ("no JSON", "no JSON", "is no JSON"),
        ("5", 5, "type"),
        ({**PUSH, "data": {}}, {**PUSH, "data": {}}, "data.action"),
    ],
)
async def test_what_cannot_be_read_is_kept_with_the_reason(
    storage: str, message: object, kept: object, reason: str
) -> None:
    """At once, in the poison queue, beside an event of the same batch that could be read."""
    stage = await DoorStage.set_up(storage)
    await stage.put_event(message)
    await stage.take_events()
    (given_up,) = await stage.given_up()

    assert (given_up["kind"], given_up["event"]) == ("given-up", kept)
    assert reason in given_up["reason"]
    assert await stage.waiting_events() == 0


async def test_a_batch_is_taken_but_for_what_cannot_be_read(storage: str) -> None:
    """That alone is given up."""
    stage = await DoorStage.set_up(storage)
    await stage.put_event([{"eventType": "ImagePushed"}, PUSH])
    await stage.take_events()

    assert await stage.sources() == [SOURCE]
    assert [each["event"] for each in await stage.given_up()] == [{"eventType": "ImagePushed"}]


async def test_an_event_waits_for_as_long_as_the_rules_are_wrong(storage: str) -> None:
    """In a message of its own, which is not visible for a while, and which the corrected app takes."""
    stage = await DoorStage.set_up(storage)
    await stage.put_event(PUSH)
    await stage.with_settings(**WRONG_RULES).take_events()
    assert (await stage.waiting_events(), await stage.sources()) == (1, [])

    await stage.put_event(EventMessage(PUSH).again(now()))
    await stage.take_events()

    assert await stage.sources() == [SOURCE]
    assert await stage.given_up() == []


async def test_after_a_day_an_event_is_given_up_and_can_be_put_back(storage: str) -> None:
    """It is moved back into the queue as it stands in the poison queue."""
    stage = await DoorStage.set_up(storage)
    await stage.put_event(EventMessage(PUSH, 60, now() - timedelta(hours=25)).again(now()))
    await stage.with_settings(**WRONG_RULES).take_events()
    (given_up,) = await stage.given_up()
    assert "the rules or the policy are wrong" in given_up["reason"]
    assert await stage.waiting_events() == 0

    await stage.put_event(given_up)
    await stage.take_events()

    assert await stage.sources() == [SOURCE]
