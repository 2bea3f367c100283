"""A voyage with secrets on board over every path that an import can take; everything that is left behind is kept.

Two ACRs that want a sign-in, a private registry with Basic, a callback; real sockets, a real Azurite on a disk.
"""

import base64
import json
import ssl
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
from azure.storage.queue.aio import QueueClient

from devtools.app_in_process import AppInProcess
from devtools.azurite import running_azurite
from devtools.canaries import Bug, EveryLog, StorageTap, Wiretap, files_below
from devtools.emulator import Emulator, EmulatorConfig, Identities, Principal, User
from devtools.emulator.faults import FaultRule
from devtools.emulator.identities import Grant
from devtools.receiver import Receiver
from devtools.rehearsal import app_settings, open_host
from devtools.sample_images import image, layer
from devtools.serving import serving
from devtools.testing import running_emulator
from importcore.api import http_api
from importcore.caller import Caller
from importcore.registry.origin import OriginGate
from importcore.registry.pool_transport import PoolTransport
from tests.integration.sources.azure import HOME_TENANT, SECRET, SYSTEM_IDENTITY, entra_token, identity_endpoint
from tests.integration.sources.dock import push
from tests.integration.sources.read_only_registry import ReadOnlyRegistry

PUBLIC = "plainly-visible-name"
PASSWORD, WRONG = "canary-password-é+/=1", "canary-wrong-password-2"
CONFIGURED, CALLBACK = "canary-configured-3", "canary-callback-token-4"
HOOK, SIGNING, GUESSED = "canary-hook-secret-5", "canary-signing-secret-6", "canary-guessed-secret-8"
IMAGE = image([layer(150_000)])
PUSHER = httpx.BasicAuth("pusher", "push-password")
BASIC = "Basic " + base64.b64encode(f"robot:{CONFIGURED}".encode()).decode()
ENTRA = entra_token(HOME_TENANT, SYSTEM_IDENTITY)
KEYS = {"sealing key": b"canary-sealing-key-canary-sealin", "callback key": b"canary-callback-key-canary-callb"}
_CALLER = Caller.by_key()


@dataclass
class SecretVoyage:
    """The app, and everything that it leaves behind.

    Attributes:
        secrets: By a name for each; those that were issued on the way come in.
        bug: A bug in what carries requests to registries, as long as it is told where.
        places: What was left, by where it was found; whole when the voyage is over.
        ends: What each import came to, by its name: a status, or the code of its error.
    """

    app: AppInProcess
    storage: str
    source: str
    target: str
    private: str
    callback: str
    source_emulator: Emulator
    target_emulator: Emulator
    secrets: dict[str, str]
    places: dict[str, list[bytes]]
    bug: Bug
    ends: dict[str, str] = field(default_factory=dict)
    cargo: int = 0

    async def asked(self, operation: Any) -> http_api.Answer:  # noqa: ANN401 (an operation of the API)
        """Call the API and keep its answer."""
        answer = await http_api.answered(lambda: operation(self.app.services))
        self.places["answers"].append(f"{answer.status} {answer.headers} {answer.body}".encode())
        return answer

    async def post(self, body: object) -> http_api.Answer:
        """`POST /api/imports`."""
        sent = body if isinstance(body, bytes) else json.dumps(body).encode()
        return await self.asked(lambda on: http_api.submit(on, _CALLER, sent, None))

    async def submitted(self, source: Mapping[str, object] | None = None, **more: object) -> str:
        """Submit an import of content that nobody has asked for before, by password unless said otherwise; its id."""
        self.cargo += 1
        name = f"app-{self.cargo}"
        await push(self.source, image([layer(150_000, seed=self.cargo)]), name, auth=PUSHER)
        wanted = {"sourceImage": f"{name}:1", **(self.with_password(PASSWORD) if source is None else source)}
        answer = await self.post({"source": wanted, "targetTags": [f"{PUBLIC}/{name}:1"], **more})
        assert answer.status == 202, answer.body
        return str(json.loads(answer.body)["id"])

    def with_password(self, password: str) -> dict[str, object]:
        """A source that wants a password."""
        return {"registryUri": self.source, "credentials": {"username": "puller", "password": password}}

    async def run_once(self, import_id: str) -> None:
        """Deliver the import's message now, however long it would sleep."""
        stored = await self.app.services.records.get(import_id)
        assert stored is not None
        async with QueueClient.from_connection_string(self.storage, self.app.names.queue) as queue:
            lease, receipt = stored.record.lease_id, stored.record.lease_receipt
            if lease:
                await queue.update_message(lease, receipt or "", visibility_timeout=0)
            message = await queue.receive_message(visibility_timeout=60)
            assert message is not None
            await self.app.services.importer.run(base64.b64decode(message.content), message.id)
            await queue.delete_message(message)

    async def poisoned(self, body: bytes | None = None) -> None:
        """Give a message up, as the host does: the next in the queue, or any bytes."""
        if body is None:
            async with QueueClient.from_connection_string(self.storage, self.app.names.queue) as queue:
                message = await queue.receive_message()
                assert message is not None
                await queue.delete_message(message)
                body = base64.b64decode(message.content)
        await self.app.services.poison.take(body)

    async def noted(self, name: str, import_id: str) -> None:
        """Read the record, as a user does, and note how it stands."""
        record = json.loads((await self.asked(lambda on: http_api.get(on, _CALLER, import_id))).body)
        self.ends[name] = record["error"]["code"] if record["error"] else record["status"]

    async def imported(
        self, name: str, source: Mapping[str, object] | None = None, *, faults: "Faults" = (), **more: object
    ) -> None:
        """Import once through, under faults, and note what became of it."""
        for emulator, rule in faults:
            emulator.faults.add(rule)
        import_id = await self.submitted(source, **more)
        await self.run_once(import_id)
        await self.noted(name, import_id)
        for emulator, _ in faults:
            emulator.faults.clear()


Faults = list[tuple[Emulator, FaultRule]] | tuple[()]


def fault(action: Any, method: str = "GET", path: str = "/manifests/", times: int | None = None) -> FaultRule:  # noqa: ANN401 (an action)
    """A line of a fault script."""
    return FaultRule(method=method, path=path, times=times, action=action)


def _acr(*grants: Grant) -> EmulatorConfig:
    users = (User("puller", PASSWORD), User("pusher", "push-password"))
    principals = (Principal(SYSTEM_IDENTITY, grants or (Grant(),)),)
    return EmulatorConfig(auth="acr", identities=Identities(principals, other_principals=(), users=users))


@asynccontextmanager
async def voyage(folder: Path, monkeypatch: pytest.MonkeyPatch, log: EveryLog) -> AsyncIterator[SecretVoyage]:
    """Set out; when the context is left, the places hold everything."""
    secrets = {"password": PASSWORD, "wrong password": WRONG, "configured password": CONFIGURED, "callback": CALLBACK}
    secrets |= {"hook's secret": HOOK, "signing secret": SIGNING, "guessed secret": GUESSED}
    secrets |= {f"{name} as text": key.decode() for name, key in KEYS.items()}
    secrets |= {"identity header": SECRET, "Entra token as password": ENTRA}
    places: dict[str, list[bytes]] = {"answers": [], "log": [], "storage": []}
    tap, bug = StorageTap(), Bug()
    registry = ReadOnlyRegistry(IMAGE, challenge='Basic realm="registry"', authorization=BASIC)
    async with (
        running_azurite(folder) as azurite,
        identity_endpoint() as identity,
        running_emulator(_acr()) as (source, source_emulator),
        running_emulator(_acr()) as (target, target_emulator),
        serving(registry.app()) as private_port,
        serving(Receiver()) as callback_port,
    ):
        private, callback = f"127.0.0.1:{private_port}", f"127.0.0.1:{callback_port}"
        hosts = {source: {**open_host(), "acr": True}, target: {**open_host(), "acr": True}}
        hosts |= {private: open_host(), callback: open_host()}
        settings = {
            **identity.adopted(monkeypatch),
            "TRANSLOAD_SEALING_KEYS": "k1:" + base64.b64encode(KEYS["sealing key"]).decode(),
            "TRANSLOAD_CALLBACK_KEYS": "k1:" + base64.b64encode(KEYS["callback key"]).decode(),
            "TRANSLOAD_CALLBACK_HOSTS": callback,
            "TRANSLOAD_CHUNK_BYTES": str(64 * 1024),
            "TRANSLOAD_CREDENTIALS": json.dumps(
                {"robot": {"registry": private, "username": "robot", "password": CONFIGURED}}
            ),
            "TRANSLOAD_HOOKS": json.dumps(hooks(source)),
            "TRANSLOAD_RULES": rules(source, target),
        }
        settings = app_settings(azurite.connection_string, target, hosts, **settings)
        started = AppInProcess.started(settings, _tapped(secrets, bug), {"transport": tap})
        async with started as app:
            yield SecretVoyage(
                app, azurite.connection_string, source, target, private, f"http://{callback}/hook/{CALLBACK}?token={CALLBACK}",
                source_emulator, target_emulator, secrets, places, bug,
            )  # fmt: skip
    places["storage"] += tap.written
    places["log"] += [line.encode() for line in log.lines]
    places["disk"] = [text for _, text in files_below(folder)]


def _tapped(heard: dict[str, str], bug: Bug) -> Callable[[OriginGate, ssl.SSLContext], httpx.AsyncBaseTransport]:
    return lambda gate, tls: Wiretap(bug.beneath(PoolTransport(gate, tls)), heard)


def hooks(source: str) -> dict[str, object]:
    """Senders: one that says a secret, one that signs, and Docker Hub, each with a secret of its own."""
    says = {"secrets": [HOOK], "header": "X-Door"}
    return {"harbor/team": {**says, "registry": source}, "dockerhub": says, "github": {"secrets": [SIGNING]}}


def rules(source: str, target: str) -> str:
    """What a push means: an import, by this app's identity."""
    return f"""
version: 1
rules:
- {{name: pinned, on: {{registry: "{source}"}}, to: "{target}/{PUBLIC}/{{name}}:{{tag}}"}}
- {{name: hub, on: {{registry: docker.io}}, to: "{target}/{PUBLIC}/hub:{{tag}}"}}
"""
