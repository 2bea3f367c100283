"""One delivery: who may send it, whose hook it is, what is handed in, and what is said about it."""

import base64
import json
from dataclasses import dataclass, field

import pytest

from importcore.doors.webhooks import DeliveryTooLargeError, Webhooks
from importcore.hooks.payload import BODY_BYTES_AT_MOST, MalformedEventError
from importcore.hooks.proof import HookRefusedError, UnknownHookError
from importcore.hooks.senders import SENDERS
from importcore.notices.wanted import WantedNotices
from importcore.reception.taken import EventNotTakenError
from importcore.registry.origin import OriginGate
from importcore.request.callback import CallbackForm
from importcore.sealing import Sealer
from importcore.settings.model import Settings
from tests.unit.doors.reception_double import ReceptionDouble
from tests.unit.hooks.hook_samples import EVERY, PUSHES, VALIDATION, Sample, sample
from tests.unit.hooks.test_proof import signature

LEAST = {
    "AzureWebJobsStorage": "UseDevelopmentStorage=true",
    "TRANSLOAD_SEALING_KEYS": "k1:" + base64.b64encode(b"\x01" * 32).decode(),
}
HUB = sample("dockerhub", "dockerhub-push")


@dataclass
class Stage:
    """Webhooks with settings, and the reception behind them."""

    settings: dict[str, str] = field(default_factory=dict)
    reception: ReceptionDouble = field(default_factory=ReceptionDouble)

    def __post_init__(self) -> None:
        settings = Settings.from_environment({**LEAST, **self.settings})
        notices = WantedNotices(settings, OriginGate(settings.host), Sealer(settings.sealing_keys))
        self.webhooks = Webhooks(settings, self.reception, notices.require_allowed)

    async def tell(self, each: Sample, name: str | None = None, body: bytes | None = None, **headers: str) -> object:
        """Deliver a sample, or another body as it."""
        sent = {"content-type": "application/json", **each.headers, **headers}
        return await self.webhooks.take(each.kind, name, each.body if body is None else body, sent, "192.0.2.7")


def with_hooks(**hooks: object) -> Stage:
    """A stage with these hooks in its settings."""
    return Stage({"TRANSLOAD_HOOKS": json.dumps({name.replace("__", "/"): hook for name, hook in hooks.items()})})


@pytest.mark.parametrize("each", [p for p in PUSHES if not p.registry], ids=str)
async def test_every_push_of_a_delivery_is_handed_in(each: Sample) -> None:
    """As the hook that it came to, from where it came."""
    stage = Stage()
    heeded = await stage.webhooks.take(each.kind, None, each.body, each.headers, "192.0.2.7")

    assert [event for event, _, _ in stage.reception.told] == list(each.read().pushes)
    assert {(caller.identity, caller.address) for _, caller, _ in stage.reception.told} == {
        (f"hook:{each.kind}", "192.0.2.7")
    }
    assert [made.source for made in heeded.imports] == [str(push.source) for push in each.read().pushes]


async def test_what_no_rule_wants_is_named_beside_what_was_ignored() -> None:
    """Each with its reason, and with the rule that decided it."""
    stage = Stage(reception=ReceptionDouble(passes=frozenset({"1.0"})))
    heeded = await stage.webhooks.take(
        "distribution", None, sample("distribution", "distribution-events").body, {}, None
    )

    assert heeded.imports == ()
    assert [(one.what, one.rule) for one in heeded.ignored] == [
        ("push team/app", None),
        ("pull team/app", None),
        ("mount team/app", None),
        ("push reg.example.com/team/app:1.0", "all"),
    ]
    assert heeded.ignored[-1].reason == "is not wanted"


async def test_one_push_that_is_not_taken_brings_the_whole_delivery_again() -> None:
    """The error says when; what the sender repeats is known by its identity."""
    stage = Stage(reception=ReceptionDouble(hinders=frozenset({"latest"})))

    with pytest.raises(EventNotTakenError) as caught:
        await stage.tell(sample("quay", "quay-push"))

    assert caught.value.retry_after == 7


@pytest.mark.parametrize("each", EVERY, ids=str)
async def test_nothing_is_read_of_what_is_unsigned(each: Sample) -> None:
    """Not even a ping or a handshake is answered, where a secret is set."""
    stage = with_hooks(**{each.kind: {"secrets": ["hush"], "registry": "registry.example"}})

    with pytest.raises(HookRefusedError):
        await stage.tell(each)
    assert stage.reception.told == []


@pytest.mark.parametrize("each", EVERY, ids=str)
async def test_what_is_signed_is_read(each: Sample) -> None:
    """By the header or the signature that is the sender's own."""
    stage = with_hooks(**{each.kind: {"secrets": ["hush"], "registry": "registry.example"}})
    sender = SENDERS[each.kind]
    proof = {sender.header.lower(): signature(each.body, "hush") if sender.signs else "hush"}

    await stage.tell(each, None, None, **proof)

    assert len(stage.reception.told) == len(each.read().pushes)


async def test_hooks_of_one_kind_are_told_apart_by_their_names() -> None:
    """Each with its own secret and its own name for the policy; one that is not configured is none."""
    stage = with_hooks(
        harbor__one={"secrets": ["1"]}, harbor__two={"secrets": ["2"], "registry": "two.example"}, harbor={}
    )
    push = sample("harbor", "harbor-push")

    await stage.tell(push, "one", authorization="1")
    await stage.tell(push, "two", authorization="2")
    await stage.tell(push)
    with pytest.raises(HookRefusedError):
        await stage.tell(push, "two", authorization="1")
    with pytest.raises(UnknownHookError, match="there is no hook harbor/three"):
        await stage.tell(push, "three")

    assert [(event.registry, caller.identity) for event, caller, _ in stage.reception.told] == [
        ("hub.example.com", "hook:harbor/one"),
        ("two.example", "hook:harbor/two"),
        ("hub.example.com", "hook:harbor"),
    ]


async def test_an_unknown_kind_is_told_the_known_ones() -> None:
    """And not what it sent, beyond what can be shown."""
    with pytest.raises(UnknownHookError, match="'nexus' is no kind of sender") as caught:
        await Stage().webhooks.take("nexus\n", None, b"{}", {}, None)

    assert "acr" in caught.value.action


async def test_a_body_that_nobody_would_send_is_not_even_hashed() -> None:
    """One MiB is read; one byte more is refused before its proof is looked at."""
    stage = with_hooks(acr={"secrets": ["hush"]})
    push = sample("acr", "acr-push").body

    await stage.webhooks.take("acr", None, push.ljust(BODY_BYTES_AT_MOST), {"authorization": "hush"}, None)
    with pytest.raises(DeliveryTooLargeError):
        await stage.webhooks.take("acr", None, push.ljust(BODY_BYTES_AT_MOST + 1), {}, None)
    assert len(stage.reception.told) == 1


async def test_the_code_of_event_grid_is_answered() -> None:
    """To whoever has the secret."""
    heeded = await Stage().webhooks.take("eventgrid", None, VALIDATION.body, VALIDATION.headers, None)

    assert heeded.validation_code == "512d38b6-c7b8-40c8-89fe-f46f9e9622b6"


async def test_docker_hub_is_called_back_at_its_own_address() -> None:
    """In its own form; nobody else signs anything there."""
    stage = Stage()
    await stage.tell(HUB)

    ((_, _, callback),) = stage.reception.told
    assert callback is not None
    assert (callback.url, callback.form) == (HUB.value["callback_url"], CallbackForm.DOCKER_HUB)


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("https://elsewhere.example/hook?token=s3cret", "is not Docker Hub's"),
        ("https://127.0.0.1/hook?token=s3cret", "is not Docker Hub's"),
        ("http://hub.docker.com/hook?token=s3cret", "https"),
        ("https://user:s3cret@hub.docker.com/hook", "user information"),
        ("file:///s3cret", "must be a URL"),
        ("s3cret", "must be a URL"),
    ],
)
async def test_nobody_is_called_whom_the_gate_refuses(url: str, reason: str) -> None:
    """The push is taken all the same, and the answer says why nobody will be told, without the URL."""
    stage = Stage()
    body = json.dumps({**HUB.value, "callback_url": url}).encode()
    heeded = await stage.webhooks.take("dockerhub", None, body, {}, None)

    ((_, _, callback),) = stage.reception.told
    assert callback is None
    assert [one.what for one in heeded.ignored] == ["callback_url"]
    assert reason in heeded.ignored[0].reason
    assert "s3cret" not in heeded.ignored[0].reason


async def test_the_operator_may_name_another_docker_hub() -> None:
    """Such as a proxy of it; then only the named hosts are called."""
    stage = Stage({"TRANSLOAD_CALLBACK_HOSTS": "elsewhere.example"})
    for url in ("https://elsewhere.example/hook", HUB.value["callback_url"]):
        await stage.tell(HUB, body=json.dumps({**HUB.value, "callback_url": url}).encode())

    assert [callback and callback.url for _, _, callback in stage.reception.told] == [
        "https://elsewhere.example/hook",
        None,
    ]


async def test_a_malformed_delivery_is_handed_in_to_nobody() -> None:
    """Not even in part, where a sender tells of one push at a time."""
    stage = Stage()
    with pytest.raises(MalformedEventError):
        await stage.tell(
            sample("quay", "quay-push"),
            body=json.dumps({**sample("quay", "quay-push").value, "updated_tags": ["1", "-"]}).encode(),
        )
    assert stage.reception.told == []
