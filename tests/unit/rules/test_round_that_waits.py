"""A check of a round whose source does not answer waits in the queue, and goes on from where it stopped."""

import base64
import json
import random
import time
from dataclasses import replace
from typing import Any

import pytest

from devtools.any_order import AnyOrder, Fate
from devtools.clockwork import CONNECTION_STRING
from devtools.emulator.faults import Answer, FaultRule
from devtools.rule_stage import SOURCE, TARGET, RuleStage
from devtools.sample_images import image, layer
from importcore.rounds.round_message import RoundMessage

RULES = f"""
version: 1
rules:
- {{name: hourly, on: {{registry: {SOURCE}, repository: app}}, to: '{TARGET}/{{repository}}:{{tag}}', schedule: 1h}}
"""


def check() -> RoundMessage:
    """A check of the present round."""
    return RoundMessage("hourly", int(time.time()) // 3_600, SOURCE, "app")


async def checked(status: int) -> tuple[AnyOrder, list[tuple[dict[str, object], float]]]:
    """Check three tags of which the second is answered with an error; what waits then, and for how long."""
    at = AnyOrder(random.Random(1), RuleStage(CONNECTION_STRING, RULES), longest=0.0)  # noqa: S311 (no secret)
    for tag in ("1", "2", "3"):
        await at.stage.push(image([layer(100)]), tag)
    ill = Answer(status=status, headers={"Retry-After": "90"})
    at.stage.registries[SOURCE].faults.add(FaultRule(method="HEAD", path="/manifests/2$", action=ill))
    await at.host(Fate()).rounds.check(check())
    waiting = [
        (json.loads(base64.b64decode(m.text)), m.visible_at - at.account.now) for m in at.account.messages.values()
    ]
    return at, [(value, seconds) for value, seconds in waiting if value.get("kind") == "check"]


@pytest.mark.parametrize("elsewhere", [{"registry": TARGET}, {"repository": "other"}])
async def test_a_check_asks_nobody_whom_the_rule_does_not_name(elsewhere: dict[str, Any]) -> None:
    """Whoever gets a message into the queue has the app ask for nothing by it that the rules do not have it ask for."""
    at = AnyOrder(random.Random(1), RuleStage(CONNECTION_STRING, RULES), longest=0.0)  # noqa: S311 (no secret)
    for registry in at.stage.registries.values():
        refuses = Answer(status=429, headers={"Retry-After": "90"})
        registry.faults.add(FaultRule(method="GET", path="/tags/list", action=refuses))

    await at.host(Fate()).rounds.check(replace(check(), **elsewhere))
    assert at.account.messages == {}  # else the check would wait for another try
    await at.host(Fate()).rounds.check(check())
    assert len(at.account.messages) == 1


async def test_what_may_pass_waits_and_goes_on_behind_the_last_tag() -> None:
    """For as long as the registry asks; the tags before are not asked for again."""
    at, ((value, seconds),) = await checked(429)
    assert (value["after"], round(seconds)) == ("1", 90)
    assert [record.source for record in at.records()] == [f"{SOURCE}/app:1"]
    again = RoundMessage.read(value)
    assert again is not None
    await at.host(Fate()).rounds.check(again)
    assert len(at.records()) == 3


async def test_what_cannot_pass_waits_for_the_next_round(caplog: pytest.LogCaptureFixture) -> None:
    """It is logged with what the registry answered; nothing is asked over and over."""
    at, waiting = await checked(403)
    assert (waiting, len(at.records())) == ([], 1)
    assert "round of hourly: source.test/app: " in caplog.text


@pytest.mark.parametrize(
    "value", [None, [], {}, {"v": 2, "kind": "check"}, json.loads(check().encode()) | {"after": 1}, {"kind": "again"}]
)
def test_other_messages_are_no_checks(value: object) -> None:
    """Events of Event Grid come by the same queue."""
    assert RoundMessage.read(value) is None
    assert RoundMessage.read(json.loads(check().encode())) == check()
