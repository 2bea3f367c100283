"""Others are told that an import has ended: who, when, with what, and what happens where they do not listen."""

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from devtools.notice_stage import CALLBACK_URL, KEY, RECEIVER, SINK, SOURCE, TARGET, NoticeStage
from devtools.receiver import Receiver
from importcore.state.notice import Channel
from importcore.state.notice_message import NoticeMessage

pytestmark = pytest.mark.asyncio(loop_scope="session")


@pytest_asyncio.fixture(loop_scope="session")
async def stage(storage: str) -> AsyncIterator[NoticeStage]:
    """An app with a receiver and no events endpoint."""
    yield await NoticeStage(storage).set_up()


def events(record: dict[str, Any]) -> list[str]:
    """The names in a record's history, from the end of the import on."""
    names = [each["event"] for each in record["history"]]
    return names[names.index(record["status"]) :]


async def test_a_callback_tells_how_the_import_ended(stage: NoticeStage) -> None:
    """A signed CloudEvent with the short form of the record; the record shows of the URL its host alone."""
    record = await stage.ended(callbackUrl=CALLBACK_URL)

    (told,) = stage.receiver.deliveries
    assert (told.path, told.query) == ("/hook/p4th", "token=hush")
    assert told.is_signed_with(KEY)
    assert told.headers["transload-key-ids"] == "k1"
    assert told.headers["content-type"].startswith("application/cloudevents+json")
    event = told.event
    assert (event["specversion"], event["id"], event["type"]) == ("1.0", record["id"], "Transload.Import.Succeeded")
    assert (event["subject"], event["source"]) == (f"{TARGET}/copy:1", "/api/imports")
    assert event["data"] == {name: record[name] for name in event["data"]}
    assert event["data"]["digest"].startswith("sha256:")
    (notice,) = record["notices"]
    assert (notice["status"], notice["attempts"], notice["address"]) == ("Delivered", 1, f"https://{RECEIVER}")
    assert events(record) == ["Succeeded", "Notified"]
    assert "hush" not in json.dumps(record)
    assert "p4th" not in json.dumps(record)


async def test_a_receiver_that_stumbles_is_told_again(stage: NoticeStage) -> None:
    """503, then 429 with a pause of its own, then success: one id, a fresh signature each time, all of it on record."""
    stage.receiver.answers += [503, (429, {"Retry-After": "1"})]

    record = await stage.ended(callbackUrl=CALLBACK_URL)

    assert {told.headers["webhook-id"] for told in stage.receiver.deliveries} == {record["id"]}
    assert [told.is_signed_with(KEY) for told in stage.receiver.deliveries] == [True, True, True]
    assert events(record) == ["Succeeded", "NoticeWaits", "NoticeWaits", "Notified"]
    assert (record["notices"][0]["status"], record["notices"][0]["attempts"]) == ("Delivered", 3)


@pytest.mark.parametrize(
    ("answer", "said"),
    [(410, "answered 410"), ((307, {"Location": f"https://{SINK}/elsewhere"}), "a redirect, which is not followed")],
)
async def test_a_clear_no_is_not_asked_again(
    stage: NoticeStage, answer: int | tuple[int, dict[str, str]], said: str
) -> None:
    """Given up at once, with the reason; the import itself has succeeded all the same."""
    stage.receiver.answers.append(answer)

    record = await stage.ended(callbackUrl=CALLBACK_URL)

    assert (len(stage.receiver.deliveries), stage.sink.deliveries) == (1, [])
    assert record["status"] == "Succeeded"
    assert events(record) == ["Succeeded", "NoticeFailed"]
    assert said in record["notices"][0]["error"]
    assert (await stage.kept(record["id"])).notices[0].sealed_url is None


async def test_the_tenth_attempt_is_the_last(stage: NoticeStage) -> None:
    """What a receiver never takes is given up, and the record says so."""
    import_id = await stage.submitted(callbackUrl=CALLBACK_URL)
    await stage.run_imports()
    stage.receiver.answers += [500, 500]
    services = stage.worker()

    await services.notices.deliver(NoticeMessage(import_id, Channel.CALLBACK, 8).encode().encode())
    waiting = (await stage.shown(import_id))["notices"][0]
    await services.notices.deliver(NoticeMessage(import_id, Channel.CALLBACK, 9).encode().encode())
    await services.aclose()

    over = (await stage.shown(import_id))["notices"][0]
    assert (waiting["status"], over["status"], over["nextAt"]) == ("Due", "Failed", None)


async def test_only_failures_where_only_failures_are_wanted(stage: NoticeStage) -> None:
    """A success is not told, and what was sealed for it is gone; a failure is, with its reason."""
    good = await stage.ended(callbackUrl=CALLBACK_URL, callbackOn="failure")
    assert (stage.receiver.deliveries, good["notices"][0]["status"]) == ([], "Unwanted")
    assert (await stage.kept(good["id"])).notices[0].sealed_url is None

    await stage.ended(source=f"{SOURCE}/app:missing", callbackUrl=CALLBACK_URL, callbackOn="failure")

    (told,) = stage.receiver.deliveries
    assert told.event["type"] == "Transload.Import.Failed"
    assert (told.event["data"]["error"]["code"], told.event["data"]["error"]["side"]) == ("not_found", "source")


async def test_a_canceled_import_is_told_although_it_never_began(stage: NoticeStage) -> None:
    """Its first message is still in the queue; whoever receives it tells."""
    import_id = await stage.submitted(callbackUrl=CALLBACK_URL)
    await stage.canceled(import_id)
    await stage.run_imports()
    await stage.send_notices()

    (told,) = stage.receiver.deliveries
    assert told.event["type"] == "Transload.Import.Canceled"


async def test_a_canceled_import_is_told_although_its_submission_died(stage: NoticeStage) -> None:
    """There was a record and no message: the cancellation sends one, so that somebody comes and tells."""
    import_id = await stage.submitted(callbackUrl=CALLBACK_URL)
    await stage.lose_messages()
    await stage.canceled(import_id)
    await stage.run_imports()
    await stage.send_notices()

    (told,) = stage.receiver.deliveries
    assert (told.event["id"], told.event["type"]) == (import_id, "Transload.Import.Canceled")


async def test_the_imports_of_a_selection_call_where_they_shall(stage: NoticeStage) -> None:
    """A parent calls in any case, its children where `callbackChildren` says so."""
    many = {"source": f"{SOURCE}/app", "target": None, "targetRegistry": TARGET, "callbackUrl": CALLBACK_URL}
    loud = await stage.submitted(**many, tags={"include": ["1"]}, targetTemplate="loud:{tag}", callbackChildren=True)
    calm = await stage.submitted(**many, tags={"include": ["1"]}, targetTemplate="calm:{tag}")
    await stage.run_imports()
    await stage.send_notices()

    told = {each.event["subject"]: each.event["data"] for each in stage.receiver.deliveries}
    assert set(told) == {f"{TARGET}/{name}" for name in ("loud:1", "loud:{tag}", "calm:{tag}")}
    assert told[f"{TARGET}/loud:1"]["parent"] == loud
    assert (told[f"{TARGET}/calm:{{tag}}"]["id"], told[f"{TARGET}/calm:{{tag}}"]["children"]["succeeded"]) == (calm, 1)


async def test_the_endpoint_of_the_installation_hears_of_every_import(storage: str) -> None:
    """Beside a callback; each channel stands for itself, so that one that fails does not hold the other up."""
    more = {"TRANSLOAD_EVENTS_ENDPOINT": f"https://{SINK}/events?code=hush", "WEBSITE_HOSTNAME": "app.example"}
    stage = await NoticeStage(storage, more, receiver=Receiver([410])).set_up()

    record = await stage.ended(callbackUrl=CALLBACK_URL)

    (told,) = stage.sink.deliveries
    assert (told.path, told.query, told.event["source"]) == ("/events", "code=hush", "https://app.example/api/imports")
    assert "authorization" not in told.headers
    assert {notice["channel"]: notice["status"] for notice in record["notices"]} == {
        "callback": "Failed",
        "events": "Delivered",
    }
    assert "hush" not in json.dumps(record)


async def test_a_message_that_the_platform_gave_up_is_on_record(stage: NoticeStage) -> None:
    """The poison queue's function ends the notice; a message that nobody can read ends nothing."""
    import_id = await stage.submitted(callbackUrl=CALLBACK_URL)
    await stage.run_imports()
    services = stage.worker()

    await services.notices.give_up(b"no json")
    await services.notices.give_up(NoticeMessage(import_id, Channel.CALLBACK).encode().encode())
    await services.aclose()
    await stage.send_notices()

    record = await stage.shown(import_id)
    assert (events(record), stage.receiver.deliveries) == (["Succeeded", "NoticeFailed"], [])
    assert "gave the notice's message up" in record["notices"][0]["error"]


@pytest.mark.parametrize(
    ("url", "settings", "status", "said"),
    [
        (f"http://{RECEIVER}/", {}, 400, "only https is allowed"),
        ("https://127.0.0.1/", {}, 400, "not a public one"),
        ("https://169.254.169.254/metadata", {}, 400, "of its own"),
        (f"http://{TARGET}/v2/", {}, 403, "TRANSLOAD_CALLBACK_HOSTS"),
        (f"https://{SINK}/", {"TRANSLOAD_CALLBACK_HOSTS": RECEIVER}, 403, "TRANSLOAD_CALLBACK_HOSTS"),
        (f"https://{RECEIVER}/", {"TRANSLOAD_CALLBACK_KEYS": ""}, 403, "TRANSLOAD_CALLBACK_KEYS"),
    ],
)
async def test_a_callback_that_must_not_be_made_is_refused_at_once(
    stage: NoticeStage, url: str, settings: dict[str, str], status: int, said: str
) -> None:
    """Before anything is queued; a registry that is configured as private is no receiver unless it is listed."""
    stage.settings = settings

    answer = await stage.post(callbackUrl=url)

    assert (answer.status, said in answer.body) == (status, True), answer.body


async def test_a_listed_host_may_be_called(stage: NoticeStage) -> None:
    """By its name, or by its domain."""
    for listed in (RECEIVER, "*.example, other.test"):
        stage.settings = {"TRANSLOAD_CALLBACK_HOSTS": listed}
        assert (await stage.post(callbackUrl=CALLBACK_URL)).status == 202
