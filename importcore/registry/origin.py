"""The one gate to the network: every URL that a request or a registry names passes here before it is opened.

Registries hand out URLs (token realms, upload Locations, redirects, page links), users name registries, and this
process holds a managed identity: so a URL is opened only over https (or http where the settings say so for that
host), never with user information in it, never on a loopback, private, link-local or otherwise special address
unless that host is configured as private, and never on the platform's metadata and identity endpoints.
A name can resolve to anything, and to something else a moment later: addresses are checked again when connecting,
and the one that was checked is the one that is connected to.
"""

import re
import socket
from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Any

import httpx
from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.resolver import ThreadedResolver

from importcore.errors import UnsafeUrlError, printable
from importcore.registry.addresses import (
    NEVER,
    Address,
    faces,
    is_public,
    is_this_machine,
    literal_address,
    seen_through,
)
from importcore.settings.model import HostSettings

_DEFAULT_PORTS = {"https": 443, "http": 80}
_HOST = re.compile(r"[a-z0-9_.-]{1,253}|[0-9a-f:.]{2,45}(?:%25[a-z0-9]+)?")
_LOCALHOST = "localhost"

HostLookup = Callable[[str], HostSettings]


def netloc_of(url: httpx.URL) -> str:
    """Give `host[:port]` as users write it, in ASCII: the port is left out where it is the scheme's own.

    Raises:
        UnicodeError: The host cannot be written in ASCII (in the zone of an IPv6 address, httpx lets anything pass).
    """
    name = url.raw_host.decode("ascii")
    host = f"[{name}]" if ":" in name else name
    return host if url.port is None or url.port == _DEFAULT_PORTS.get(url.scheme) else f"{host}:{url.port}"


def same_origin(one: httpx.URL, other: httpx.URL) -> bool:
    """Tell whether two URLs have the same scheme, host and port; only then may Authorization be sent along."""
    return (one.scheme, netloc_of(one)) == (other.scheme, netloc_of(other))


class UnsafeAddressError(OSError):
    """A host name resolved to nothing but addresses that this host may not have."""


@dataclass(frozen=True, slots=True)
class _ForbiddenEndpoint:
    """The managed identity endpoint: whoever can reach it gets this app's tokens.

    In Azure it has an address of its own, which is closed as a whole; on this machine, one port of it is.
    """

    host: str
    port: int
    address: Address | None

    @classmethod
    def of(cls, netloc: str) -> "_ForbiddenEndpoint":
        url = httpx.URL(f"http://{netloc}")
        host = url.raw_host.decode("ascii").rstrip(".")
        return cls(host, url.port or _DEFAULT_PORTS["http"], literal_address(host))

    def is_at(self, host: str, port: int, address: Address | None) -> bool:
        """Tell whether a place is this endpoint, by its name or by its address."""
        if address is None:
            return host == self.host and (port == self.port or host != _LOCALHOST)
        if self.host == _LOCALHOST or (self.address is not None and is_this_machine(self.address)):
            return is_this_machine(address) and port == self.port
        return address == self.address


class OriginGate:
    """Decides which URLs may be opened and which addresses connected to."""

    def __init__(self, hosts: HostLookup, identity_endpoints: tuple[str, ...] = ()) -> None:
        """Take the settings.

        Args:
            hosts: What is configured for a `host[:port]`.
            identity_endpoints: `host[:port]` of the managed identity endpoints, which nobody may be sent to.
        """
        self._hosts = hosts
        self._forbidden = tuple(map(_ForbiddenEndpoint.of, identity_endpoints))

    def check(self, url: httpx.URL) -> None:
        """Let a URL pass.

        Raises:
            UnsafeUrlError: It does not; the message has no path and no query, which may be secrets.
        """
        host = url.raw_host.decode("ascii").rstrip(".").lower()
        rules = self._hosts(netloc_of(url))
        if url.scheme != "https" and not (url.scheme == "http" and rules.plain_http):
            raise self._refused(url, "only https is allowed", 'set "plainHttp" for this host in TRANSLOAD_REGISTRIES')
        if url.userinfo:
            raise self._refused(url, "a URL with user information is never opened")
        if _HOST.fullmatch(host) is None:
            raise self._refused(url, "its host is neither a name nor an address")
        address = literal_address(host)
        if self._is_forbidden(host, url.port or _DEFAULT_PORTS[url.scheme], address):
            raise self._refused(url, "it is the platform's identity endpoint")
        if address is not None:
            self._check_address(url, address, private=rules.private)
        elif (host == _LOCALHOST or host.endswith(f".{_LOCALHOST}")) and not rules.private:
            raise self._refused(url, "it is this machine", 'set "private" for this host in TRANSLOAD_REGISTRIES')

    def allows_address(self, host: str, port: int, address: str) -> bool:
        """Tell whether a host name may be connected to at this address and port."""
        parsed = seen_through(ip_address(address.partition("%")[0]))
        name = host.rstrip(".").lower()
        if self._is_never(name, port, parsed):
            return False
        return is_public(parsed) or self._is_private(name, port)

    def new_socket(self, address_info: tuple[Any, ...]) -> socket.socket:
        """Make the socket of a connection: the last place where its address can still be refused.

        Names have passed `allows_address`, and addresses `check`; what two readers of one URL might have read
        differently ends here.

        Raises:
            UnsafeAddressError: It is one that is never connected to.
        """
        family, kind, protocol, _, (host, port, *_) = address_info
        address = seen_through(ip_address(host.partition("%")[0]))
        if self._is_never(host, port, address):
            raise UnsafeAddressError("the address is never connected to")
        return socket.socket(family, kind, protocol)

    def _is_private(self, host: str, port: int) -> bool:
        """Tell whether the settings let this host have a private address: at the port that they name, and no other."""
        rules = self._hosts(host)
        by_default = port == _DEFAULT_PORTS["https"] or (rules.plain_http and port == _DEFAULT_PORTS["http"])
        return self._hosts(f"{host}:{port}").private or (rules.private and by_default)

    def _is_forbidden(self, host: str, port: int, address: Address | None) -> bool:
        known = {None} if address is None else faces(address)
        return any(endpoint.is_at(host, port, face) for endpoint in self._forbidden for face in known)

    def _is_never(self, host: str, port: int, address: Address) -> bool:
        """Tell whether a connection to this address is none that anybody may have, whatever is configured."""
        return not NEVER.isdisjoint(faces(address)) or self._is_forbidden(host, port, address)

    def _check_address(self, url: httpx.URL, address: Address, *, private: bool) -> None:
        if not NEVER.isdisjoint(faces(address)):
            raise self._refused(url, "it is a platform's metadata endpoint, or another address of its own")
        if not is_public(address) and not private:
            raise self._refused(
                url, "the address is not a public one", 'set "private" for this host in TRANSLOAD_REGISTRIES'
            )

    @staticmethod
    def _refused(url: httpx.URL, reason: str, action: str | None = None) -> UnsafeUrlError:
        where = printable(f"{url.scheme}://{netloc_of(url)}", 120)
        return UnsafeUrlError(
            f"refused to open {where}: {reason}", action=f"If it is yours: {action}." if action else None
        )


class GatedResolver(AbstractResolver):
    """Resolves names for the connection pool and leaves out the addresses that the gate refuses."""

    def __init__(self, gate: OriginGate, names: AbstractResolver | None = None) -> None:
        self._gate = gate
        self._resolver = names or ThreadedResolver()

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """Resolve a name.

        Raises:
            UnsafeAddressError: Every address of it is one that this host may not have.
            OSError: It cannot be resolved.
        """
        found = await self._resolver.resolve(host, port, family)
        allowed = [result for result in found if self._gate.allows_address(host, port, result["host"])]
        if found and not allowed:
            raise UnsafeAddressError(f"{host} resolves to an address that is not public")
        return allowed

    async def close(self) -> None:
        """Release the resolver."""
        await self._resolver.close()
