"""A burst of pushes: every one is accepted, none is lost, and the hosts that there are work them off."""

import asyncio
import json
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from devtools.door_stage import DoorStage
from devtools.emulator import create_emulator
from devtools.notice_stage import TARGET
from devtools.registry_content import RegistryContent
from devtools.rehearsal import open_host
from devtools.sample_images import image, layer
from importcore.api.hooks_api import take_delivery

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(120)]

BUSY, PUSHES, TAGS = "busy.test", 1_000, 20
IMAGE = image([layer(1_000)])


def told(number: int) -> bytes:
    """The webhook of one push."""
    at = datetime(2026, 3, 1, tzinfo=UTC) + timedelta(milliseconds=number)
    target: dict[str, Any] = {"repository": "busy/app", "tag": f"t{number % TAGS}", "digest": IMAGE.root}
    event = {"id": str(number), "timestamp": at.isoformat(), "action": "push", "target": target}
    return json.dumps({**event, "request": {"host": BUSY}}).encode()


async def test_a_thousand_pushes_are_accepted_and_worked_off(storage: str) -> None:
    """202 each, at two hosts; every tag is at the target in the end."""
    busy, target = create_emulator(), create_emulator()
    async with httpx.AsyncClient(transport=httpx.ASGITransport(busy.app), base_url="http://busy.test") as http:
        for number in range(TAGS):
            await RegistryContent(http, "busy/app").push(IMAGE, f"t{number}")
    hosts = json.dumps({BUSY: open_host(), TARGET: open_host()})
    stage = await DoorStage.set_up(storage, {BUSY: busy.app, TARGET: target.app}, TRANSLOAD_REGISTRIES=hosts)

    answered = await answers_to_all(stage)
    await asyncio.gather(*(stage.around.run_imports() for _ in range(2)))

    assert answered == {202: PUSHES}
    tags = target.state()["repositories"]["busy/app"]["tags"]
    assert tags == {f"t{number}": IMAGE.root for number in range(TAGS)}


async def answers_to_all(stage: DoorStage) -> Counter[int]:
    """Deliver every push, sixteen at a time at each of two hosts; how often each status was answered."""
    apps = [stage.around.worker() for _ in range(2)]
    left = iter(range(PUSHES))
    found: Counter[int] = Counter()

    async def sender(host: int) -> None:
        async def services() -> Any:  # noqa: ANN401 (the app of this host)
            return apps[host]

        for number in left:
            found[(await take_delivery(services, "acr", None, told(number), {})).status] += 1

    try:
        await asyncio.gather(*(sender(number % 2) for number in range(32)))
    finally:
        for app in apps:
            await app.aclose()
    return found
