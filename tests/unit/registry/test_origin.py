"""The origin gate: every spelling of a forbidden place is refused, at the URL and again at the address."""

import httpx
import pytest
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
}


def gate(identity_endpoint: str | None = "localhost:42356") -> OriginGate:
    """A gate with some hosts configured."""
    private = frozenset({"registry.local", "10.0.0.5", "localhost"})
    return OriginGate(lambda host: CONFIGURED.get(host, ORDINARY), private, identity_endpoint)


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
    ],
)
def test_a_public_or_configured_place_is_open(url: str) -> None:
    """The gate refuses every other one, so returning is the whole outcome."""
    gate().check(httpx.URL(url))


def test_the_identity_endpoint_is_closed_at_its_address_too() -> None:
    """In Azure it is a link-local address with a port of its own."""
    with pytest.raises(UnsafeUrlError, match="identity endpoint"):
        gate("169.254.129.2:8081").check(httpx.URL("https://169.254.129.2:8081/msi/token"))


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
    assert gate().allows_address(host, address) is allowed


@pytest.mark.usefixtures("socket_enabled")  # to look a name up; nothing is connected to
async def test_a_name_that_leads_nowhere_public_is_not_connected_to() -> None:
    """`localhost` stands for any name whose owner points it at this machine."""
    closed = GatedResolver(OriginGate(lambda _: ORDINARY, frozenset(), None))

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
