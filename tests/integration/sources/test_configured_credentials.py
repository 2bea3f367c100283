"""Credentials in the app settings: used for their registry without a word, or by their name; never shown."""

import json

import httpx
import pytest

from devtools.app_in_process import AppInProcess
from devtools.emulator import EmulatorConfig, Identities, User
from devtools.registry_content import RegistryContent
from devtools.rehearsal import app_settings, open_host
from devtools.testing import running_emulator
from tests.integration.sources.dock import IMAGE, Dock, problems_of, push

pytestmark = pytest.mark.asyncio(loop_scope="session")

ROBOT, PUSHER = User("robot", "r0bot-secret"), User("pusher", "push-secret")
PRIVATE = EmulatorConfig(auth="acr", identities=Identities(users=(ROBOT, PUSHER)))


def pushing() -> httpx.Auth:
    """The sign-in of whoever fills a registry."""
    return httpx.BasicAuth(PUSHER.name, PUSHER.password)


def configured(**entries: tuple[str, User]) -> dict[str, str]:
    """The app setting: each name with its registry and user."""
    value = {
        name: {"registry": registry, "username": user.name, "password": user.password}
        for name, (registry, user) in entries.items()
    }
    return {"TRANSLOAD_CREDENTIALS": json.dumps(value)}


async def test_the_credentials_of_a_registry_are_used_where_the_request_brings_none(storage: str) -> None:
    """An import of a private image needs nothing but its name."""
    async with running_emulator(PRIVATE) as (source, _):
        await push(source, auth=pushing())
        async with Dock.opened(storage, {source: open_host()}, configured(hub=(source, ROBOT))) as dock:
            await dock.require_arrived(await dock.import_from(f"{source}/app:1"))


async def test_credentials_can_be_chosen_by_name(storage: str) -> None:
    """Where a registry has several; the record shows neither the name's password nor its user."""
    async with running_emulator(PRIVATE) as (source, _):
        await push(source, auth=pushing())
        entries = configured(old=(source, User("robot", "expired")), new=(source, ROBOT))
        async with Dock.opened(storage, {source: open_host()}, entries) as dock:
            named = {"registryUri": source, "sourceImage": "app:1", "credentials": {"name": "new"}}
            record = await dock.import_from(named)
            await dock.require_arrived(record)
            assert ROBOT.password not in json.dumps(record)
            wrong = await dock.import_from({**named, "credentials": {"name": "old"}}, mode="Force")
        assert wrong["error"]["code"] == "authentication_failed"
        assert "expired" not in json.dumps(wrong)


async def test_every_import_of_a_selection_gets_the_named_credentials(storage: str) -> None:
    """The parent lists the tags with them, and each child reads with them."""
    async with running_emulator(PRIVATE) as (source, _):
        await push(source, auth=pushing())
        entries = configured(old=(source, User("robot", "expired")), new=(source, ROBOT))
        async with Dock.opened(storage, {source: open_host()}, entries) as dock:
            named = {"registryUri": source, "sourceImage": "app", "credentials": {"name": "new"}}
            answer = await dock.app.post({"source": named, "tags": {"include": ["*"]}})
            assert answer.status == 202, answer.body
            await dock.app.work_off()
            await dock.require_arrived(await dock.app.record(json.loads(answer.body)["id"]))


async def test_what_the_request_brings_wins(storage: str) -> None:
    """Over credentials that are configured for the same registry, which are wrong here."""
    async with running_emulator(PRIVATE) as (source, _):
        await push(source, auth=pushing())
        entries = configured(hub=(source, User("robot", "expired")))
        async with Dock.opened(storage, {source: open_host()}, entries) as dock:
            brought = {"username": ROBOT.name, "password": ROBOT.password}
            named = {"registryUri": source, "sourceImage": "app:1", "credentials": brought}
            await dock.require_arrived(await dock.import_from(named))


@pytest.mark.parametrize(
    ("credentials", "field", "words"),
    [
        ({"name": "nobody"}, "source.credentials.name", "TRANSLOAD_CREDENTIALS"),
        ({"name": "elsewhere"}, "source.credentials.name", "not for registry.example"),
        ({"password": "a-token"}, "source.credentials.username", "only an Azure Container Registry"),
        (None, "source.credentials.name", "one, two"),
    ],
    ids=["unknown", "another registry's", "token for no ACR", "ambiguous"],
)
async def test_credentials_that_cannot_be_meant_are_refused_at_once(
    storage: str, credentials: dict[str, str] | None, field: str, words: str
) -> None:
    """With 400, at the field, and the reason."""
    entries = configured(
        elsewhere=("other.example", ROBOT), one=("registry.example", ROBOT), two=("registry.example", PUSHER)
    )
    async with Dock.opened(storage, {}, entries) as dock:
        named = {"registryUri": "registry.example", "sourceImage": "app:1", "credentials": credentials}
        [(wrong, message)] = problems_of(await dock.send(named)).items()
    assert (wrong, words in message) == (field, True)


async def test_a_target_that_is_no_acr_gets_its_configured_credentials(storage: str) -> None:
    """Bearer tokens for pushing, from a user and a password."""
    async with running_emulator(PRIVATE) as (target, _), running_emulator() as (source, _):
        await push(source)
        hosts = {source: open_host(), target: open_host()}
        settings = app_settings(storage, target, hosts, **configured(ours=(target, PUSHER)))
        async with AppInProcess.started(settings) as app:
            record = await app.import_now(f"{source}/app:1", f"{target}/app:1")
        assert (record["status"], record["error"]) == ("Succeeded", None)
        async with RegistryContent.at(f"http://{target}", "app", pushing()) as content:
            assert (await content.read("1")).root == IMAGE.root
