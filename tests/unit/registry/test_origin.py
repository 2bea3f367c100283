"""The origin gate: every spelling of a forbidden place is refused, at the URL and again at the address."""

import socket

import httpx
import pytest
from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.resolver import ThreadedResolver

from importcore.errors import UnsafeUrlError
from importcore.registry.origin import GatedResolver, OriginGate, UnsafeAddressError, netloc_of, same_origin
from importcore.settings.model import HostSettings

ORDINARY = HostSettings()
PRIVATE = HostSettings.model_validate({"private": True})
PLAIN = HostSettings.model_validate({"private": True, "plainHttp": True})
CONFIGURED = {
    "registry.local:5000": PLAIN,
    "10.0.0.5:5000": PRIVATE,
    "[fd00::5]": PRIVATE,
    "169.254.169.254": PLAIN,
    "localhost": PRIVATE,
    "localhost:42356": PLAIN,
    "127.0.0.1:42356": PLAIN,
    "[::1]:42356": PLAIN,
    "default.local": PRIVATE,
    "xn--bcher-kva.local:5000": PRIVATE,
}


def gate(*identity_endpoints: str) -> OriginGate:
    """A gate with some hosts configured."""
    return OriginGate(lambda host: CONFIGURED.get(host, ORDINARY), identity_endpoints or ("localhost:42356",))


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("http://registry.example/", "only https"),
        ("ftp://registry.example/", "only https"),
        ("file:///etc/passwd", "only https"),
        ("http://registry.local/", "only https"),
        ("https://user:pw@registry.example/", "user information"),
        ("https://user@registry.example/", "user information"),
        ("https://localhost:8080/", "this machine"),
        ("https://LOCALHOST.:8080/", "this machine"),
        ("https://127.0.0.1/", "not a public one"),
        ("https://127.0.0.1./", "not a public one"),
        ("https://127.1/", "not a public one"),
        ("https://0x7f.1/", "not a public one"),
        ("https://0x7f000001/", "not a public one"),
        ("https://2130706433/", "not a public one"),
        ("https://017700000001/", "not a public one"),
        ("https://127\u30020\u30020\u30021/", "not a public one"),
        ("https://0/", "not a public one"),
        ("https://10.1.2.3/", "not a public one"),
        ("https://172.16.0.1/", "not a public one"),
        ("https://192.168.0.1/", "not a public one"),
        ("https://100.64.0.1/", "not a public one"),
        ("https://169.254.1.1/", "not a public one"),
        ("https://[::1]/", "not a public one"),
        ("https://[::]/", "not a public one"),
        ("https://[::ffff:127.0.0.1]/", "not a public one"),
        ("https://[::ffff:10.0.0.5]/", "not a public one"),
        ("https://[fe80::1]/", "not a public one"),
        ("https://[fd00::6]/", "not a public one"),
        ("https://10.0.0.5/", "not a public one"),
        ("https://[64:ff9b::7f00:1]/", "not a public one"),
        ("https://[2002:7f00:1::]/", "not a public one"),
        ("https://[::127.0.0.1]/", "not a public one"),
        ("https://[::ffff:0:127.0.0.1]/", "not a public one"),
        ("https://224.0.0.1/", "not a public one"),
        ("https://[ff02::1]/", "not a public one"),
        ("https://169.254.169.254/", "metadata endpoint"),
        ("http://169.254.169.254/", "metadata endpoint"),
        ("https://169.254.169.254./", "metadata endpoint"),
        ("https://0xa9fea9fe/", "metadata endpoint"),
        ("https://2852039166/", "metadata endpoint"),
        ("https://[::ffff:a9fe:a9fe]/", "metadata endpoint"),
        ("https://[fd00:ec2::254]/", "metadata endpoint"),
        ("https://[64:ff9b::a9fe:a9fe]/", "metadata endpoint"),
        ("https://168.63.129.16/", "metadata endpoint"),
        ("http://localhost:42356/msi/token", "identity endpoint"),
        ("https://localhost:42356/", "identity endpoint"),
        ("https://localhost.:42356/", "identity endpoint"),
        ("http://127.0.0.1:42356/", "identity endpoint"),
        ("https://127.1:42356/", "identity endpoint"),
        ("https://0:42356/", "identity endpoint"),
        ("https://[::1]:42356/", "identity endpoint"),
        ("https://[::ffff:127.0.0.1]:42356/", "identity endpoint"),
        ("https://evil.localhost/", "this machine"),
        ("https://169.254.170.2/", "metadata endpoint"),
        ("https://169.254.170.23/", "metadata endpoint"),
        ("https://100.100.100.200/", "metadata endpoint"),
        ("https://192.0.0.192/", "metadata endpoint"),
        ("https://[fd00:ec2::23]/", "metadata endpoint"),
        ("https://[fec0::1]/", "not a public one"),
        ("https://[64:ff9b:1::7f00:1]/", "not a public one"),
        ("https://[5f00::1]/", "not a public one"),
        ("https://[3fff::1]/", "not a public one"),
        ("https://[4000::1]/", "not a public one"),
        ("https://[2001:0:a9fe:a9fe::1]/", "not a public one"),
        ("https://[fe80::1%25eth0]/", "not a public one"),
        ("https://192.88.99.1/", "not a public one"),
        ("https://198.18.0.1/", "not a public one"),
        ("https://240.0.0.1/", "not a public one"),
        ("https://%31%32%37.0.0.1/", "neither a name nor an address"),
        ("https://a.example%2eevil.example/", "neither a name nor an address"),
        ("https://localhost%00.example/", "neither a name nor an address"),
        ("https://a.example\\b.example/", "neither a name nor an address"),
        ("https://a example/", "neither a name nor an address"),
        ("https:///path", "neither a name nor an address"),
        ("https:127.0.0.1", "neither a name nor an address"),
        ("//127.0.0.1/", "only https"),
    ],
)
def test_a_forbidden_place_is_refused_in_every_spelling(url: str, reason: str) -> None:
    """With the reason; whatever is configured, metadata and identity endpoints stay closed."""
    with pytest.raises(UnsafeUrlError, match=reason):
        gate().check(httpx.URL(url))


@pytest.mark.parametrize(
    "url",
    [
        "https://registry.example/v2/",
        "https://registry.example:8443/v2/",
        "https://8.8.8.8/",
        "https://[2606:4700::1111]/",
        "http://registry.local:5000/v2/",
        "https://registry.local:5000/v2/",
        "https://REGISTRY.LOCAL:5000/v2/",
        "https://10.0.0.5:5000/",
        "https://[fd00::5]/",
        "https://localhost/",
        "https://xn--bcher-kva.local:5000/",
        "https://bücher.local:5000/",
        "https://bücher.example/",
    ],
)
def test_a_public_or_configured_place_is_open(url: str) -> None:
    """The gate refuses every other one, so returning is the whole outcome."""
    gate().check(httpx.URL(url))


@pytest.mark.parametrize("port", [8081, 443, 80])
def test_an_identity_endpoint_with_an_address_of_its_own_is_closed_at_every_port(port: int) -> None:
    """In Azure it is a link-local address; a host that may be private must not lead to it either."""
    azure = gate("169.254.129.2:8081", "identity.internal")

    with pytest.raises(UnsafeUrlError, match="identity endpoint"):
        azure.check(httpx.URL(f"https://169.254.129.2:{port}/msi/token"))
    with pytest.raises(UnsafeUrlError, match="identity endpoint"):
        azure.check(httpx.URL(f"https://identity.internal:{port}/msi/token"))
    assert not azure.allows_address("registry.local", 5000, "169.254.129.2")
    assert azure.allows_address("registry.local", 5000, "169.254.129.3")


@pytest.mark.parametrize(
    ("host", "port", "allowed"),
    [
        ("registry.local", 5000, True),
        ("registry.local", 5001, False),
        ("registry.local", 443, False),
        ("default.local", 443, True),
        ("default.local", 80, False),
        ("default.local", 8443, False),
        ("localhost", 42356, False),
    ],
)
def test_a_host_may_be_private_at_the_port_that_is_configured(host: str, port: int, allowed: bool) -> None:  # noqa: FBT001 (a column)
    """A redirect to another service on the same machine is a way in, too; and the identity endpoint is none at all."""
    assert gate().allows_address(host, port, "127.0.0.1") is allowed


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


def test_a_refusal_names_the_host_and_nothing_behind_it() -> None:
    """Path and query can be secrets, and user information is one."""
    with pytest.raises(UnsafeUrlError) as caught:
        gate().check(httpx.URL("https://user:hunter2@registry.example/path-secret?sig=query-secret#fragment-secret"))

    assert "registry.example" in caught.value.message
    assert "hunter2" not in caught.value.message
    assert "secret" not in caught.value.message


def test_a_refusal_of_ones_own_registry_says_which_setting_opens_it() -> None:
    """The one case where the user is right and the gate is too."""
    with pytest.raises(UnsafeUrlError) as private:
        gate().check(httpx.URL("https://10.1.2.3/"))
    with pytest.raises(UnsafeUrlError) as plain:
        gate().check(httpx.URL("http://registry.example/"))

    assert '"private"' in private.value.action
    assert '"plainHttp"' in plain.value.action


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


@pytest.mark.parametrize(
    ("url", "netloc"),
    [
        ("https://a.example/x", "a.example"),
        ("https://a.example:443/x", "a.example"),
        ("http://a.example:80", "a.example"),
        ("https://a.example:80", "a.example:80"),
        ("https://[::1]:5000", "[::1]:5000"),
        ("https://[::1]", "[::1]"),
    ],
)
def test_a_host_is_named_as_users_write_it(url: str, netloc: str) -> None:
    """Without the scheme's own port."""
    assert netloc_of(httpx.URL(url)) == netloc


@pytest.mark.parametrize(
    ("other", "same"),
    [
        ("https://a.example:443/y?z", True),
        ("https://A.EXAMPLE/", True),
        ("http://a.example/", False),
        ("https://a.example:444/", False),
        ("https://b.a.example/", False),
        ("https://a.example./", False),
    ],
)
def test_scheme_host_and_port_make_an_origin(other: str, same: bool) -> None:  # noqa: FBT001 (a column)
    """Authorization is sent along only where all three are the same."""
    assert same_origin(httpx.URL("https://a.example/x"), httpx.URL(other)) is same
