"""The origin gate at connect time: what a name resolved to is looked at again, and so is what a socket is made for."""

import socket

import pytest
from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.resolver import ThreadedResolver

from importcore.registry.origin import GatedResolver, OriginGate, UnsafeAddressError
from tests.unit.registry.origin_gate import ORDINARY, gate


@pytest.mark.parametrize(
    "address",
    ["169.254.169.254", "::ffff:169.254.169.254", "168.63.129.16", "127.0.0.1", "0.0.0.0", "::1"],  # noqa: S104 (not to bind to)
)
def test_a_socket_to_a_forbidden_address_is_never_made(address: str) -> None:
    """The last line, whatever any reader of the URL made of it; 42356 is the identity endpoint's port here."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET

    with pytest.raises(UnsafeAddressError):
        gate().new_socket((family, socket.SOCK_STREAM, 6, "", (address, 42356)))


@pytest.mark.usefixtures("socket_enabled")
def test_a_socket_to_another_address_is_made() -> None:
    """As asyncio would make it."""
    with gate().new_socket((socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", 5000))) as made:
        assert (made.family, made.type) == (socket.AF_INET, socket.SOCK_STREAM)


class Names(AbstractResolver):
    """A name server that answers something else each time."""

    def __init__(self, *answers: list[str]) -> None:
        self._answers = list(answers)

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """Give the next answer."""
        return [
            ResolveResult(hostname=host, host=address, port=port, family=family, proto=0, flags=0)
            for address in self._answers.pop(0)
        ]

    async def close(self) -> None:
        """Nothing to release."""


async def test_a_name_that_is_rebound_between_two_lookups_is_checked_each_time() -> None:
    """What is connected to is what was checked; of several addresses the private ones are left out."""
    resolver = GatedResolver(gate(), Names(["8.8.8.8"], ["127.0.0.1"], ["10.0.0.1", "9.9.9.9", "169.254.169.254"]))

    first = await resolver.resolve("evil.example", 443)
    with pytest.raises(UnsafeAddressError):
        await resolver.resolve("evil.example", 443)
    third = await resolver.resolve("evil.example", 443)

    assert [[one["host"] for one in found] for found in (first, third)] == [["8.8.8.8"], ["9.9.9.9"]]


@pytest.mark.parametrize(
    ("host", "address", "allowed"),
    [
        ("registry.example", "8.8.8.8", True),
        ("registry.example", "2606:4700::1111", True),
        ("registry.example", "127.0.0.1", False),
        ("registry.example", "10.0.0.1", False),
        ("registry.example", "169.254.1.1", False),
        ("registry.example", "::1", False),
        ("registry.example", "fe80::1%eth0", False),
        ("registry.example", "::ffff:127.0.0.1", False),
        ("registry.example", "169.254.169.254", False),
        ("registry.example", "168.63.129.16", False),
        ("registry.example", "64:ff9b::a9fe:a9fe", False),
        ("registry.example", "64:ff9b::7f00:1", False),
        ("registry.example", "2002:7f00:1::", False),
        ("registry.example", "::127.0.0.1", False),
        ("registry.example", "::ffff:0:127.0.0.1", False),
        ("registry.example", "224.0.0.1", False),
        ("registry.example", "ff02::1", False),
        ("registry.local", "127.0.0.1", True),
        ("REGISTRY.local.", "::1", True),
        ("registry.local", "169.254.169.254", False),
        ("registry.local", "168.63.129.16", False),
        ("registry.local", "::ffff:169.254.169.254", False),
        ("registry.local", "fd00:ec2::254", False),
        ("registry.local", "fd00::5", True),
        ("registry.local", "64:ff9b:1::a9fe:a9fe", False),
        ("registry.local", "fd00:64::a9fe:a9fe", False),
        ("registry.local", "2001:0:1:2:3:4:5601:5601", False),
        ("registry.local", "fe80::5efe:a9fe:a9fe", False),
        ("registry.example", "2001:470:1::5efe:a9fe:a9fe", False),
        ("registry.example", "2001:470:1::200:5efe:a83f:8110", False),
    ],
)
def test_an_address_that_a_name_resolved_to_is_checked_again(
    host: str, address: str, allowed: bool  # noqa: FBT001 (a column)
) -> None:  # fmt: skip
    """A name can point anywhere; only configured hosts may have private addresses, and none the metadata endpoint."""
    assert gate().allows_address(host, 5000, address) is allowed


@pytest.mark.usefixtures("socket_enabled")  # to look a name up; nothing is connected to
async def test_a_name_that_leads_nowhere_public_is_not_connected_to() -> None:
    """`localhost` stands for any name whose owner points it at this machine."""
    closed = GatedResolver(OriginGate(lambda _: ORDINARY))

    with pytest.raises(UnsafeAddressError, match="not public"):
        await closed.resolve("localhost", 443)

    await closed.close()


@pytest.mark.usefixtures("socket_enabled")
async def test_a_configured_name_keeps_its_private_addresses() -> None:
    """The same answers as without the gate."""
    gated, bare = GatedResolver(gate()), ThreadedResolver()

    found = await gated.resolve("localhost", 443)

    assert [one["host"] for one in found] == [one["host"] for one in await bare.resolve("localhost", 443)]
    assert found
    await gated.close()
