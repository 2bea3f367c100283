"""Addresses: which are public, which are nobody's business, and every spelling in which one can hide.

Sources: the IANA registries of special-purpose addresses (RFC 6890), IPv4 inside IPv6 (RFC 4291, 6052, 3056), the
documentation of the clouds for their metadata services.
"""

import ipaddress
import socket

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

NEVER = frozenset(
    ipaddress.ip_address(text)
    for text in (
        "169.254.169.254",  # metadata: Azure, AWS, Google and others
        "fd00:ec2::254",  # the same of AWS by IPv6
        "169.254.170.2",  # AWS: credentials of a container
        "169.254.170.23",  # AWS: credentials of a pod, and by IPv6
        "fd00:ec2::23",
        "100.100.100.200",  # metadata: Alibaba
        "192.0.0.192",  # metadata: Oracle
        "168.63.129.16",  # Azure's own address in every virtual network
    )
)
"""Where no import leads, whatever is configured."""
_CARRIES_IPV4_LAST = tuple(
    ipaddress.ip_network(text)
    for text in ("::/96", "::ffff:0:0/96", "::ffff:0:0:0/96", "64:ff9b::/96")  # compatible, mapped, translated, NAT64
)
_6TO4 = ipaddress.ip_network("2002::/16")
_GLOBAL_UNICAST = ipaddress.ip_network("2000::/3")
_NOT_PUBLIC_EITHER = tuple(
    ipaddress.ip_network(text) for text in ("192.0.0.0/24", "192.88.99.0/24", "3fff::/20")
)  # special by IANA's registries, and not to every version of Python


def seen_through(address: Address) -> Address:
    """Look through IPv4 addresses written as IPv6, whatever the transition mechanism."""
    if isinstance(address, ipaddress.IPv4Address):
        return address
    if any(address in network for network in _CARRIES_IPV4_LAST) and int(address) > 1:
        return ipaddress.IPv4Address(int(address) & 0xFFFF_FFFF)
    if address in _6TO4:
        return ipaddress.IPv4Address(int(address) >> 80 & 0xFFFF_FFFF)
    return address


def faces(address: Address) -> frozenset[Address]:
    """Give the addresses that one (seen through) can lead to: itself, and what a tunnel of the network makes of it.

    NAT64 within a network (RFC 8215) and ISATAP (RFC 5214) read the last 32 bits, whatever the prefix is that somebody
    chose; Teredo (RFC 4380) reads them inverted.
    """
    if isinstance(address, ipaddress.IPv4Address):
        return frozenset({address})
    last = int(address) & 0xFFFF_FFFF
    return frozenset({address, ipaddress.IPv4Address(last), ipaddress.IPv4Address(last ^ 0xFFFF_FFFF)})


def is_public(address: Address) -> bool:
    """Tell whether an address (seen through) is one of the public internet."""
    if isinstance(address, ipaddress.IPv6Address) and address not in _GLOBAL_UNICAST:
        return False
    special = any(address in network for network in _NOT_PUBLIC_EITHER if network.version == address.version)
    return address.is_global and not address.is_multicast and not special


def is_this_machine(address: Address) -> bool:
    """Tell whether an address leads back to this machine: loopback, and the one that stands for every address."""
    return address.is_loopback or address.is_unspecified


def literal_address(host: str) -> Address | None:
    """Read an address in any spelling that a resolver would take, such as `127.1` or `0x7f000001`; None for a name."""
    try:
        return seen_through(ipaddress.ip_address(host.strip("[]").partition("%")[0]))
    except ValueError:
        pass
    try:
        return ipaddress.IPv4Address(socket.inet_aton(host))
    except (OSError, UnicodeEncodeError):
        return None
