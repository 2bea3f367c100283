"""Makes registry clients, and keeps their connection pools and tokens for the life of the worker process."""

import ssl
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from http.cookiejar import CookieJar, DefaultCookiePolicy

import httpx

from importcore.errors import ConfigurationError, Side
from importcore.reference import api_host
from importcore.registry.auth import RegistryAuth
from importcore.registry.client import RegistryClient
from importcore.registry.credentials import Credential
from importcore.registry.origin import OriginGate
from importcore.registry.transport import GateTransport, PoolTransport, RetryTransport
from importcore.settings import HostSettings, Settings

_AUTHS_AT_MOST = 256
_TIMEOUT = httpx.Timeout(30.0, connect=15.0, read=60.0)
_USER_AGENT = "transload"

TransportFactory = Callable[[OriginGate, ssl.SSLContext], httpx.AsyncBaseTransport]


@dataclass(frozen=True, slots=True)
class _AuthKey:
    registry: str
    credential: object
    side: Side


class Registries:
    """Gives a client for a registry, a side and a credential; the same ones share tokens and connections."""

    def __init__(self, settings: Settings, transport: TransportFactory = PoolTransport) -> None:
        self._settings = settings
        self._transport = transport
        private = frozenset(_without_port(host) for host, rules in settings.registries.items() if rules.private)
        self.gate = OriginGate(settings.host, private, settings.identity_endpoint_host)
        self._http: dict[str | None, httpx.AsyncClient] = {}
        self._auths: OrderedDict[_AuthKey, RegistryAuth] = OrderedDict()
        self._learnt_chunks: dict[str, int] = {}

    def client(self, registry: str, side: Side, credential: Credential) -> RegistryClient:
        """Make a client.

        Raises:
            ConfigurationError: The CA file that the settings name for this host cannot be read.
        """
        host = api_host(registry)
        rules = self._settings.host(host)
        http = self._pool(host, rules)
        url = httpx.URL(f"{'http' if rules.plain_http else 'https'}://{host}")
        key = _AuthKey(host, credential, side)
        auth = self._auths.pop(key, None) or RegistryAuth(http, registry, url, credential)
        self._auths[key] = auth
        while len(self._auths) > _AUTHS_AT_MOST:
            self._auths.popitem(last=False)
        return RegistryClient(http, auth, registry, url, side)

    def chunk_bytes(self, registry: str) -> int:
        """The chunk size for a registry: configured, unless it taught us a smaller one."""
        configured = self._settings.host(registry).chunk_bytes or self._settings.chunk_bytes
        return min(configured, self._learnt_chunks.get(registry, configured))

    def learn_chunk_bytes(self, registry: str, size: int) -> None:
        """Remember that a registry called larger chunks than this too large."""
        self._learnt_chunks[registry] = size

    def _pool(self, host: str, rules: HostSettings) -> httpx.AsyncClient:
        if rules.ca_file not in self._http:
            try:
                tls = ssl.create_default_context(cafile=rules.ca_file)
            except OSError as error:
                raise ConfigurationError(f"TRANSLOAD_REGISTRIES: the caFile of {host} cannot be read") from error
            self._http[rules.ca_file] = httpx.AsyncClient(
                transport=GateTransport(self.gate, RetryTransport(self._transport(self.gate, tls))),
                headers={"User-Agent": _USER_AGENT, "Accept-Encoding": "identity"},
                cookies=CookieJar(policy=DefaultCookiePolicy(allowed_domains=[])),
                timeout=_TIMEOUT,
                follow_redirects=False,
                trust_env=False,
            )
        return self._http[rules.ca_file]

    async def aclose(self) -> None:
        """Close every connection."""
        for http in self._http.values():
            await http.aclose()


def _without_port(host: str) -> str:
    return host if host.endswith("]") else host.rpartition(":")[0] or host
