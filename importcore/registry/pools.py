"""Connection pools, one for each TLS configuration: a client certificate belongs to a connection, not to a request.

A registry's requests may go to several hosts (token service, storage). Each host is met with what the settings say
about that host: a client certificate is shown to the host that it is configured for and to no other. A host without a
certificate authority of its own is trusted by the public ones, and by that of the registry which leads to it.
"""

import ssl
from collections.abc import Callable
from dataclasses import dataclass

import httpx

from importcore.errors import ConfigurationError
from importcore.registry.origin import OriginGate, netloc_of
from importcore.settings.model import Settings

TransportFactory = Callable[[OriginGate, ssl.SSLContext], httpx.AsyncBaseTransport]


@dataclass(frozen=True, slots=True)
class _Tls:
    ca_file: str | None
    also_trusted: str | None
    client_cert_file: str | None
    client_key_file: str | None


class Pools:
    """Makes pools when they are first needed, and keeps them."""

    def __init__(self, settings: Settings, gate: OriginGate, factory: TransportFactory) -> None:
        self._settings = settings
        self._gate = gate
        self._factory = factory
        self._pools: dict[_Tls, httpx.AsyncBaseTransport] = {}

    def of(self, host: str, *, ca_file: str | None = None) -> httpx.AsyncBaseTransport:
        """Give the pool for a host; `ca_file` is trusted, too, where the settings name none for it.

        Raises:
            ConfigurationError: A file that the settings name for this host cannot be read.
        """
        rules = self._settings.host(host)
        also_trusted = ca_file if rules.ca_file is None else None
        tls = _Tls(rules.ca_file, also_trusted, rules.client_cert_file, rules.client_key_file)
        if tls not in self._pools:
            self._pools[tls] = self._factory(self._gate, _context(host, tls))
        return self._pools[tls]

    async def aclose(self) -> None:
        """Close every connection."""
        for pool in self._pools.values():
            await pool.aclose()


def _context(host: str, tls: _Tls) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context(cafile=tls.ca_file)
        if tls.also_trusted is not None:
            context.load_verify_locations(tls.also_trusted)
    except OSError as error:
        raise ConfigurationError(f"TRANSLOAD_REGISTRIES: the caFile of {host} cannot be read") from error
    if tls.client_cert_file is not None:
        try:
            # An encrypted key fails with an empty password; without one OpenSSL would ask on a terminal.
            context.load_cert_chain(tls.client_cert_file, tls.client_key_file, password="")
        except OSError as error:
            raise ConfigurationError(
                f"TRANSLOAD_REGISTRIES: the clientCertFile or clientKeyFile of {host} cannot be read"
            ) from error
    return context


class RoutedTransport(httpx.AsyncBaseTransport):
    """Sends each request of one registry through the pool of the host that it goes to."""

    def __init__(self, pools: Pools, ca_file: str | None) -> None:
        self._pools = pools
        self._ca_file = ca_file

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send."""
        pool = self._pools.of(netloc_of(request.url), ca_file=self._ca_file)
        return await pool.handle_async_request(request)
