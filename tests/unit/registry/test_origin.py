"""The origin gate: every spelling of a forbidden place is refused, at the URL and again at the address."""

import httpx
import pytest

from importcore.errors import UnsafeUrlError
from importcore.registry.origin import netloc_of, same_origin
from tests.unit.registry.origin_gate import gate


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
