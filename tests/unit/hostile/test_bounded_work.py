"""How much work a stranger can make: what is wide, long or full of wildcards costs no more than its size."""

import json
import re

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from importcore.descriptors import OCI_INDEX, OCI_MANIFEST
from importcore.errors import ContentError, UnsupportedContentError
from importcore.phases.planning import MANIFESTS_AT_MOST, make_plan
from importcore.reference import Reference
from importcore.registry.challenge import Challenge, parse_challenges
from importcore.registry.listing import list_tags
from importcore.repository_globs import glob_problem, matches_text
from tests.unit.registry.scripted import client_of, streamed

LONG = 1_000_000
_EXPRESSIONS = {"**": ".*", "*": "[^/]*", "?": "[^/]"}


@pytest.mark.parametrize("junk", ["a", "a=", '"', 'a="', "(", "a(", " ", "a ", "\\", 'a="\\', ","])
def test_a_challenge_of_a_million_characters_hides_no_scheme(junk: str) -> None:
    """Whatever it repeats; a parser that tries again at every letter would not come back from it."""
    found = parse_challenges(['Basic realm="r", ' + junk * (LONG // len(junk)), 'Bearer realm="https://a.example/"'])

    assert found[0].scheme == "basic"
    assert found[-1] == Challenge("bearer", {"realm": "https://a.example/"})


def test_a_pattern_full_of_wildcards_is_answered() -> None:
    """The widest that a policy may hold, against the longest name: a backtracking engine would take days."""
    pattern = "**a" * 8 + "b"

    assert glob_problem(pattern) is None
    assert not matches_text(pattern, "a" * 255)
    assert matches_text(pattern, "a" * 254 + "b")


@given(
    pattern=st.text("ab/", max_size=3).flatmap(
        lambda text: st.lists(st.sampled_from(["*", "**", "?", "a", "/", text]), max_size=6).map("".join)
    ),
    text=st.text("ab/", max_size=8),
)
def test_a_pattern_means_what_its_expression_would(pattern: str, text: str) -> None:
    """`*` stays within a part of a name, `**` does not, `?` is one character."""
    tokens = re.findall(r"\*\*|\*|\?|[^*?]+", pattern)
    expression = "".join(_EXPRESSIONS.get(token) or re.escape(token) for token in tokens)

    assert matches_text(pattern, text) == (re.fullmatch(expression, text) is not None)


async def test_an_index_that_is_too_wide_is_refused_before_anything_of_it_is_fetched() -> None:
    """One request, not twenty thousand."""
    entries = [
        {"mediaType": OCI_MANIFEST, "digest": f"sha256:{number:064x}", "size": 2} for number in range(MANIFESTS_AT_MOST)
    ]
    raw = json.dumps({"mediaType": OCI_INDEX, "manifests": entries}).encode()
    client, script = client_of(lambda _: streamed(200, raw, Content_Type=OCI_INDEX))
    with pytest.raises(UnsupportedContentError, match="over 20000 manifests"):
        await make_plan(client, Reference.parse("registry.example/app:1"))

    assert len(script.requests) == 1


async def test_a_list_is_bounded_over_all_its_pages() -> None:
    """Each page within its bounds, and a thousand of them would fill the memory."""
    page = b'{"tags": []}'.ljust(4 << 20)

    def answer(request: httpx.Request) -> httpx.Response:
        return streamed(200, page, Link=f'<{request.url.path}?n=1>; rel="next"')

    client, script = client_of(answer)
    with pytest.raises(ContentError, match="33554432 in all"):
        await list_tags(client, "app")

    assert len(script.requests) == 9
