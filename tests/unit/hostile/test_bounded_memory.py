"""How much memory a stranger can take: what a source lists is counted before it is fetched, and let go when read."""

import json
import tracemalloc
from collections.abc import Sequence

import httpx
import pytest

from importcore.content import MANIFEST_BYTES_AT_MOST, Manifest
from importcore.descriptors import OCI_ARTIFACT, OCI_INDEX, OCI_MANIFEST, digest_of
from importcore.errors import ContentError, UnsupportedContentError
from importcore.phases.planning import MANIFEST_BYTES_IN_ALL_AT_MOST, make_plan
from importcore.phases.platforms import select_platforms
from importcore.reference import Reference
from importcore.registry.listing import REFERRERS_AT_MOST, list_referrers, list_tags
from importcore.strict_json import DEPTH_AT_MOST
from tests.unit.registry.scripted import client_of, streamed

APP = Reference.parse("registry.example/app:1")


def entries(digests: Sequence[str], size: int = 2) -> list[dict[str, object]]:
    """Descriptors of manifests."""
    return [{"mediaType": OCI_MANIFEST, "digest": digest, "size": size} for digest in digests]


def numbered(count: int) -> list[str]:
    """So many digests of nothing in particular."""
    return [f"sha256:{number:064x}" for number in range(count)]


async def test_manifests_that_are_too_large_together_are_refused_before_any_is_fetched() -> None:
    """Their descriptors say so; sixteen thousand of 4 MiB fit into one index, and into no memory."""
    count = MANIFEST_BYTES_IN_ALL_AT_MOST // MANIFEST_BYTES_AT_MOST
    listed = entries(numbered(count), MANIFEST_BYTES_AT_MOST)
    raw = json.dumps({"mediaType": OCI_INDEX, "manifests": listed}).encode()
    client, script = client_of(lambda _: streamed(200, raw, Content_Type=OCI_INDEX))

    with pytest.raises(UnsupportedContentError, match=str(MANIFEST_BYTES_IN_ALL_AT_MOST)):
        await make_plan(client, APP)

    assert len(script.requests) == 1


def wide_source(parts: int, listed: list[dict[str, object]]) -> tuple[dict[str, bytes], bytes]:
    """An index of so many artifacts, by reference, and the one page that lists referrers of each."""
    raws = [json.dumps({"mediaType": OCI_ARTIFACT, "n": number}).encode() for number in range(parts)]
    held = {digest_of(raw): raw for raw in raws}
    index = [{"mediaType": OCI_ARTIFACT, "digest": name, "size": len(raw)} for name, raw in held.items()]
    held["1"] = json.dumps({"mediaType": OCI_INDEX, "manifests": index}).encode()
    return held, json.dumps({"manifests": listed}).encode()


async def test_referrers_of_all_manifests_together_are_bounded() -> None:
    """Each list within its bounds; all of them are held at once, for as many manifests as an index can name."""
    held, page = wide_source(40, entries(numbered(REFERRERS_AT_MOST // 10)))

    def answer(request: httpx.Request) -> httpx.Response:
        path, _, reference = request.url.path.rpartition("/")
        return streamed(200, page) if path.endswith("referrers") else streamed(200, held[reference])

    client, script = client_of(answer)
    with pytest.raises(UnsupportedContentError, match=f"over {REFERRERS_AT_MOST} referrers"):
        await make_plan(client, APP)

    assert len([request for request in script.requests if "/referrers/" in request.url.path]) <= 11 + 8  # at once


async def test_a_list_of_referrers_is_bounded_by_its_length() -> None:
    """Over all its pages, and read no further than that."""
    page = json.dumps({"manifests": entries(numbered(REFERRERS_AT_MOST // 4))}).encode()

    def answer(request: httpx.Request) -> httpx.Response:
        return streamed(200, page, Link=f'<{request.url.path}?n=1>; rel="next"')

    client, script = client_of(answer)
    with pytest.raises(UnsupportedContentError, match=f"over {REFERRERS_AT_MOST} referrers"):
        await list_referrers(client, "app", "sha256:" + "0" * 64)

    assert len(script.requests) == 5


async def test_a_referrer_that_is_listed_a_thousand_times_is_asked_for_once() -> None:
    """What is listed is counted; what is asked for is each digest."""
    held, page = wide_source(0, entries(numbered(1) * 1_000))

    def answer(request: httpx.Request) -> httpx.Response:
        path, _, reference = request.url.path.rpartition("/")
        if path.endswith("referrers"):
            return streamed(200, page)
        return streamed(200, held[reference]) if reference in held else streamed(404)

    client, script = client_of(answer)
    await make_plan(client, APP)

    assert len([request for request in script.requests if request.url.path.endswith(numbered(1)[0])]) == 1


@pytest.mark.parametrize("kind", ["tags", "manifests"])
async def test_a_page_is_let_go_before_the_next_one_is_asked_for(kind: str) -> None:
    """What it holds beside its entries takes twenty times its bytes, and the next one may be slow to come."""
    page = json.dumps({kind: [], "beside": [[]] * 100_000}).encode()
    taken: list[int] = []

    def answer(request: httpx.Request) -> httpx.Response:
        taken.append(tracemalloc.get_traced_memory()[0])
        link = {} if len(taken) > 2 else {"Link": f'<{request.url.path}?n=1>; rel="next"'}
        return streamed(200, page, **link)

    client, _ = client_of(answer)
    tracemalloc.start()
    try:
        await (list_tags(client, "app") if kind == "tags" else list_referrers(client, "app", numbered(1)[0]))
    finally:
        tracemalloc.stop()

    assert max(taken) - taken[0] < 2 * len(page)


@pytest.mark.parametrize(("levels", "taken"), [(DEPTH_AT_MOST - 1, True), (DEPTH_AT_MOST, False), (960, False)])
def test_what_was_read_once_can_be_read_again(levels: int, taken: bool) -> None:  # noqa: FBT001 (a column)
    """Python's own limit depends on who calls: a depth that just passed would fail in the next phase, as a bug."""
    platforms = [{"os": "linux", "architecture": name} for name in ("amd64", "arm64")]
    children = [{**e, "platform": p} for e, p in zip(entries(numbered(2)), platforms, strict=True)]
    deep = "[" * levels + "]" * levels
    raw = json.dumps({"mediaType": OCI_INDEX, "manifests": children, "x": 0})[:-2].encode() + deep.encode() + b"}"

    if taken:
        assert deep.encode() in select_platforms(Manifest.parse(raw), ("linux/amd64",)).raw
    else:
        with pytest.raises(ContentError, match="nested too deep"):
            Manifest.parse(raw)
