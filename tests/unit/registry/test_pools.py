"""Pools: a client certificate is shown to the host that it is configured for, whoever leads to another."""

import ssl
from pathlib import Path

import httpx
import trustme

from importcore.registry.origin import OriginGate
from importcore.registry.pools import Pools, RoutedTransport
from importcore.settings.model import HostSettings, Settings, StorageAccount


class PoolsOfATest:
    """Makes pools that note which hosts each was asked for; the first has the number 0."""

    def __init__(self) -> None:
        self.asked: list[list[str]] = []

    def __call__(self, gate: OriginGate, tls: ssl.SSLContext) -> httpx.AsyncBaseTransport:  # noqa: ARG002 (the factory's form)
        """Make one."""
        hosts = list[str]()
        self.asked.append(hosts)

        def answer(request: httpx.Request) -> httpx.Response:
            hosts.append(request.url.host)
            return httpx.Response(200)

        return httpx.MockTransport(answer)


async def test_a_client_certificate_is_shown_to_its_host_alone(tmp_path: Path) -> None:
    """The storage behind a registry, a token service and every other host are met without one."""
    certificate = trustme.CA().issue_cert("transload@client.example")
    certificate.private_key_and_cert_chain_pem.write_to_path(tmp_path / "client.pem")
    shown = HostSettings.model_validate({"clientCertFile": str(tmp_path / "client.pem")})
    settings = Settings(StorageAccount("x"), (), registries={"registry.example": shown})
    made = PoolsOfATest()
    pools = Pools(settings, OriginGate(settings.host), made)
    route = RoutedTransport(pools, None)

    for host in ("registry.example", "storage.example", "registry.example:444", "registry.example"):
        await route.handle_async_request(httpx.Request("GET", f"https://{host}/"))

    assert made.asked == [["registry.example", "registry.example"], ["storage.example", "registry.example"]]
