"""Webhooks in front of the whole app: what each sender is answered, and what follows."""

import json
import logging

import httpx
import pytest

from devtools.door_stage import DoorStage, wrong_settings
from devtools.emulator import create_emulator
from devtools.notice_stage import TARGET
from devtools.receiver import Receiver
from devtools.registry_content import RegistryContent
from devtools.rehearsal import open_host
from devtools.sample_images import image, layer
from importcore.api.hooks_api import take_delivery
from importcore.hooks.senders import SENDERS
from tests.unit.hooks.hook_samples import EVERY, PUSHES, VALIDATION, Sample, sample
from tests.unit.hooks.test_proof import signature

pytestmark = pytest.mark.asyncio(loop_scope="session")

HUB = sample("dockerhub", "dockerhub-push")
PUSH = sample("acr", "acr-push")


async def test_every_sender_starts_the_imports_of_its_pushes(storage: str) -> None:
    """With a secret of its own; the same delivery, sent again, is answered with the same imports."""
    secrets = {kind: {"secrets": [f"of-{kind}"], "registry": f"{kind}.example"} for kind in SENDERS}
    stage = await DoorStage.set_up(storage, TRANSLOAD_HOOKS=json.dumps(secrets))
    wanted = set()
    for each in PUSHES:
        pinned = Sample(each.kind, each.file, each.headers, f"{each.kind}.example")
        pushes = [push for push in pinned.read().pushes if push.tag]
        sender, secret = SENDERS[each.kind], f"of-{each.kind}"
        headers = {**each.headers, sender.header: signature(each.body, secret) if sender.signs else secret}
        answers = [await stage.tell(each.kind, each.body, headers) for _ in range(2)]
        first, second = (json.loads(answer.body)["imports"] for answer in answers)

        assert {answer.status for answer in answers} == {202 if pushes else 200}, each
        assert [(made["rule"], made["source"]) for made in first] == [("all", str(push.source)) for push in pushes]
        if all(push.identity for push in pushes):
            assert second == first, each
        wanted |= {made["source"] for made in first}

    assert set(await stage.sources()) == wanted


async def test_what_leads_to_nothing_is_answered_200_with_the_reason(storage: str) -> None:
    """A ping, a delete, a pull; a push by digest alone; a push that no rule wants; all there is without rules."""
    stage = await DoorStage.set_up(storage)
    for each in EVERY:
        if each in PUSHES or each is VALIDATION:
            continue
        answer = await stage.tell(each.kind, each.body, each.headers)
        assert (answer.status, json.loads(answer.body)["imports"]) == (200, [])
        assert json.loads(answer.body)["ignored"][0]["reason"]

    by_digest = await stage.tell("harbor", sample("harbor", "harbor-push-by-digest").body)
    assert by_digest.status == 200
    assert json.loads(by_digest.body)["ignored"][0] == {
        "what": f"push hub.example.com/team/app@{sample('harbor', 'harbor-push-by-digest').read().pushes[0].digest}",
        "reason": "it was pushed by digest alone; rules are about tags",
        "rule": "all",
    }
    without_rules = await stage.with_settings(TRANSLOAD_RULES="").tell("acr", PUSH.body)
    assert without_rules.status == 200
    assert "there are no rules" in json.loads(without_rules.body)["ignored"][0]["reason"]


async def test_event_grid_is_answered_with_its_code(storage: str) -> None:
    """200 with nothing but the code."""
    stage = await DoorStage.set_up(storage)
    answer = await stage.tell("eventgrid", VALIDATION.body, VALIDATION.headers)

    assert (answer.status, json.loads(answer.body)) == (
        200,
        {"validationResponse": "512d38b6-c7b8-40c8-89fe-f46f9e9622b6"},
    )


@pytest.mark.parametrize(
    ("hook", "body", "answered"),
    [
        (("nexus", None), PUSH.body, (404, "hook_unknown")),
        (("acr", "nobody"), PUSH.body, (404, "hook_unknown")),
        (("github", None), PUSH.body, (401, "hook_refused")),
        (("acr", None), b"{}", (400, "event_malformed")),
        (("acr", None), b" " * 1_048_577, (413, "delivery_too_large")),
    ],
)
async def test_what_would_be_wrong_for_ever_is_said_so(
    storage: str, hook: tuple[str, str | None], body: bytes, answered: tuple[int, str]
) -> None:
    """With a status after which Event Grid does not send again."""
    stage = await DoorStage.set_up(storage, TRANSLOAD_HOOKS='{"github": {"secrets": ["hush"]}}')
    answer = await stage.tell(hook[0], body, name=hook[1])

    assert (answer.status, json.loads(answer.body)["error"]["code"]) == answered
    assert ("WWW-Authenticate" in answer.headers) == (answer.status == 401)
    assert await stage.sources() == []


async def test_who_is_refused_stands_in_the_audit_log(storage: str, caplog: pytest.LogCaptureFixture) -> None:
    """With where it came from, and without what it sent."""
    stage = await DoorStage.set_up(storage, TRANSLOAD_HOOKS='{"acr": {"secrets": ["hush"]}}')
    with caplog.at_level(logging.INFO, "transload.audit"):
        await stage.tell("acr", PUSH.body, {"Authorization": "guessed", "X-Forwarded-For": "192.0.2.7"})

    (line,) = [json.loads(record.message) for record in caplog.records if record.name == "transload.audit"]
    assert (line["event"], line["operation"], line["code"]) == ("Refused", "hook", "hook_refused")
    assert line["address"] == "192.0.2.7"
    assert "guessed" not in json.dumps(line)
    assert "hush" not in json.dumps(line)


async def test_a_callback_that_is_refused_stands_in_the_audit_log(
    storage: str, caplog: pytest.LogCaptureFixture
) -> None:
    """By the name of the hook, and without the URL; the push is taken all the same."""
    stage = await DoorStage.set_up(storage)
    inside = json.dumps({**HUB.value, "callback_url": "https://10.0.0.1/hook?token=hush"}).encode()
    with caplog.at_level(logging.INFO, "transload.audit"):
        answer = await stage.tell("dockerhub", inside, {"X-Forwarded-For": "192.0.2.7"})

    lines = [json.loads(record.message) for record in caplog.records if record.name == "transload.audit"]
    (line,) = [line for line in lines if line["event"] == "Refused"]
    assert answer.status == 202
    assert (line["operation"], line["caller"], line["address"]) == ("callback", "hook:dockerhub", "192.0.2.7")
    assert "hush" not in json.dumps(lines)


async def test_too_many_imports_of_a_rule_stand_in_the_audit_log(
    storage: str, caplog: pytest.LogCaptureFixture
) -> None:
    """The sender delivers again; whoever asks why nothing comes finds out there."""
    policy = 'version: 1\ncallers: [{name: all, who: ["rule:*"], import: [{from: ["**"]}], limits: {inFlight: 1}}]'
    stage = await DoorStage.set_up(storage, TRANSLOAD_POLICY=policy)
    with caplog.at_level(logging.INFO, "transload.audit"):
        answers = [await stage.tell("harbor", sample("harbor", "harbor-push").body), await stage.tell("acr", PUSH.body)]

    lines = [json.loads(record.message) for record in caplog.records if record.name == "transload.audit"]
    assert [answer.status for answer in answers] == [202, 503]
    assert [(line["caller"], line["code"]) for line in lines if line["event"] == "Refused"] == [
        ("rule:all", "too_many_imports")
    ]


@pytest.mark.parametrize(
    "wrong",
    [
        {"TRANSLOAD_RULES": "version: 1\nrules: nothing"},
        {"TRANSLOAD_RULES": "blob:documents/not-there.yaml"},
        {"TRANSLOAD_POLICY": "callers: nothing"},
        {"AzureWebJobsStorage": "DefaultEndpointsProtocol=http;AccountName=devstoreaccount1;AccountKey=a2V5;"
         "TableEndpoint=http://127.0.0.1:1/devstoreaccount1;QueueEndpoint=http://127.0.0.1:1/devstoreaccount1;"
         "BlobEndpoint=http://127.0.0.1:1/devstoreaccount1"},
    ],
    ids=["rules", "rules-not-there", "policy", "storage"],
)  # fmt: skip
async def test_what_may_pass_is_delivered_again(storage: str, wrong: dict[str, str]) -> None:
    """503 with Retry-After, whatever hinders it; and what is delivered again once it has passed is taken."""
    stage = await DoorStage.set_up(storage)
    answer = await stage.with_settings(**wrong).tell("acr", PUSH.body)

    assert (answer.status, json.loads(answer.body)["error"]["code"]) == (503, "event_not_taken")
    assert int(answer.headers["Retry-After"]) > 0
    assert (await stage.tell("acr", PUSH.body)).status == 202


async def test_an_app_whose_settings_are_wrong_loses_nothing() -> None:
    """The sender is told to come again; what is wrong stands in the health answer alone."""
    answer = await take_delivery(wrong_settings, "acr", None, PUSH.body, {})

    assert (answer.status, json.loads(answer.body)["error"]["code"]) == (503, "configuration_invalid")
    assert "SEALING" not in answer.body
    assert int(answer.headers["Retry-After"]) > 0


async def test_docker_hub_is_told_how_its_push_ended(storage: str) -> None:
    """The image is at the target, and the callback of the delivery was called with the state."""
    hub, listener = create_emulator(), Receiver()
    async with httpx.AsyncClient(transport=httpx.ASGITransport(hub.app), base_url="http://hub.test") as http:
        await RegistryContent(http, "acme/app").push(image([layer(1_000)]), "1.0")
    hosts = {"source.test": open_host(), TARGET: open_host(), "docker.io": open_host()}
    stage = await DoorStage.set_up(
        storage,
        {"registry-1.docker.io": hub.app, "registry.hub.docker.com": listener},
        TRANSLOAD_REGISTRIES=json.dumps(hosts),
    )
    (made,) = json.loads((await stage.tell("dockerhub", HUB.body)).body)["imports"]
    await stage.around.run_imports()
    await stage.around.send_notices()

    record = await stage.around.shown(made["id"])
    assert (record["status"], record["targets"][0]["reference"]) == ("Succeeded", f"{TARGET}/acme/app:1.0")
    (told,) = listener.deliveries
    assert told.path == httpx.URL(HUB.value["callback_url"]).path
    assert (told.event["state"], told.event["context"]) == ("success", f"Transload {made['id']}")
