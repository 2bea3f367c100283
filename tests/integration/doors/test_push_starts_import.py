"""A push to an emulated ACR starts an import that appears at the target: by its webhook, and by Event Grid's queue."""

import asyncio
import json

import pytest

from devtools.registry_control import RegistryControl
from devtools.stack_user import HOOK_SECRET, IMAGE, StackUser
from tests.unit.hooks.hook_samples import sample

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(120)]


async def test_a_push_starts_an_import_by_the_webhook_of_the_registry(user: StackUser) -> None:
    """Its ping is answered 200, its push 202 with the import, and the image is at the target, byte by byte."""
    headers = {"Authorization": f"Bearer {HOOK_SECRET}"}
    uri = f"{user.stack.api}/api/hooks/acr"
    async with RegistryControl.of(user.stack.source) as source:
        await source.order("webhooks", serviceUri=uri, customHeaders=headers, actions=["push"], scope="hooked/app:*")
        await source.order("ping")
        pinged = await source.answered("ping")
        await user.push("hooked/app")
        told = await source.answered("push", "hooked/app", "1")

    assert (pinged["answered"], json.loads(pinged["said"])["ignored"][0]["what"]) == ("200", "ping")
    assert told["answered"] == "202"
    (made,) = json.loads(told["said"])["imports"]
    record = await user.ended(made["id"])
    assert (record["status"], record["digest"]) == ("Succeeded", IMAGE.root)
    assert record["targets"][0]["reference"] == f"{user.stack.target}/mirror/hooked/app:1"
    await user.require_equal(f"{user.stack.target}/mirror/hooked/app:1")


async def test_a_push_starts_an_import_by_the_queue_of_event_grid(user: StackUser) -> None:
    """No webhook is told of this repository; the event lies in the queue until a worker takes it."""
    queue = {"connectionString": user.stack.ready["azurite"]["connectionString"], "queue": "events"}
    async with RegistryControl.of(user.stack.source) as source:
        await source.order("eventgrid", **queue, subjectBeginsWith="gridded/")
    pushed = await user.push("gridded/app")
    while True:
        records = (await user.api.get("/api/imports?top=20")).json()["value"]
        made = [each["id"] for each in records if each["source"] == pushed]
        if made:
            break
        await asyncio.sleep(0.1)

    assert (await user.ended(made[0]))["status"] == "Succeeded"
    await user.require_equal(f"{user.stack.target}/mirror/gridded/app:1")


@pytest.mark.parametrize("schema", ["eventgrid-push", "eventgrid-cloudevent"])
async def test_event_grid_can_call_the_function_itself(user: StackUser, schema: str) -> None:
    """A subscription of the function's own endpoint, in either schema."""
    pushed = await user.push(f"triggered/{schema}")
    told = json.loads(sample("eventgrid", schema).body)
    (event,) = told if isinstance(told, list) else [told]
    event["data"]["target"] |= {"repository": f"triggered/{schema}", "tag": "1", "digest": IMAGE.root}
    event["data"]["request"]["host"] = user.stack.source
    event["id"] = event["data"]["id"] = schema
    path = "/runtime/webhooks/EventGrid?functionName=take_grid_event"
    answer = await user.api.post(path, json=[event], headers={"aeg-event-type": "Notification"})
    assert answer.status_code == 202

    records = (await user.api.get("/api/imports?top=20")).json()["value"]
    (made,) = [each["id"] for each in records if each["source"] == pushed]
    assert (await user.ended(made))["status"] == "Succeeded"
    await user.require_equal(f"{user.stack.target}/mirror/triggered/{schema}:1")


async def test_the_host_hands_the_handshakes_and_refusals_over(user: StackUser) -> None:
    """OPTIONS reaches the app with its headers, POST with its very bytes; who lacks the secret is refused."""
    asked = await user.api.options("/api/hooks/eventgrid", headers={"WebHook-Request-Origin": "eventgrid.azure.net"})
    code = await user.api.post("/api/hooks/eventgrid", content=sample("eventgrid", "eventgrid-validation").body)
    refused = await user.api.post("/api/hooks/acr", content=sample("acr", "acr-push").body)
    unknown = await user.api.post("/api/hooks/acr/nobody", content=b"{}")

    assert (asked.status_code, asked.headers["WebHook-Allowed-Origin"]) == (200, "eventgrid.azure.net")
    assert code.json() == {"validationResponse": "512d38b6-c7b8-40c8-89fe-f46f9e9622b6"}
    assert (refused.status_code, refused.json()["error"]["code"]) == (401, "hook_refused")
    assert "www-authenticate" in refused.headers
    assert (unknown.status_code, unknown.json()["error"]["code"]) == (404, "hook_unknown")
