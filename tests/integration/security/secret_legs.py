"""Further legs of the voyage: imports of a selection, webhooks with their secrets, and a plain bug underneath."""

import hashlib
import hmac
import json
import logging
from collections.abc import Mapping
from typing import Any

from azure.storage.queue.aio import QueueClient

from devtools.canaries import OddError
from devtools.sample_images import image, layer
from importcore.api import http_api
from importcore.api.hooks_api import take_delivery
from importcore.caller import Caller
from tests.integration.security.secret_voyage import (
    GUESSED,
    HOOK,
    PASSWORD,
    PUBLIC,
    PUSHER,
    SIGNING,
    WRONG,
    SecretVoyage,
)
from tests.integration.sources.dock import push
from tests.unit.hooks.hook_samples import sample

_CALLER = Caller.by_key()
_host = logging.getLogger("host")


async def sail_further(on: SecretVoyage) -> None:
    """Take the ways in that are no request for one image."""
    await _select(on)
    await _forget_messages(on)
    await _be_told(on)
    await _forget_messages(on)


async def _forget_messages(on: SecretVoyage) -> None:
    """Empty the queue: the next leg delivers what it finds there."""
    async with QueueClient.from_connection_string(on.storage, on.app.names.queue) as queue:
        await queue.clear_messages()


async def _select(on: SecretVoyage) -> None:
    """Several imports in one request, by password and with a callback, each of which has its own seal of both."""
    await push(on.source, image([layer(70_000, seed=901)]), "several", auth=PUSHER)
    wanted: dict[str, Any] = {
        "tags": {"include": ["*"]},
        "targetTemplate": f"{PUBLIC}/{{repository}}:{{tag}}",
        "callbackUrl": on.callback,
        "callbackChildren": True,
    }
    right = {**on.with_password(PASSWORD), "sourceImage": "several"}
    parent = await _accepted(on, {"source": right, **wanted})
    await on.run_once(parent)
    records, _ = await on.app.services.records.newest(parent=parent)
    (child,) = records
    await on.run_once(child.id)
    await on.noted("child of a selection", child.id)
    await on.run_once(parent)
    await on.noted("selection", parent)
    refused = await _accepted(on, {"source": {**on.with_password(WRONG), "sourceImage": "several"}, **wanted})
    await on.run_once(refused)
    await on.noted("selection by a wrong password", refused)
    await on.app.send_notices()
    without_callback = {name: value for name, value in wanted.items() if not name.startswith("callback")}
    await on.post({"source": right, **without_callback, "validateOnly": True})
    await on.asked(lambda app: http_api.list_newest(app, _CALLER, {"parent": parent}))


async def _accepted(on: SecretVoyage, body: Mapping[str, Any]) -> str:
    answer = await on.post(body)
    assert answer.status == 202, answer.body
    return str(json.loads(answer.body)["id"])


async def _be_told(on: SecretVoyage) -> None:
    """Senders that prove themselves, or do not; one of them wants to be called at a URL that is a secret."""
    await push(on.source, image([layer(70_000, seed=902)]), "told", auth=PUSHER)
    harbor = sample("harbor", "harbor-push").value
    event = {**harbor["event_data"], "repository": {**harbor["event_data"]["repository"], "repo_full_name": "told"}}
    event["resources"] = [{**event["resources"][0], "tag": "1"}]
    body = json.dumps({**harbor, "event_data": event}).encode()
    made = await _told(on, "harbor", body, {"X-Door": HOOK}, "team")
    await on.run_once(made)
    await on.noted("told by a secret", made)
    hub = sample("dockerhub", "dockerhub-push").value
    calls = json.dumps({**hub, "callback_url": on.callback}).encode()
    made = await _told(on, "dockerhub", calls, {"X-Door": f"Bearer {HOOK}"})
    await on.asked(lambda app: http_api.cancel(app, _CALLER, made))
    await on.run_once(made)
    await on.noted("told by Docker Hub", made)
    await on.app.send_notices()
    github = sample("github", "github-registry-package")
    signed = "sha256=" + hmac.new(SIGNING.encode(), github.body, hashlib.sha256).hexdigest()
    on.secrets["signature"] = signed.removeprefix("sha256=")
    proof = {**github.headers, "X-Hub-Signature-256": signed}
    on.ends["told by a signature"] = await _answered(on, "github", github.body, proof)
    on.ends["told by a wrong signature"] = await _answered(on, "github", github.body + b" ", proof)
    for headers in ({"X-Door": GUESSED}, {"X-Door": ""}, {"Authorization": HOOK}):
        on.ends["told by a wrong secret"] = await _answered(on, "harbor", body, headers, "team")
    on.ends["told what cannot be read"] = await _answered(on, "harbor", HOOK.encode(), {"X-Door": HOOK}, "team")


async def _told(on: SecretVoyage, kind: str, body: bytes, headers: Mapping[str, str], name: str | None = None) -> str:
    """Deliver what leads to one import; its id."""
    answer = await _delivered(on, kind, body, headers, name)
    assert answer.status == 202, answer.body
    (made,) = json.loads(answer.body)["imports"]
    return str(made["id"])


async def _answered(
    on: SecretVoyage, kind: str, body: bytes, headers: Mapping[str, str], name: str | None = None
) -> str:
    """Deliver what leads to none; the status, or the error's code."""
    answer = await _delivered(on, kind, body, headers, name)
    said = json.loads(answer.body)
    return str(said["error"]["code"] if "error" in said else answer.status)


async def _delivered(
    on: SecretVoyage, kind: str, body: bytes, headers: Mapping[str, str], name: str | None
) -> http_api.Answer:
    async def services() -> Any:  # noqa: ANN401 (the services)
        return on.app.services

    answer = await take_delivery(services, kind, name, body, headers)
    on.places["answers"].append(f"{answer.status} {answer.headers} {answer.body}".encode())
    return answer


async def meet_a_bug(on: SecretVoyage) -> None:
    """A bug passes every handler of the app, and the host writes it into its log.

    The last leg: it leaves messages behind that come back after a minute.
    """
    for name, where in (
        ("with a token", "/oauth2/token"),
        ("with a manifest", "/manifests/"),
        ("with a blob", "/blobs/"),
    ):
        await _forget_messages(on)
        import_id = await on.submitted(callbackUrl=on.callback)
        on.bug.where = where
        try:
            await on.run_once(import_id)
        except OddError:
            _host.exception("Executed 'Functions.run_import' (Failed)")
            await on.noted(f"bug {name}", import_id)
        source = {**on.with_password(PASSWORD), "sourceImage": "several:1"}
        try:
            await on.post({"source": source, "targetTags": ["a:1"], "validateOnly": True})
        except OddError:
            _host.exception("Executed 'Functions.submit_import' (Failed)")
            on.ends[f"bug {name} in a preview"] = "OddError"
        on.bug.where = None
