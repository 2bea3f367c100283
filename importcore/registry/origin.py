"""The one gate to the network: every URL that a request or a registry names passes here before it is opened.

Registries hand out URLs (token realms, upload Locations, redirects, page links), users name registries, and this
process holds a managed identity: so a URL is opened only over https (or http where the settings say so for that
host), never with user information in it, never on a loopback, private, link-local or otherwise special address
unless that host is configured as private, and never on the platform's metadata and identity endpoints.
A name can resolve to anything, and to something else a moment later: addresses are checked again when connecting.
"""

import ipaddress
import socket
from collections.abc import Callable

import httpx
from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.resolver import ThreadedResolver

from importcore.errors import UnsafeUrlError, printable
from importcore.settings.model import HostSettings

_ALWAYS_REFUSED = frozenset(
    ipaddress.ip_address(text)
    for text in ("169.254.169.254", "fd00:ec2::254", "168.63.129.16")  # metadata services; Azure's platform address
)
_CARRIES_IPV4_LAST = tuple(
    ipaddress.ip_network(text)
    for text in ("::/96", "::ffff:0:0/96", "::ffff:0:0:0/96", "64:ff9b::/96")  # compatible, mapped, translated, NAT64
)
_6TO4 = ipaddress.ip_network("2002::/16")
_DEFAULT_PORTS = {"https": 443, "http": 80}

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
HostLookup = Callable[[str], HostSettings]


def netloc_of(url: httpx.URL) -> str:
    """Give `host[:port]` as users write it: the port is left out where it is the scheme's own."""
    host = f"[{url.host}]" if ":" in url.host else url.host
    return host if url.port is None or url.port == _DEFAULT_PORTS.get(url.scheme) else f"{host}:{url.port}"


def same_origin(one: httpx.URL, other: httpx.URL) -> bool:
    """Tell whether two URLs have the same scheme, host and port; only then may Authorization be sent along."""
    return (one.scheme, netloc_of(one)) == (other.scheme, netloc_of(other))


class UnsafeAddressError(OSError):
    """A host name resolved to nothing but addresses that this host may not have."""


class OriginGate:
    """Decides which URLs may be opened and which addresses connected to."""

    def __init__(self, hosts: HostLookup, private_hosts: frozenset[str], identity_endpoint: str | None) -> None:
        """Take the settings.

        Args:
            hosts: What is configured for a `host[:port]`.
            private_hosts: The host names (without port) that may resolve to private addresses.
            identity_endpoint: `host[:port]` of the managed identity endpoint, which nobody may be sent to.
        """
        self._hosts = hosts
        self._private_hosts = private_hosts
        self._identity_endpoint = identity_endpoint

    def check(self, url: httpx.URL) -> None:
        """Let a URL pass.

        Raises:
            UnsafeUrlError: It does not; the message has no path and no query, which may be secrets.
        """
        netloc, host = netloc_of(url), url.host.rstrip(".").lower()
        rules = self._hosts(netloc)
        if url.scheme != "https" and not (url.scheme == "http" and rules.plain_http):
            raise self._refused(url, "only https is allowed", 'set "plainHttp" for this host in TRANSLOAD_REGISTRIES')
        if url.userinfo:
            raise self._refused(url, "a URL with user information is never opened")
        if netloc == self._identity_endpoint or netloc_of(url.copy_with(host=host)) == self._identity_endpoint:
            raise self._refused(url, "it is the platform's identity endpoint")
        address = _literal_address(host)
        if address is not None:
            self._check_address(url, address, private=rules.private)
        elif host == "localhost" and not rules.private:
            raise self._refused(url, "it is this machine", 'set "private" for this host in TRANSLOAD_REGISTRIES')

    def allows_address(self, host: str, address: str) -> bool:
        """Tell whether a host name may be connected to at this address."""
        parsed = _unmapped(ipaddress.ip_address(address.partition("%")[0]))
        if parsed in _ALWAYS_REFUSED:
            return False
        return _is_public(parsed) or host.rstrip(".").lower() in self._private_hosts

    def _check_address(self, url: httpx.URL, address: Address, *, private: bool) -> None:
        if address in _ALWAYS_REFUSED:
            raise self._refused(url, "it is the platform's metadata endpoint, or another address of its own")
        if not _is_public(address) and not private:
            raise self._refused(
                url, "the address is not a public one", 'set "private" for this host in TRANSLOAD_REGISTRIES'
            )

    @staticmethod
    def _refused(url: httpx.URL, reason: str, action: str | None = None) -> UnsafeUrlError:
        where = printable(f"{url.scheme}://{netloc_of(url)}", 120)
        return UnsafeUrlError(
            f"refused to open {where}: {reason}", action=f"If it is yours: {action}." if action else None
        )


def _unmapped(address: Address) -> Address:
    """Look through IPv4 addresses written as IPv6, whatever the transition mechanism."""
    if isinstance(address, ipaddress.IPv4Address):
        return address
    if any(address in network for network in _CARRIES_IPV4_LAST) and int(address) > 1:
        return ipaddress.IPv4Address(int(address) & 0xFFFF_FFFF)
    if address in _6TO4:
        return ipaddress.IPv4Address(int(address) >> 80 & 0xFFFF_FFFF)
    return address


def _is_public(address: Address) -> bool:
    return address.is_global and not address.is_multicast


def _literal_address(host: str) -> Address | None:
    """Read an address in any spelling that a resolver would take, such as `127.1` or `0x7f000001`."""
    try:
        return _unmapped(ipaddress.ip_address(host.strip("[]").partition("%")[0]))
    except ValueError:
        pass
    try:
        return ipaddress.IPv4Address(socket.inet_aton(host))
    except (OSError, UnicodeEncodeError):
        return None


class GatedResolver(AbstractResolver):
    """Resolves names for the connection pool and leaves out the addresses that the gate refuses."""

    def __init__(self, gate: OriginGate) -> None:
        self._gate = gate
        self._resolver = ThreadedResolver()

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """Resolve a name.

        Raises:
            UnsafeAddressError: Every address of it is one that this host may not have.
            OSError: It cannot be resolved.
        """
        found = await self._resolver.resolve(host, port, family)
        allowed = [result for result in found if self._gate.allows_address(host, result["host"])]
        if found and not allowed:
            raise UnsafeAddressError(f"{host} resolves to an address that is not public")
        return allowed

    async def close(self) -> None:
        """Release the resolver."""
        await self._resolver.close()
