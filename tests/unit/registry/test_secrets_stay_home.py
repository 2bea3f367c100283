"""A hostile registry tries each trick to be sent a secret, and everything that anybody is sent is recorded.

The whole way of a request is real: clients, credentials, retries, the gate; only the network is a recording.
"""

import base64
import contextlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field

import httpx
import pytest

from importcore.access.arm import RegistryResources
from importcore.access.clients import ImportClients
from importcore.descriptors import Descriptor
from importcore.errors import Side, TransloadError
from importcore.registry.client import RegistryClient
from importcore.registry.credentials import AcrIdentity, UserPassword
from importcore.registry.listing import list_referrers, list_repositories, list_tags
from importcore.registry.registries import Registries
from importcore.request.source_access import RegistryResource, UserCredentials
from importcore.sealing import Sealer
from importcore.settings.model import HostSettings, Settings, StorageAccount
from tests.unit.registry.scripted import Pieces, jwt

DIGEST = "sha256:" + "0" * 64
BLOB = Descriptor("application/octet-stream", DIGEST, 4)
EVIL, ACR, HTTP_EVIL = "evil.example", "mine.azurecr.io", "plain.example:5000"
BASIC = base64.b64encode(b"robot:hunter2-password").decode()
ENTRA, REFRESH = jwt(tid="t", secret="entra"), jwt(grant_type="refresh_token", exp=4_000_000_000)
SECRETS = {
    "password": (BASIC, "hunter2-password"),
    "registry token": ("the-registry-token",),
    "Entra token": (ENTRA,),
    "refresh token": (REFRESH,),
    "access token": ("the-access-token",),
}
Answer = Callable[[httpx.Request], httpx.Response]


def stranger(_: httpx.Request) -> httpx.Response:
    """A host that nobody has named before: it takes everything."""
    return httpx.Response(200, json={"token": "x"})


@dataclass
class World(httpx.AsyncBaseTransport):
    """The network: every host of it, and what each one was sent."""

    hosts: dict[str, Answer]
    sent: list[tuple[str, str]] = field(default_factory=list)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Record where it went and all that was in it, then answer."""
        stream = request.stream
        body = b"".join([piece async for piece in stream]) if isinstance(stream, httpx.AsyncByteStream) else b""
        origin = f"{request.url.scheme}://{request.url.netloc.decode()}"
        text = f"{request.method} {request.url} {dict(request.headers)} {body.decode('latin-1')}"
        self.sent.append((origin, text))
        answer = self.hosts.get(request.url.netloc.decode(), stranger)
        given = answer(httpx.Request(request.method, request.url, headers=request.headers, content=body))
        return httpx.Response(given.status_code, headers=given.headers, stream=Pieces(given.content))

    def who_was_sent(self, secret: str) -> set[str]:
        """The origins that were sent one of the secrets."""
        return {origin for origin, text in self.sent if any(form in text for form in SECRETS[secret])}


def token_service(request: httpx.Request) -> httpx.Response:
    """A token service as distribution and ACR have it."""
    if request.url.path == "/oauth2/exchange":
        return httpx.Response(200, json={"refresh_token": REFRESH})
    return httpx.Response(200, json={"token": "the-registry-token", "access_token": "the-access-token"})


def challenge(realm: str, scheme: str = "Bearer") -> httpx.Response:
    """A 401 that names a realm."""
    return httpx.Response(401, headers={"WWW-Authenticate": f'{scheme} realm="{realm}",service="s"'})


def hostile(realm: str, then: Answer) -> Answer:
    """A registry that asks to sign in, and then does something else."""

    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.path.startswith(("/oauth2", "/token")):
            return token_service(request)
        return then(request) if request.headers.get("authorization") else challenge(realm)

    return answer


def elsewhere(location: str, status: int = 307) -> Answer:
    """Send everybody to another place."""
    return lambda _: httpx.Response(status, headers={"Location": location})


def linked(onward: str) -> Answer:
    """A list whose next page is elsewhere."""
    return lambda _: httpx.Response(
        200, json={"tags": [], "repositories": [], "manifests": []}, headers={"Link": f'<{onward}>; rel="next"'}
    )


def uploads_at(location: str) -> Answer:
    """An upload session that is elsewhere."""
    return lambda _: httpx.Response(202, headers={"Location": location, "Range": "0-0"})


TRICKS: dict[str, Answer] = {
    "a redirect to another host": elsewhere(f"https://{EVIL}/v2/"),
    "a redirect to its own other port": elsewhere("https://registry.example:8443/v2/"),
    "a redirect to itself without TLS": elsewhere("http://registry.example/v2/"),
    "a redirect to a host that looks like it": elsewhere("https://registry.example.evil.example/v2/"),
    "a redirect to itself with a dot behind": elsewhere("https://registry.example./v2/"),
    "a redirect with its name as user": elsewhere(f"https://registry.example@{EVIL}/v2/"),
    "a redirect to a host without TLS": elsewhere(f"http://{HTTP_EVIL}/v2/", 302),
    "a redirect to metadata": elsewhere("http://169.254.169.254/metadata/identity/oauth2/token"),
    "a redirect to the identity endpoint": elsewhere("http://localhost:42356/msi/token"),
    "a redirect in a circle": elsewhere("https://registry.example/v2/again"),
    "a link to another host": linked(f"https://{EVIL}/v2/_catalog"),
    "a link to metadata": linked("http://169.254.169.254/"),
    "a link without a scheme": linked(f"//{EVIL}/v2/"),
    "an upload on another host": uploads_at(f"https://{EVIL}/upload?state=1"),
    "an upload on a private address": uploads_at("https://10.0.0.1/upload"),
    "an upload on the identity endpoint": uploads_at("http://127.0.0.1:42356/"),
    "a second challenge with a realm elsewhere": lambda _: challenge(f"https://{EVIL}/token"),
    "a second challenge that wants Basic": lambda _: challenge("anything", "Basic"),
}
REALMS = ["https://registry.example/oauth2/token", "https://auth.example/token"]


async def everything(client: RegistryClient) -> None:
    """Ask a registry everything that an import can ask; what it refuses is its own affair."""

    async def chunk() -> AsyncIterator[bytes]:
        yield b"data"

    with contextlib.suppress(TransloadError, httpx.HTTPError):
        await client.head_manifest("app", "1")
    with contextlib.suppress(TransloadError, httpx.HTTPError):
        await list_tags(client, "app")
    with contextlib.suppress(TransloadError, httpx.HTTPError):
        await list_repositories(client)
    with contextlib.suppress(TransloadError, httpx.HTTPError):
        await list_referrers(client, "app", DIGEST)
    with contextlib.suppress(TransloadError, httpx.HTTPError):
        async with client.open_blob("app", BLOB) as reader:
            _ = [piece async for piece in reader]
    with contextlib.suppress(TransloadError, httpx.HTTPError):
        session = await client.mount_blob("app", DIGEST, "other")
        assert session is not None
        with contextlib.suppress(TransloadError, httpx.HTTPError):
            await session.append(chunk(), 4)
        for step in (session.status, session.finish, session.cancel):
            with contextlib.suppress(TransloadError, httpx.HTTPError):
                await step()


def settings() -> Settings:
    """An installation with one host that speaks plain HTTP, for whoever wants to lure something there."""
    plain = HostSettings.model_validate({"plainHttp": True, "private": True})
    return Settings(
        StorageAccount("x"),
        (),
        registries={HTTP_EVIL: plain, "localhost:42356": plain, "127.0.0.1:42356": plain},
        identity_endpoints=("localhost:42356",),
    )


async def entra() -> str:
    """What azure-identity would give."""
    return ENTRA


@pytest.mark.parametrize("realm", REALMS)
@pytest.mark.parametrize("trick", TRICKS)
async def test_a_user_and_a_password_go_to_the_realm_and_their_token_to_the_registry(trick: str, realm: str) -> None:
    """And to nobody else, whatever the registry answers; forbidden places are not even asked."""
    world = World({"registry.example": hostile(realm, TRICKS[trick]), "auth.example": token_service})
    registries = Registries(settings(), lambda _gate, _tls: world)

    for side in Side:
        await everything(registries.client("registry.example", side, UserPassword("robot", "hunter2-password")))

    realms = {f"https://{httpx.URL(realm).host}"} | ({f"https://{EVIL}"} if "realm elsewhere" in trick else set())
    if "wants Basic" in trick:
        realms.add("https://registry.example")
    assert world.who_was_sent("password") <= realms
    assert world.who_was_sent("registry token") == {"https://registry.example"}
    assert not {origin for origin, _ in world.sent if "169.254" in origin or "42356" in origin or "10.0.0" in origin}
    assert {origin for origin, _ in world.sent if origin.startswith("http:")} <= {f"http://{HTTP_EVIL}"}


@pytest.mark.parametrize("trick", TRICKS)
async def test_entra_refresh_and_access_tokens_go_to_the_acr_alone(trick: str) -> None:
    """Even where it challenges with a realm elsewhere in the middle."""
    world = World({ACR: hostile(f"https://{ACR}/oauth2/token", TRICKS[trick])})
    registries = Registries(settings(), lambda _gate, _tls: world)

    for side in Side:
        await everything(registries.client(ACR, side, AcrIdentity(entra)))

    for secret in ("Entra token", "refresh token", "access token"):
        assert world.who_was_sent(secret) == {f"https://{ACR}"}, secret


@pytest.mark.parametrize(
    "realm",
    [
        f"https://{EVIL}/oauth2/token",
        f"https://{ACR}:8443/oauth2/token",
        f"http://{ACR}/oauth2/token",
        f"https://{ACR}.evil.example/oauth2/token",
        f"https://{ACR}@{EVIL}/oauth2/token",
        f"https://{ACR}./oauth2/token",
        "http://169.254.169.254/oauth2/token",
        "https://other.azurecr.io/oauth2/token",
    ],
)
async def test_an_acr_with_a_realm_elsewhere_gets_no_entra_token_at_all(realm: str) -> None:
    """Neither it nor the realm: somebody is in between."""
    world = World({ACR: lambda _: challenge(realm)})

    await everything(Registries(settings(), lambda _gate, _tls: world).client(ACR, Side.TARGET, AcrIdentity(entra)))

    assert world.sent
    assert world.who_was_sent("Entra token") == set()


@pytest.mark.parametrize("realm", [f"http://{HTTP_EVIL}/token", "http://registry.example/token", "token", ""])
async def test_a_realm_without_tls_gets_no_password(realm: str) -> None:
    """Not even on a host that may speak plain HTTP for itself."""
    world = World({"registry.example": lambda _: challenge(realm)})
    client = Registries(settings(), lambda _gate, _tls: world).client(
        "registry.example", Side.SOURCE, UserPassword("robot", "hunter2-password")
    )

    await everything(client)

    assert world.sent
    assert world.who_was_sent("password") == set()


@pytest.mark.parametrize(
    ("registry", "is_shown"),
    [
        (ACR, True),
        ("mine.azurecr.cn", False),
        ("azurecr.io.evil.example", False),
        ("mine.azurecr.io.evil.example", False),
        ("mineazurecr.io", False),
        (f"{ACR}:8443", False),
    ],
)
async def test_only_hosts_of_the_clouds_own_suffix_are_offered_the_identity(registry: str, is_shown: bool) -> None:  # noqa: FBT001 (a column)
    """A name that only ends alike, another cloud's, another port: they are met as strangers."""
    world = World({registry: hostile(f"https://{registry}/oauth2/token", elsewhere(f"https://{EVIL}/"))})
    known = settings()
    registries = Registries(known, lambda _gate, _tls: world)
    clients = ImportClients(
        known, registries, Sealer((("k", b"0" * 32),)), entra, RegistryResources(known, registries, entra)
    )

    await everything(clients.source_for(registry, None))

    assert world.sent
    assert world.who_was_sent("Entra token") == ({f"https://{registry}"} if is_shown else set())


async def test_a_requests_credentials_never_reach_the_mirrors_of_their_registry() -> None:
    """A mirror gets its own credentials, or none."""
    known = Settings(
        StorageAccount("x"),
        (),
        registries={"registry.example": HostSettings.model_validate({"mirrors": ["mirror.example"]})},
    )
    world = World(
        {
            "registry.example": hostile("https://registry.example/token", elsewhere(f"https://{EVIL}/")),
            "mirror.example": hostile("https://mirror.example/token", elsewhere(f"https://{EVIL}/")),
        }
    )
    registries = Registries(known, lambda _gate, _tls: world)
    clients = ImportClients(
        known, registries, Sealer((("k", b"0" * 32),)), entra, RegistryResources(known, registries, entra)
    )

    await everything(clients.source_for("registry.example", UserCredentials("hunter2-password", "robot")))

    assert "https://mirror.example" in {origin for origin, _ in world.sent}
    assert world.who_was_sent("password") == {"https://registry.example"}


async def test_resource_manager_cannot_send_its_token_elsewhere() -> None:
    """A redirect of it is not followed."""
    known = settings()
    world = World({"management.azure.com": elsewhere(f"https://{EVIL}/")})
    resources = RegistryResources(known, Registries(known, lambda _gate, _tls: world), entra)

    with pytest.raises(TransloadError):
        await resources.login_server(RegistryResource("0" * 8 + "-0000-0000-0000-" + "0" * 12, "group", "mine12"))

    assert world.who_was_sent("Entra token") == {"https://management.azure.com"}
    assert {origin for origin, _ in world.sent} == {"https://management.azure.com"}
