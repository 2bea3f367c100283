"""Challenges of a 401: several in one header or in several, quoted or not, and text that is none."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from importcore.registry.challenge import Challenge, parse_challenges

BEARER = Challenge("bearer", {"realm": "https://a.example/t", "service": "s", "scope": "repository:x:pull,push"})
BASIC = Challenge("basic", {"realm": "Registry Realm"})


IN_ONE = 'Bearer realm="https://a.example/t",service="s",scope="repository:x:pull,push"'
QUOTED = Challenge("basic", {"realm": 'a "quoted" \\ word, with comma'})


@pytest.mark.parametrize(
    ("headers", "found"),
    [
        ([], ()),
        ([""], ()),
        (["Basic"], (Challenge("basic"),)),
        (['Basic realm="Registry Realm"'], (BASIC,)),
        (['Bearer realm="https://a.example/t",service="s",scope="repository:x:pull,push"'], (BEARER,)),
        (['BEARER Realm="https://a.example/t" , SERVICE = s , scope="repository:x:pull,push"'], (BEARER,)),
        (['Bearer realm="https://a.example/t" service="s" scope="repository:x:pull,push"'], (BEARER,)),
        ([f'Basic realm="Registry Realm", {IN_ONE}'], (BASIC, BEARER)),
        (['Basic realm="Registry Realm"', IN_ONE], (BASIC, BEARER)),
        (['Negotiate, Basic realm="Registry Realm"'], (Challenge("negotiate"), BASIC)),
        ([r'Basic realm="a \"quoted\" \\ word, with comma"'], (QUOTED,)),
        (['Basic realm=""'], (Challenge("basic", {"realm": ""}),)),
        (['Basic realm="first",realm="second"'], (Challenge("basic", {"realm": "first"}),)),
        (['=", ,;', 'Basic realm="Registry Realm"'], (BASIC,)),
    ],
)  # fmt: skip
def test_every_challenge_is_read(headers: list[str], found: tuple[Challenge, ...]) -> None:
    """Scheme and names in lower case, values as they are."""
    assert parse_challenges(headers) == found


def test_a_token_in_place_of_parameters_does_not_hide_the_next_challenge() -> None:
    """`Negotiate` brings one."""
    found = parse_challenges(['Negotiate YII=, Basic realm="Registry Realm"'])

    assert found[0].scheme == "negotiate"
    assert found[-1] == BASIC


def test_a_challenge_tells_realm_service_and_scopes() -> None:
    """Scopes are separated by blanks; what is not said is empty."""
    several = parse_challenges(['Bearer realm="r",scope="repository:a:pull repository:b:pull,push"'])[0]

    assert several.scopes == ("repository:a:pull", "repository:b:pull,push")
    assert (several.realm, several.service) == ("r", "")
    assert Challenge("bearer").scopes == ()
    assert Challenge("bearer").realm == ""


_TOKEN = st.from_regex(r"[A-Za-z][A-Za-z0-9!#$%&'*+.^_`|~-]{0,8}", fullmatch=True)
_VALUE = st.text(st.characters(codec="latin-1", categories=["L", "N", "P", "S", "Zs"]))
_NAMES = st.lists(_TOKEN, max_size=4, unique_by=str.lower)


@given(scheme=_TOKEN, names=_NAMES, values=st.lists(_VALUE, min_size=4, max_size=4))
def test_what_is_quoted_reads_back(scheme: str, names: list[str], values: list[str]) -> None:
    """Any value survives quoting (RFC 9110, 5.6.4)."""
    quoted = [value.replace("\\", r"\\").replace('"', r"\"") for value in values]
    header = f"{scheme} " + ", ".join(f'{name}="{value}"' for name, value in zip(names, quoted, strict=False))

    assert parse_challenges([header]) == (
        Challenge(scheme.lower(), {name.lower(): value for name, value in zip(names, values, strict=False)}),
    )


@given(st.lists(st.text(max_size=60) | st.text(alphabet='Basic realm="\\,= ', max_size=60), max_size=3))
def test_any_header_is_read_to_its_end(headers: list[str]) -> None:
    """Nothing makes the reader stumble, and it never takes a name from nowhere."""
    for challenge in parse_challenges(headers):
        assert challenge.scheme in " ".join(headers).lower()
