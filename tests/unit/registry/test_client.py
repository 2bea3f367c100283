"""One method per endpoint: what is asked, what the answer means, and where a redirect may lead."""

import gzip
import json

import httpx
import pytest

from importcore.content import Manifest
from importcore.descriptors import ACCEPT, OCI_MANIFEST, Descriptor
from importcore.errors import (
    AuthenticationError,
    ContentError,
    DigestMismatchError,
    NotFoundError,
    RegistryUnavailableError,
    Side,
    SizeMismatchError,
)
from tests.unit.registry.scripted import REGISTRY, broken_off, client_of, streamed

CONFIG = Descriptor("application/vnd.oci.image.config.v1+json", "sha256:" + "1" * 64, 7)
RAW = json.dumps(
    {
        "mediaType": OCI_MANIFEST,
        "config": {"mediaType": CONFIG.media_type, "digest": CONFIG.digest, "size": CONFIG.size},
        "layers": [],
    },
    indent=2,
).encode()
MANIFEST = Manifest.parse(RAW)


async def test_a_manifest_is_asked_for_with_every_type_that_is_known() -> None:
    """Else an old registry converts it down."""
    client, script = client_of(lambda _: streamed(200, RAW[:5], RAW[5:], Content_Type=OCI_MANIFEST))

    assert await client.get_manifest("team/app", "1") == MANIFEST

    [request] = script.requests
    assert (request.method, str(request.url)) == ("GET", f"https://{REGISTRY}/v2/team/app/manifests/1")
    assert request.headers["accept"] == ACCEPT


@pytest.mark.parametrize("reference", ["sha256:" + "2" * 64, "sha512:" + "2" * 128])
async def test_a_manifest_is_verified_against_the_digest_that_asked_for_it(reference: str) -> None:
    """Whatever the header says."""
    client, _ = client_of(lambda _: streamed(200, RAW, Docker_Content_Digest=reference))

    with pytest.raises(DigestMismatchError) as caught:
        await client.get_manifest("a", reference)

    assert (caught.value.origin, caught.value.step) == (Side.SOURCE, "get manifest")
    assert caught.value.reference == f"{REGISTRY}/a@{reference}"


async def test_a_manifest_by_tag_is_verified_against_the_header() -> None:
    """The registry's own word for what the tag stands on; nonsense there is no word."""
    other, nonsense = "sha256:" + "2" * 64, "md5:2"
    lying, _ = client_of(lambda _: streamed(200, RAW, Docker_Content_Digest=other))
    odd, _ = client_of(lambda _: streamed(200, RAW, Docker_Content_Digest=nonsense))

    with pytest.raises(DigestMismatchError):
        await lying.get_manifest("a", "1")
    assert (await odd.get_manifest("a", "1")).digest == MANIFEST.digest


async def test_what_is_no_manifest_says_where_it_was_found() -> None:
    """Side, step and full name."""
    client, _ = client_of(lambda _: streamed(200, b"<html>"))

    with pytest.raises(ContentError) as caught:
        await client.get_manifest("a", "1")

    assert (caught.value.origin, caught.value.reference) == (Side.SOURCE, f"{REGISTRY}/a:1")


async def test_a_manifest_that_breaks_off_may_come_whole_the_next_time() -> None:
    """It is a fault of the network, not of the content."""
    client, _ = client_of(lambda _: broken_off(200, RAW[:20]))

    with pytest.raises(RegistryUnavailableError, match="reset"):
        await client.get_manifest("a", "1")


async def test_a_tags_digest_is_asked_for_without_the_manifest() -> None:
    """A HEAD does not count as a pull; where it says nothing the manifest is asked for after all."""
    telling, told = client_of(lambda _: streamed(200, Docker_Content_Digest=MANIFEST.digest))
    silent, asked = client_of(lambda request: streamed(200, RAW if request.method == "GET" else b""))

    assert await telling.head_manifest("a", "1") == MANIFEST.digest
    assert await silent.head_manifest("a", "1") == MANIFEST.digest

    assert [request.method for request in told.requests] == ["HEAD"]
    assert [request.method for request in asked.requests] == ["HEAD", "GET"]


async def test_404_means_absent_and_401_never_does() -> None:
    """For a manifest and for a blob."""
    absent, _ = client_of(lambda _: streamed(404))
    private, _ = client_of(lambda _: streamed(401))

    assert await absent.head_manifest("a", "1") is None
    assert await absent.blob_exists("a", CONFIG) is False
    with pytest.raises(NotFoundError):
        await absent.get_manifest("a", "1")
    with pytest.raises(AuthenticationError):
        await private.head_manifest("a", "1")
    with pytest.raises(AuthenticationError):
        await private.blob_exists("a", CONFIG)


async def test_a_manifest_is_put_with_its_own_bytes() -> None:
    """Blanks and all, under the type that it has."""
    client, script = client_of(lambda _: streamed(201, Docker_Content_Digest=MANIFEST.digest), side=Side.TARGET)

    await client.put_manifest("a", "1", MANIFEST)

    [request] = script.requests
    assert (request.method, request.url.path, request.content) == ("PUT", "/v2/a/manifests/1", RAW)
    assert request.headers["content-type"] == OCI_MANIFEST


@pytest.mark.parametrize(("stored", "wrong"), [("sha256:" + "2" * 64, True), ("sha512:" + "2" * 128, False)])
async def test_a_target_that_stored_something_else_is_found_out(stored: str, wrong: bool) -> None:  # noqa: FBT001
    """As far as the digests can be compared."""
    client, script = client_of(lambda _: streamed(201, Docker_Content_Digest=stored), side=Side.TARGET)

    if wrong:
        with pytest.raises(DigestMismatchError, match="instead of") as caught:
            await client.put_manifest("a", "1", MANIFEST)
        assert caught.value.origin is Side.TARGET
    else:
        await client.put_manifest("a", "1", MANIFEST)
    assert len(script.requests) == 1


@pytest.mark.parametrize("headers", [{}, *({"Content_Length": said} for said in ("7", "many", "\u00b2", "7" * 5000))])
async def test_a_blob_is_there_when_its_head_says_so(headers: dict[str, str]) -> None:
    """With its length, or without one that can be read."""
    client, script = client_of(lambda _: streamed(200, **headers))

    assert await client.blob_exists("a", CONFIG)
    assert script.requests[0].method == "HEAD"


async def test_another_blob_under_the_same_digest_is_not_taken_for_it() -> None:
    """A target that is broken in this way would otherwise be filled with nothing."""
    client, _ = client_of(lambda _: streamed(200, Content_Length="8"), side=Side.TARGET)

    with pytest.raises(SizeMismatchError, match="8 bytes, expected 7") as caught:
        await client.blob_exists("a", CONFIG)

    assert caught.value.origin is Side.TARGET


async def test_a_mount_is_done_or_becomes_an_upload() -> None:
    """201 is the mount; 202 is a session like any other."""
    mounting, script = client_of(lambda _: streamed(201), side=Side.TARGET)
    refusing, _ = client_of(lambda _: streamed(202, Location="/u1"), side=Side.TARGET)

    assert await mounting.mount_blob("a", CONFIG.digest, "b/c") is None
    session = await refusing.mount_blob("a", CONFIG.digest, "b/c")

    assert session is not None
    assert session.location == f"https://{REGISTRY}/u1"
    assert dict(script.requests[0].url.params) == {"mount": CONFIG.digest, "from": "b/c"}


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_read_follows_redirects(status: int) -> None:
    """Relative or absolute, with every header that was sent."""

    def registry(request: httpx.Request) -> httpx.Response:
        steps = {"/v2/a/manifests/1": "/moved?to=storage", "/moved": "https://storage.example/final"}
        location = steps.get(request.url.path)
        return streamed(status, Location=location) if location else streamed(200, RAW)

    client, script = client_of(registry)

    assert await client.get_manifest("a", "1") == MANIFEST
    assert str(script.requests[-1].url) == "https://storage.example/final"
    assert script.requests[-1].headers["accept"] == ACCEPT


async def test_redirects_have_an_end() -> None:
    """Six requests, then it is the registry's fault."""
    client, script = client_of(lambda _: streamed(307, Location="/round"))

    with pytest.raises(RegistryUnavailableError, match="without end"):
        await client.get_manifest("a", "1")

    assert len(script.requests) == 6


async def test_a_write_follows_no_redirect() -> None:
    """Its body went to the registry and goes nowhere else."""
    client, script = client_of(lambda _: streamed(307, Location="https://evil.example/"), side=Side.TARGET)

    with pytest.raises(Exception, match="answered 307"):
        await client.put_manifest("a", "1", MANIFEST)

    assert [request.url.host for request in script.requests] == [REGISTRY]


@pytest.mark.parametrize("location", ["https://a\u0001/", "https://[::zz]/", "https://999.1.1.1/"])
async def test_a_location_that_is_no_url_is_the_registrys_fault(location: str) -> None:
    """An error of the tree, without the Location."""
    client, _ = client_of(lambda _: streamed(200))

    with pytest.raises(RegistryUnavailableError, match="no URL") as caught:
        client.resolve(location)

    assert location not in caught.value.message


@pytest.mark.parametrize(
    ("side", "scope"), [(Side.SOURCE, "repository:a:pull"), (Side.TARGET, "repository:a:pull,push")]
)
async def test_a_source_is_only_ever_read(side: Side, scope: str) -> None:
    """The token for it could not do harm."""
    challenge = 'Bearer realm="https://auth.example/token"'
    client, script = client_of(lambda _: streamed(401, WWW_Authenticate=challenge), side=side)

    with pytest.raises(AuthenticationError):
        await client.head_manifest("a", "1")

    assert script.asked("auth.example")[0].url.params["scope"] == scope


async def test_a_manifest_that_was_compressed_is_refused_and_says_so() -> None:
    """Nothing is decompressed, and `identity` was asked for."""
    packed = gzip.compress(b'{"layers": []}', mtime=0)
    client, script = client_of(lambda _: streamed(200, packed, Content_Encoding="gzip"))
    with pytest.raises(ContentError, match="Content-Encoding: gzip, which was not asked for"):
        await client.get_manifest("app", "1")

    assert len(script.requests) == 1


async def test_a_location_whose_host_cannot_be_written_is_the_registrys_fault() -> None:
    """In the zone of an IPv6 address a library lets letters pass that no connection could be made with."""
    client, _ = client_of(lambda _: streamed(202, Location="http://[fe80::1%\x80]/up"), side=Side.TARGET)
    with pytest.raises(RegistryUnavailableError, match="a Location that is no URL"):
        await client.start_upload("app", "sha256:" + "0" * 64)


async def test_a_location_that_cannot_be_joined_is_the_registrys_fault() -> None:
    """The library that joins URLs refuses some only then, in a way of its own."""
    client, _ = client_of(lambda _: streamed(202, Location="http:////::1]/up"), side=Side.TARGET)
    with pytest.raises(RegistryUnavailableError, match="a Location that is no URL"):
        await client.start_upload("app", "sha256:" + "0" * 64)
