"""Makes registry clients, and keeps their connection pools and tokens for the life of the worker process.

What a request passes on its way out, from the client to the network:

    RegistryAuth      the Authorization header                           auth.py
    SlotTransport     so many blobs at once, where the host has a limit  transfer_slots.py
    GateTransport     no URL that the gate refuses                       transport.py
    RetryTransport    again, where that may help                         transport.py
    QuotaTransport    no pull where none are left                        quota.py
    PacedTransport    so many requests and bytes a second                pace.py
    RoutedTransport   the pool for the host's TLS configuration          pools.py
    PoolTransport     a kept connection; gives up what does not move     pool_transport.py
"""

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from http.cookiejar import CookieJar, DefaultCookiePolicy

import httpx

from importcore.errors import Side
from importcore.reference import api_host
from importcore.registry.auth import RegistryAuth
from importcore.registry.client import RegistryClient
from importcore.registry.credentials import Credential
from importcore.registry.mirrors import MirroredClient, MirrorRests
from importcore.registry.origin import OriginGate, netloc_of
from importcore.registry.pace import PacedTransport, Paces
from importcore.registry.patience import Patience
from importcore.registry.pool_transport import PoolTransport
from importcore.registry.pools import Pools, RoutedTransport, TransportFactory
from importcore.registry.quota import PullQuota, QuotaTransport
from importcore.registry.transfer_slots import SlotTransport, TransferSlots
from importcore.registry.transport import GateTransport, RetryTransport
from importcore.settings.model import Settings

__all__ = ["Registries", "TransportFactory"]

_SIGN_INS_AT_MOST = 256
_USER_AGENT = "transload"


@dataclass(frozen=True, slots=True)
class _SignInKey:
    registry: str
    credential: object
    side: Side


@dataclass(frozen=True, slots=True)
class _SignIn:
    """What the clients of one credential at one registry share."""

    auth: RegistryAuth
    transport: httpx.AsyncBaseTransport


class Registries:
    """Gives a client for a registry, a side and a credential; the same ones share tokens and connections."""

    def __init__(self, settings: Settings, transport: TransportFactory = PoolTransport) -> None:
        self._settings = settings
        self.gate = OriginGate(settings.host, settings.identity_endpoints)
        self._pools = Pools(settings, self.gate, transport)
        self._sign_ins: OrderedDict[_SignInKey, _SignIn] = OrderedDict()
        self._paces: dict[str, Paces] = {}
        self._slots = TransferSlots(settings)
        self._rests = MirrorRests()
        self._learnt_chunks: dict[str, int] = {}
        self._without_chunks: set[str] = set()
        self._patience = Patience.of(settings.idle_seconds)

    def client(
        self,
        registry: str,
        side: Side,
        credential: Credential,
        *,
        towards: str | None = None,
        mirrors: Sequence[RegistryClient] = (),
    ) -> RegistryClient:
        """Make a client.

        Args:
            registry: The registry, in its normal form.
            side: What the import uses it for.
            credential: Who we are there.
            towards: For a source: the target, whose limits on transfers count as well.
            mirrors: For a source: clients of the registries to ask for content first.

        Raises:
            ConfigurationError: A file that the settings name for this host cannot be read.
        """
        url = self._url(registry)
        sign_in = self._sign_in(registry, url, side, credential)
        slots = self._slots.of(registry, *([towards] if towards else []))
        transport = SlotTransport(sign_in.transport, slots, netloc_of(url)) if slots else sign_in.transport
        http = self._http(transport)
        if mirrors and side is Side.SOURCE:
            return MirroredClient(
                http, sign_in.auth, registry, url, mirrors=mirrors, rests=self._rests, patience=self._patience
            )
        return RegistryClient(http, sign_in.auth, registry, url, side, patience=self._patience)

    def http(self, url: httpx.URL) -> httpx.AsyncClient:
        """Give a plain client for another service than a registry; it passes the gate and is retried alike."""
        self._pools.of(netloc_of(url))
        return self._http(GateTransport(self.gate, RetryTransport(RoutedTransport(self._pools, None))))

    def chunk_bytes(self, registry: str) -> int:
        """The chunk size for a registry: configured, unless it taught us a smaller one."""
        configured = self._settings.host(registry).chunk_bytes or self._settings.chunk_bytes
        return min(configured, self._learnt_chunks.get(registry, configured))

    def learn_chunk_bytes(self, registry: str, size: int) -> None:
        """Remember that a registry called larger chunks than this too large."""
        self._learnt_chunks[registry] = size

    def takes_chunks(self, registry: str) -> bool:
        """Whether a registry takes a blob in several requests; true, unless it taught us otherwise."""
        return registry not in self._without_chunks

    def learn_no_chunks(self, registry: str) -> None:
        """Remember that a registry refused a chunk, and took a blob in one request."""
        self._without_chunks.add(registry)

    async def aclose(self) -> None:
        """Close every connection."""
        await self._pools.aclose()

    def _sign_in(self, registry: str, url: httpx.URL, side: Side, credential: Credential) -> _SignIn:
        key = _SignInKey(registry, credential, side)
        kept = self._sign_ins.pop(key, None)
        if kept is None:
            transport = self._transport(registry, url)
            kept = _SignIn(RegistryAuth(self._http(transport), registry, url, credential), transport)
        self._sign_ins[key] = kept
        while len(self._sign_ins) > _SIGN_INS_AT_MOST:
            self._sign_ins.popitem(last=False)
        return kept

    def _transport(self, registry: str, url: httpx.URL) -> httpx.AsyncBaseTransport:
        rules = self._settings.host(registry)
        self._pools.of(netloc_of(url))  # now, so that a wrong file is told before anything is sent
        paces = self._paces.setdefault(registry, Paces.of(rules))
        paced = PacedTransport(RoutedTransport(self._pools, rules.ca_file), paces)
        return GateTransport(self.gate, RetryTransport(QuotaTransport(paced, PullQuota(registry))))

    def _http(self, transport: httpx.AsyncBaseTransport) -> httpx.AsyncClient:
        return httpx.AsyncClient(
            transport=transport,
            headers={"User-Agent": _USER_AGENT, "Accept-Encoding": "identity"},
            cookies=CookieJar(policy=DefaultCookiePolicy(allowed_domains=[])),
            timeout=self._patience.ordinary,
            follow_redirects=False,
            trust_env=False,
        )

    def _url(self, registry: str) -> httpx.URL:
        scheme = "http" if self._settings.host(registry).plain_http else "https"
        return httpx.URL(f"{scheme}://{api_host(registry)}")
