"""Lists that come in pages: wherever the next page is, whatever stands in one, and an end to it."""

import json

import httpx
import pytest

from importcore.errors import (
    AccessDeniedError,
    ContentError,
    NotFoundError,
    RegistryUnavailableError,
    Side,
    TransloadError,
)
from importcore.registry.credentials import UserPassword
from importcore.registry.listing import list_referrers, list_repositories, list_tags
from tests.unit.registry.scripted import REGISTRY, Answer, TokenService, broken_off, client_of, streamed

DIGEST = "sha256:" + "0" * 64
FIRST = f"https://{REGISTRY}/v2/team/app/tags/list?n=1000"


def pages(pages_by_url: dict[str, tuple[list[str], str]]) -> Answer:
    """A registry that has these tags at each URL, and this `Link` beside them."""

    def registry(request: httpx.Request) -> httpx.Response:
        tags, link = pages_by_url[str(request.url)]
        return httpx.Response(200, json={"name": "team/app", "tags": tags}, headers={"Link": link} if link else {})

    return registry


def one_page(**fields: object) -> Answer:
    """A registry whose lists have one page with these fields."""
    return lambda _: httpx.Response(200, json=fields)


@pytest.mark.parametrize(
    ("link", "onward"),
    [
        ('</v2/team/app/tags/list?last=b&n=2>; rel="next"', "/v2/team/app/tags/list?last=b&n=2"),
        ('<list?last=b>; rel="next"', "/v2/team/app/tags/list?last=b"),
        ("<?last=b>;rel=next", "/v2/team/app/tags/list?last=b"),
        (f'<https://{REGISTRY}/v2/more?x=%2F>; rel="next"', "/v2/more?x=%2F"),
        ('</v2/first>; rel="first", </v2/more>; title="x"; rel="next"', "/v2/more"),
    ],
)
async def test_the_next_page_is_where_the_link_says(link: str, onward: str) -> None:
    """Relative or absolute (RFC 8288), against the page that it stands on."""
    client, script = client_of(
        pages({FIRST: (["a", "b"], link), f"https://{REGISTRY}{onward}": (["c"], "")}), UserPassword("robot", "p")
    )

    assert await list_tags(client, "team/app") == ("a", "b", "c")

    assert [request.method for request in script.requests] == ["GET", "GET"]


@pytest.mark.parametrize("link", ["", '</v2/x>; rel="prev"', "nonsense", "<>", 'rel="next"'])
async def test_without_a_link_to_the_next_page_there_is_none(link: str) -> None:
    """Spec: the last page has no such header."""
    client, script = client_of(pages({FIRST: (["a"], link)}))

    assert await list_tags(client, "team/app") == ("a",)
    assert len(script.requests) == 1


async def test_a_page_on_another_host_is_asked_for_without_authorization() -> None:
    """The token is the registry's own."""
    elsewhere = "https://lists.example/page2"
    service = TokenService(pages({FIRST: (["a"], f'<{elsewhere}>; rel="next"')}))

    def everything(request: httpx.Request) -> httpx.Response:
        if request.url.host == "lists.example":
            return httpx.Response(200, json={"tags": ["b"]})
        return service(request)

    client, script = client_of(everything)

    assert await list_tags(client, "team/app") == ("a", "b")

    assert script.asked()[-1].headers["authorization"] == "Bearer token-1"
    assert ["authorization" in request.headers for request in script.asked("lists.example")] == [False]


async def test_a_page_behind_a_link_that_is_no_url_is_the_registrys_fault() -> None:
    """What was read until then is not taken for the whole list."""
    client, _ = client_of(pages({FIRST: (["a"], '<https://[::zz]/>; rel="next"')}))

    with pytest.raises(RegistryUnavailableError, match="no URL"):
        await list_tags(client, "team/app")


async def test_pages_have_an_end() -> None:
    """A registry whose every page names a next one is given up after a thousand."""
    client, script = client_of(pages({FIRST: (["a"], f'<{FIRST}>; rel="next"')}))

    with pytest.raises(RegistryUnavailableError, match="pages without end") as caught:
        await list_tags(client, "team/app")

    assert len(script.requests) == 1000
    assert (caught.value.origin, caught.value.step) == (Side.SOURCE, "list tags")


@pytest.mark.parametrize(
    ("page", "tags"),
    [
        ({"tags": None}, ()),
        ({}, ()),
        ({"tags": []}, ()),
        ({"tags": ["b", "a", "b"]}, ("b", "a")),
        ({"tags": ["1", DIGEST, "2"]}, ("1", "2")),
        ({"tags": ["1", None, 5, ["x"], "", "../x", "a b", "t" * 129]}, ("1",)),
    ],
)
async def test_only_tags_are_listed(page: dict[str, object], tags: tuple[str, ...]) -> None:
    """Some registries answer null for none, some list digests, and none may list what is no tag."""
    client, _ = client_of(one_page(**page))

    assert await list_tags(client, "team/app") == tags


@pytest.mark.parametrize(
    "body", [b"", b"<html>", b"\xff", b"[" * 100_000, b"[]", b'"tags"', b'{"tags": ["' + b"a" * (17 * 1024 * 1024)]
)
async def test_a_page_that_is_no_object_is_refused(body: bytes) -> None:
    """Also one that is larger than a page can be."""
    client, _ = client_of(lambda _: streamed(200, body))

    with pytest.raises(ContentError, match="list tags"):
        await list_tags(client, "team/app")


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (lambda _: streamed(404), NotFoundError),
        (lambda _: streamed(403), AccessDeniedError),
        (lambda _: broken_off(200, b'{"tags": ["a"'), RegistryUnavailableError),
    ],
)
async def test_a_list_that_cannot_be_read_says_why(answer: Answer, kind: type[TransloadError]) -> None:
    """A repository that is not there is no empty one."""
    client, _ = client_of(answer)

    with pytest.raises(kind) as caught:
        await list_tags(client, "team/app")

    assert (caught.value.origin, caught.value.step) == (Side.SOURCE, "list tags")


async def test_repositories_are_listed_with_the_catalogs_own_scope() -> None:
    """A token for a repository would not do."""
    client, script = client_of(TokenService(one_page(repositories=["a", "team/app", None, "a"])))

    assert await list_repositories(client) == ("a", "team/app")

    assert script.asked("auth.example")[0].url.params["scope"] == "registry:catalog:*"
    assert script.asked()[-1].url.path == "/v2/_catalog"


async def test_referrers_are_listed_with_what_they_are() -> None:
    """Spec, "Listing Referrers": an index of descriptors."""
    entry = {"mediaType": "application/vnd.oci.image.manifest.v1+json", "digest": DIGEST, "size": 7}
    client, script = client_of(one_page(manifests=[{**entry, "artifactType": "t/sbom"}, entry]))

    found = await list_referrers(client, "team/app", DIGEST)

    assert found is not None
    assert [(one.digest, one.size, one.artifact_type) for one in found] == [(DIGEST, 7, "t/sbom"), (DIGEST, 7, None)]
    assert script.requests[0].url.path == f"/v2/team/app/referrers/{DIGEST}"


@pytest.mark.parametrize(("status", "found"), [(404, None), (405, None), (200, ())])
async def test_no_referrers_are_not_the_same_as_no_api(status: int, found: tuple[()] | None) -> None:
    """Only where there is no API is the fallback tag asked for."""
    client, _ = client_of(lambda _: streamed(status, json.dumps({"manifests": None}).encode()))

    assert await list_referrers(client, "team/app", DIGEST) == found


@pytest.mark.parametrize("status", [400, 401, 403, 429, 500])
async def test_a_refusal_does_not_mean_that_there_is_no_api(status: int) -> None:
    """Signatures must not be left behind because a registry was busy."""
    client, _ = client_of(lambda _: streamed(status))

    with pytest.raises(TransloadError) as caught:
        await list_referrers(client, "team/app", DIGEST)

    assert caught.value.step == "list referrers"


@pytest.mark.parametrize("entry", [5, {}, {"mediaType": "m", "digest": "md5:0", "size": 1}])
async def test_an_entry_that_is_no_descriptor_is_refused(entry: object) -> None:
    """There would be no way to verify what it stands for."""
    client, _ = client_of(one_page(manifests=[entry]))

    with pytest.raises(ContentError):
        await list_referrers(client, "team/app", DIGEST)
