"""What is sent to whom when an import has ended, and how it is signed."""

import base64
import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from importcore.errors import ConfigurationError
from importcore.notices.letter import Letters
from importcore.notices.signature import signed_headers
from importcore.request.callback import CallbackForm
from importcore.request.model import Mode
from importcore.sealing import Sealer
from importcore.settings.model import Settings
from importcore.settings.notices import NoticeOn, NoticeSettings
from importcore.state.notice import Channel, Notice, NoticeStatus
from importcore.state.record import ErrorReport, ImportRecord, Status, TargetResult

SEALER = Sealer((("s1", b"s" * 32),))
KEYS = (("new", b"n" * 32), ("old", b"o" * 32))
TOPIC = "https://mine.westeurope-1.eventgrid.azure.net/api/events"
RECORD = ImportRecord(
    id="0123456789abcdefghj",
    source="docker.io/library/alpine:3",
    targets=(TargetResult("here.azurecr.io/alpine:3", "sha256:d"),),
    mode=Mode.FORCE,
    status=Status.FAILED,
    created_at=datetime(2026, 1, 2, tzinfo=UTC),
    finished_at=datetime(2026, 1, 3, tzinfo=UTC),
    error=ErrorReport("not_found", "there is none"),
).noting("Failed")


async def event_grid_token() -> str:
    """An Entra token."""
    return "an-entra-token"


def letters(settings: NoticeSettings) -> Letters:
    """Letters of an installation."""
    return Letters(settings, SEALER, event_grid_token)


def callback(form: CallbackForm = CallbackForm.EVENT) -> Notice:
    """A callback that is due."""
    sealed = SEALER.seal(b"https://receiver.example/h?s=t", RECORD.id)
    return Notice(Channel.CALLBACK, status=NoticeStatus.DUE, form=form, sealed_url=sealed)


def read(**environment: str) -> NoticeSettings:
    """The settings of an installation in the public cloud."""
    least = {
        "AzureWebJobsStorage": "UseDevelopmentStorage=true",
        "TRANSLOAD_SEALING_KEYS": "k1:" + base64.b64encode(b"1" * 32).decode(),
    }
    return Settings.from_environment({**least, **environment}).notices


def test_the_signature_is_that_of_standard_webhooks() -> None:
    """The example of its specification and of its libraries."""
    headers = signed_headers(
        (("k1", base64.b64decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")),),
        delivery_id="msg_p5jXN8AQM9LWM0D4loKWxJek",
        timestamp=1614265330,
        body=b'{"test": 2432232314}',
    )

    assert headers == {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
        "transload-key-ids": "k1",
    }


async def test_every_key_signs() -> None:
    """So that receivers can change theirs at any time while both are configured."""
    letter = await letters(NoticeSettings(callback_keys=KEYS)).write(RECORD, callback())

    assert letter.headers["transload-key-ids"] == "new old"
    signatures = letter.headers["webhook-signature"].split(" ")
    assert len(set(signatures)) == 2
    assert all(signature.startswith("v1,") for signature in signatures)


async def test_an_event_is_short_and_holds_no_secret() -> None:
    """Neither history nor referrers, nor anything sealed; the time is that of the end."""
    record = replace(RECORD, sealed_credentials="k1.SEALED", notices=(callback(),))

    letter = await letters(NoticeSettings(callback_keys=KEYS, source="https://a/api/imports")).write(record, callback())

    event = json.loads(letter.body)
    assert (event["type"], event["time"]) == ("Transload.Import.Failed", "2026-01-03T00:00:00Z")
    assert not {"history", "referrers", "notices"} & set(event["data"])
    assert not any(secret in letter.body for secret in (b"SEALED", b"receiver.example", b"s=t"))
    assert "s=t" not in repr(letter)


@pytest.mark.parametrize(
    ("endpoint", "cloud", "takes_token"),
    [
        (TOPIC, "AzureCloud", True),
        (TOPIC, "AzureChinaCloud", False),
        ("https://mine.chinanorth3-1.eventgrid.azure.cn/api/events", "AzureChinaCloud", True),
        ("https://eventgrid.azure.net.example/", "AzureCloud", False),
        (TOPIC.replace("https", "http"), "AzureCloud", False),
        ("https://fake-eventgrid.azure.net/", "AzureCloud", False),
        ("https://sink.example/?x=mine.eventgrid.azure.net", "AzureCloud", False),
    ],
)
async def test_an_entra_token_goes_to_a_topic_of_the_apps_cloud_alone(
    endpoint: str, cloud: str, *, takes_token: bool
) -> None:
    """And to no other sink, whatever it is called."""
    settings = read(TRANSLOAD_EVENTS_ENDPOINT=endpoint, AZURE_CLOUD=cloud)

    letter = await letters(settings).write(RECORD, Notice(Channel.EVENTS))

    assert letter.headers.get("Authorization") == ("Bearer an-entra-token" if takes_token else None)
    assert letter.headers["Content-Type"].startswith("application/cloudevents+json")


async def test_docker_hub_hears_its_own_words() -> None:
    """A state, unsigned; at most 255 characters of reason."""
    record = replace(RECORD, error=ErrorReport("not_found", "x" * 400))

    letter = await letters(NoticeSettings()).write(record, callback(CallbackForm.DOCKER_HUB))

    value = json.loads(letter.body)
    assert (value["state"], len(value["description"])) == ("failure", 255)
    assert "webhook-signature" not in letter.headers
    canceled = await letters(NoticeSettings()).write(
        replace(RECORD, status=Status.CANCELED, error=None), callback(CallbackForm.DOCKER_HUB)
    )
    assert json.loads(canceled.body)["state"] == "error"


@pytest.mark.parametrize("notice", [callback(), Notice(Channel.EVENTS), replace(callback(), sealed_url=None)])
async def test_what_the_settings_do_not_hold_any_more_is_named(notice: Notice) -> None:
    """No callback leaves unsigned because its key was removed."""
    with pytest.raises(ConfigurationError):
        await letters(NoticeSettings()).write(RECORD, notice)


def test_wrong_settings_are_named() -> None:
    """Each one, and nothing of a URL that can be a secret."""
    with pytest.raises(ConfigurationError) as caught:
        read(
            TRANSLOAD_CALLBACK_KEYS="k1:c2hvcnQ=",
            TRANSLOAD_EVENTS_ENDPOINT="ftp://hush/",
            TRANSLOAD_EVENTS_ON="never",
            TRANSLOAD_NOTICE_RETRY_SECONDS="0",
        )

    message = caught.value.message
    for name in ("CALLBACK_KEYS", "EVENTS_ENDPOINT", "EVENTS_ON", "NOTICE_RETRY_SECONDS"):
        assert f"TRANSLOAD_{name}" in message
    assert "hush" not in message
    assert read(TRANSLOAD_EVENTS_ON="failure").events_on is NoticeOn.FAILURE
