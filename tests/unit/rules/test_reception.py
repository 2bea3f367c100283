"""The reception: an event is taken whole or is to be delivered again; nothing is lost, and nothing is made twice."""

import json
import logging
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

import pytest
from azure.core.exceptions import ServiceRequestError

from devtools.clockwork import CONNECTION_STRING, ClockworkAccount, ClockworkTransport
from devtools.rehearsal import app_settings
from importcore.audit import LOGGER
from importcore.caller import Caller
from importcore.errors import StorageUnavailableError
from importcore.hooks.push_event import PushEvent
from importcore.reception.taken import EventNotTakenError
from importcore.request.model import read_import_request
from importcore.state.record import now
from importcore.wiring import Services, build

TWO_RULES = """
version: 1
rules:
- {name: first, on: {registry: source.example}, to: "target.example/{repository}:{tag}"}
- {name: second, on: {registry: source.example}, to: "target.example/second:{tag}"}
"""
POLICY = """
version: 1
callers:
- {name: second, who: ["rule:second"], import: [{from: ["**"]}]}
- {name: acr, who: ["hook:acr"]}
"""
PUSHED = PushEvent("source.example", "app", "1", "sha256:" + 64 * "a", datetime(2026, 1, 2, tzinfo=UTC))
ACR = Caller.by_hook("acr", "192.0.2.1")


def app(
    account: ClockworkAccount, *, fails_from: int | None = None, rules: str = TWO_RULES, policy: str = ""
) -> Services:
    """An app; from one of its exchanges with storage on, none gets through any more."""
    exchanges = count()

    async def fails(method: str, path: str) -> None:
        if fails_from is not None and next(exchanges) >= fails_from:
            raise ServiceRequestError(f"{method} {path}")

    more = {name: text for name, text in (("TRANSLOAD_RULES", rules), ("TRANSLOAD_POLICY", policy)) if text}
    transport = ClockworkTransport(account, before=fails)
    return build(
        app_settings(CONNECTION_STRING, "target.example", {}, **more), storage_options={"transport": transport}
    )


def imports(account: ClockworkAccount) -> set[str]:
    """The ids of all records."""
    return {row for partition, row in account.entities if partition == "imports"}


def audit_lines(caplog: pytest.LogCaptureFixture) -> list[dict[str, Any]]:
    """What the audit log got."""
    return [json.loads(record.getMessage()) for record in caplog.records if record.name == LOGGER]


@pytest.mark.parametrize("exchange", range(12))
async def test_storage_that_fails_at_any_exchange_loses_nothing_and_doubles_nothing(exchange: int) -> None:
    """The sender is told to deliver again; then there is one import for each rule, and a message for each."""
    account = ClockworkAccount()
    with pytest.raises(EventNotTakenError, match="the event was not taken: storage did not answer") as caught:
        await app(account, fails_from=exchange).reception.take(PUSHED, caller=ACR)
    assert caught.value.retry_after == 30.0
    taken = await app(account).reception.take(PUSHED, caller=ACR)
    assert {made.import_id for made in taken.imports} == imports(account)
    assert [made.rule for made in taken.imports] == ["first", "second"]
    assert 2 <= len(account.messages) <= 4


async def test_all_exchanges_of_an_event_were_tried() -> None:
    """The test above fails at each of them; with one more it would not fail at all."""
    await app(ClockworkAccount(), fails_from=12).reception.take(PUSHED, caller=ACR)


async def test_a_push_that_two_doors_tell_of_is_one_import() -> None:
    """The rule asks for it, whichever hook brought it; the record names the hook that was first."""
    account = ClockworkAccount()
    services = app(account)
    first = await services.reception.take(PUSHED, caller=ACR)
    second = await services.reception.take(PUSHED, caller=Caller.by_hook("eventgrid"))
    assert {made.import_id for made in first.imports} == {made.import_id for made in second.imports} == imports(account)
    record = await services.intake.get(first.imports[0].import_id, Caller.by_key())
    assert record.asked_by is not None
    assert (record.asked_by.identity, record.asked_by.name, record.asked_by.address) == (
        "rule:first", "hook:acr", "192.0.2.1"
    )  # fmt: skip


async def test_an_event_that_is_told_ahead_of_its_time_stands_for_no_other() -> None:
    """Else whoever has a key for hooks tells of every second to come, and the pushes in them find an old import."""
    services = app(ClockworkAccount())
    ahead = replace(PUSHED, digest=None, at=now() + timedelta(hours=1))
    early = await services.reception.take(ahead, caller=ACR)
    for made in early.imports:
        await services.intake.cancel(made.import_id, Caller.by_key())
    pushed = await services.reception.take(ahead, caller=ACR)

    assert len(pushed.imports) == 2
    assert {made.import_id for made in pushed.imports}.isdisjoint(made.import_id for made in early.imports)


async def test_what_the_policy_refuses_is_named_and_the_rest_is_made(caplog: pytest.LogCaptureFixture) -> None:
    """It will not pass by itself, so that the sender is not asked to deliver again; the audit log tells of it."""
    caplog.set_level(logging.INFO, LOGGER)
    taken = await app(ClockworkAccount(), policy=POLICY).reception.take(PUSHED, caller=ACR)
    assert [made.rule for made in taken.imports] == ["second"]
    (passed,) = taken.passed
    assert (passed.rule, passed.reason[:13]) == ("first", "not_allowed: ")
    assert any('"Refused"' in line and '"rule:first"' in line for line in caplog.messages)


async def test_an_import_that_was_taken_back_is_removed_in_the_audit_log(caplog: pytest.LogCaptureFixture) -> None:
    """Its record was written and its message was not: nobody must read that it waits."""
    caplog.set_level(logging.INFO, LOGGER)
    request = read_import_request(
        b'{"source": "source.example/app:1", "target": "target.example/app:1"}', default_target=None
    )

    async def no_queue(method: str, path: str) -> None:
        if method == "POST" and path.endswith("/messages"):
            raise ServiceRequestError(f"{method} {path}")

    storage = ClockworkTransport(ClockworkAccount(), before=no_queue)
    services = build(app_settings(CONNECTION_STRING, "target.example", {}), storage_options={"transport": storage})
    with pytest.raises(StorageUnavailableError):
        await services.intake.submit(request, Caller.by_key())

    assert [line["event"] for line in audit_lines(caplog)] == ["Queued", "Removed"]


async def test_wrong_rules_and_a_wrong_policy_are_to_be_delivered_to_again() -> None:
    """Somebody will correct them; what is wrong is the operator's to read, not the sender's."""
    for services in (app(ClockworkAccount(), rules="version: 1\nruls: []\n"), app(ClockworkAccount(), policy="x: 1\n")):
        with pytest.raises(EventNotTakenError, match="the rules or the policy are wrong") as caught:
            await services.reception.take(PUSHED, caller=ACR)
        assert "ruls" not in caught.value.message


async def test_without_rules_it_is_said_that_there_are_none() -> None:
    """An event that leads to nothing is no error, and does not look like one that no rule wants."""
    taken = await app(ClockworkAccount(), rules="").reception.take(PUSHED, caller=ACR)
    assert (taken.imports, [passed.rule for passed in taken.passed]) == ((), [None])
    assert "TRANSLOAD_RULES" in taken.passed[0].reason


async def test_a_request_that_is_repeated_takes_nothing_back() -> None:
    """Storage fails while the repetition sends the first message once more: the import that was accepted stays."""
    account, body = ClockworkAccount(), b'{"source": "source.example/app:1", "target": "target.example/app:1"}'
    request = read_import_request(body, default_target=None)
    first = await app(account).intake.submit(request, Caller.by_key(), idempotency_key="k")
    with pytest.raises(StorageUnavailableError, match="send a queue message"):
        await app(account, fails_from=5).intake.submit(request, Caller.by_key(), idempotency_key="k")
    assert imports(account) == {first.id}
