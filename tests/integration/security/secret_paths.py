"""The paths of the voyage that begin with a request for one image: credentials, failures, cancel, retry, poison."""

import json
from collections.abc import Callable, Mapping
from typing import Any

from devtools.emulator.faults import AlterHeaders, Answer, Corrupt, Echo, FaultRule
from importcore.api import http_api
from importcore.caller import Caller
from tests.integration.security.secret_voyage import CALLBACK, ENTRA, PASSWORD, WRONG, SecretVoyage, fault

_CALLER = Caller.by_key()


async def sail_everywhere(on: SecretVoyage) -> None:
    """Take every path: success by each credential, each kind of failure, cancel, retry, poison, refused requests."""
    await _succeed(on)
    await _fail(on)
    await _stop_and_wait(on)
    await _be_refused(on)


async def _succeed(on: SecretVoyage) -> None:
    await on.imported("by password")
    await on.imported("by identity", {"registryUri": on.source})
    by_name = {"registryUri": on.private, "sourceImage": "app:1", "credentials": {"name": "robot"}}
    await on.imported("by name", by_name)
    by_token = {"registryUri": on.source, "credentials": {"password": ENTRA}}
    await on.imported("by Entra token", by_token)
    await on.imported("with a callback", callbackUrl=on.callback)
    await on.app.send_notices()
    await on.post({"source": {**on.with_password(PASSWORD), "sourceImage": "app-1:1"}, "validateOnly": True})


async def _fail(on: SecretVoyage) -> None:
    source, target = on.source_emulator, on.target_emulator
    await on.imported("wrong password", on.with_password(WRONG), callbackUrl=on.callback)
    await on.imported("absent", {**on.with_password(PASSWORD), "sourceImage": "app-1:none"})
    await on.imported("echoed by the token service", faults=[(source, fault(Echo(status=403), path="/oauth2/token"))])
    refused = fault(Echo(status=400), "POST", "/oauth2/token")
    await on.imported("echoed to a refresh token", {"registryUri": on.source}, faults=[(source, refused)])
    await on.imported("echoed by the source", faults=[(source, fault(Echo(status=403)))])
    await on.imported("echoed by the target", faults=[(target, fault(Echo(status=400), "PUT"))])
    await on.imported("altered", faults=[(source, fault(Corrupt(), path="/blobs/"))])
    away = AlterHeaders(headers={"Location": f"https://169.254.169.254/up?_state={CALLBACK}&sig={PASSWORD}"})
    await on.imported("led astray", faults=[(target, fault(away, "POST", "/blobs/uploads/"))])


async def _stop_and_wait(on: SecretVoyage) -> None:
    async def cancel(import_id: str) -> None:
        await on.asked(lambda app: http_api.cancel(app, _CALLER, import_id))

    waiting = await on.submitted()
    await cancel(waiting)
    await on.run_once(waiting)
    await on.noted("canceled in the queue", waiting)
    busy = Answer(status=429, headers={"Retry-After": "60"})
    on.target_emulator.faults.add(FaultRule(method="PATCH", skip=1, times=None, action=busy))
    asleep = await on.submitted()
    await on.run_once(asleep)
    await on.noted("asleep with an upload open", asleep)
    on.target_emulator.faults.clear()
    await on.run_once(asleep)
    await on.noted("awake", asleep)
    given_up = await on.submitted()
    await on.poisoned()
    await on.noted("given up once", given_up)
    await cancel(given_up)
    unreadable = await on.submitted()
    await on.poisoned(json.dumps({"v": 99, "importId": unreadable}).encode())
    await on.poisoned(b"{no JSON")
    await on.noted("unreadable", unreadable)
    await on.app.services.keep_up()
    await on.asked(lambda app: http_api.list_newest(app, _CALLER, {}))
    await on.asked(lambda app: http_api.health(_given(app)))


def _given(app: Any) -> Callable[[], Any]:  # noqa: ANN401 (the services)
    async def services() -> Any:  # noqa: ANN401 (the services)
        return app

    return services


async def _be_refused(on: SecretVoyage) -> None:
    source = on.with_password(PASSWORD)
    credentials: Mapping[str, object] = {"username": "puller", "password": PASSWORD}
    wrong: list[object] = [
        {"source": {**source, "credentials": {**credentials, "surprise": PASSWORD}}, "targetTags": ["a:1"]},
        {"source": {**source, "credentials": {**credentials, "name": "robot"}}, "targetTags": ["a:1"]},
        {"source": {**source, "credentials": {"username": "puller", "password": [PASSWORD]}}, "targetTags": ["a:1"]},
        {"source": {**source, "credentials": PASSWORD}, "targetTags": ["a:1"]},
        {"source": source, "target": "elsewhere.example/a:1"},
        {"source": source, "targetTags": ["NO:1"], "callbackUrl": f"ftp://x/{CALLBACK}"},
        {"source": source, "targetTags": ["a:1"], "callbackUrl": f"https://10.0.0.1/{CALLBACK}"},
        f'{{"source": {{"credentials": {{"password": "{PASSWORD}", "password": "{WRONG}"}}}}}}'.encode(),
        f'{{"source": {{"credentials": {{"password": "{PASSWORD}"'.encode(),
    ]
    for body in wrong:
        answer = await on.post(body)
        assert answer.status in {400, 403}, answer.body
