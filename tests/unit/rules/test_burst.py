"""A burst of events: each is taken, and each has its import in the queue and in the table."""

import asyncio
import base64
import json
import random

from devtools.any_order import AnyOrder, Fate
from devtools.rule_stage import SOURCE
from importcore.caller import Caller
from importcore.hooks.push_event import PushEvent
from importcore.state.record import Status

EVENTS = 1_000


async def test_a_thousand_events_are_taken_without_loss() -> None:
    """Through three hosts at once, some of them twice: a record and a message for each, and none besides."""
    at = AnyOrder(random.Random(1), longest=0.0)  # noqa: S311 (no secret)
    hosts = [at.host(Fate()) for _ in range(3)]
    door, digest = Caller.by_hook("acr"), "sha256:" + 64 * "a"
    events = [PushEvent(SOURCE, "app", f"{number}", digest, delivery=f"d{number}") for number in range(EVENTS)]

    async def told(number: int) -> str:
        (made,) = (await hosts[number % 3].reception.take(events[number % EVENTS], caller=door)).imports
        return made.import_id

    made = await asyncio.gather(*map(told, range(EVENTS + 50)))
    ids = {record.id for record in at.records()}
    queued = [json.loads(base64.b64decode(message.text))["importId"] for message in at.account.messages.values()]
    assert (len(ids), set(made), set(queued)) == (EVENTS, ids, ids)
    assert {record.status for record in at.records()} == {Status.QUEUED}
    assert len(queued) <= EVENTS + 50
