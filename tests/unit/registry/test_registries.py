"""Registries: which clients share tokens, and the chunk size that a registry taught."""

import ssl
from pathlib import Path

import httpx
import pytest

from importcore.errors import ConfigurationError, Side, UnsafeUrlError
from importcore.registry.credentials import Anonymous, UserPassword
from importcore.registry.origin import OriginGate
from importcore.registry.registries import Registries
from importcore.settings.model import MEBIBYTE, HostSettings, Settings, StorageAccount
from tests.unit.registry.scripted import CHALLENGE, ScriptedTransport, streamed

DIGEST = "sha256:" + "0" * 64


class Network:
    """Makes the one transport of a test, which answers with a token or, to whoever has one, a digest."""

    def __init__(self) -> None:
        self.script = ScriptedTransport(self._answer)

    def __call__(self, gate: OriginGate, tls: ssl.SSLContext) -> httpx.AsyncBaseTransport:  # noqa: ARG002 (the factory's form)
        """The transport."""
        return self.script

    @staticmethod
    def _answer(request: httpx.Request) -> httpx.Response:
        if request.url.host == "auth.example":
            return streamed(200, b'{"token": "t", "expires_in": 3600}')
        if "authorization" not in request.headers:
            return streamed(401, Set_Cookie="who=you; Path=/", **CHALLENGE)
        return streamed(200, Docker_Content_Digest=DIGEST, Set_Cookie="session=1; Path=/")


def registries(network: Network, **hosts: dict[str, object]) -> Registries:
    """Registries with special hosts; dots in their names are written as underscores."""
    rules = {name.replace("_", "."): HostSettings.model_validate(value) for name, value in hosts.items()}
    storage = StorageAccount(connection_string="x")
    return Registries(Settings(storage=storage, sealing_keys=(), registries=rules), network)


async def test_clients_of_the_same_credential_share_their_token() -> None:
    """A second import from the same registry needs no second token; another user's does."""
    network = Network()
    shared = registries(network)
    for credential in (UserPassword("u", "p"), UserPassword("u", "p"), UserPassword("u", "q"), Anonymous()):
        assert await shared.client("a.example", Side.SOURCE, credential).head_manifest("x", "1") == DIGEST

    assert len(network.script.asked("auth.example")) == 3
    await shared.aclose()


async def test_docker_hub_is_spoken_to_at_its_api_host() -> None:
    """Errors and records keep its name."""
    network = Network()
    hub = registries(network).client("docker.io", Side.SOURCE, Anonymous())

    await hub.head_manifest("library/alpine", "3")

    assert hub.registry == "docker.io"
    assert len(network.script.asked("registry-1.docker.io")) == 2


async def test_only_a_configured_host_is_spoken_to_in_clear() -> None:
    """And what it sends us to is not."""
    network = Network()
    some = registries(network, plain_example={"plainHttp": True})

    await some.client("plain.example", Side.SOURCE, Anonymous()).head_manifest("x", "1")

    assert network.script.asked("plain.example")[0].url.scheme == "http"
    with pytest.raises(UnsafeUrlError):
        await some.client("localhost", Side.SOURCE, Anonymous()).head_manifest("x", "1")


async def test_everything_is_asked_for_as_it_is() -> None:
    """Nothing on the way may compress what is hashed, nor a token; and each request says who sends it."""
    network = Network()

    await registries(network).client("a.example", Side.SOURCE, Anonymous()).head_manifest("x", "1")

    assert {request.url.host for request in network.script.requests} == {"a.example", "auth.example"}
    assert {request.headers["accept-encoding"] for request in network.script.requests} == {"identity"}
    assert {request.headers["user-agent"] for request in network.script.requests} == {"transload"}


def test_a_registry_teaches_smaller_chunks() -> None:
    """Per host, and never larger than the settings say."""
    some = registries(Network(), small_example={"chunkBytes": MEBIBYTE})

    assert some.chunk_bytes("small.example") == MEBIBYTE
    assert some.chunk_bytes("a.example") == 32 * MEBIBYTE
    some.learn_chunk_bytes("a.example", 4 * MEBIBYTE)
    some.learn_chunk_bytes("small.example", 4 * MEBIBYTE)

    assert some.chunk_bytes("a.example") == 4 * MEBIBYTE
    assert some.chunk_bytes("small.example") == MEBIBYTE
    assert some.chunk_bytes("b.example") == 32 * MEBIBYTE


@pytest.mark.parametrize("content", [None, "not a certificate"])
def test_a_ca_file_that_cannot_be_read_is_a_wrong_setting(tmp_path: Path, content: str | None) -> None:
    """The error names the host, not the file's content."""
    ca_file = tmp_path / "ca.pem"
    if content is not None:
        ca_file.write_text(content)

    with pytest.raises(ConfigurationError, match=r"caFile of a\.example"):
        registries(Network(), a_example={"caFile": str(ca_file)}).client("a.example", Side.SOURCE, Anonymous())


async def test_no_cookie_of_a_registry_is_kept() -> None:
    """What one import was given must not tell a registry who comes with the next one."""
    network = Network()
    client = registries(network).client("a.example", Side.SOURCE, Anonymous())
    for _ in range(2):
        assert await client.head_manifest("x", "1") == DIGEST

    assert len(network.script.requests) > 3
    assert [request for request in network.script.requests if "cookie" in request.headers] == []
