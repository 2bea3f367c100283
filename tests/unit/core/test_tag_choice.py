"""Which tags a request means: globs, version ranges, the newest."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from importcore.request.tag_choice import TagChoice, is_range, version_of

TAGS = ("1", "1.2", "1.10.0", "v2.0.1", "2.1.0-rc.1", "latest", "nightly-7", "1.2.3.4")


@pytest.mark.parametrize(
    ("choice", "chosen"),
    [
        (TagChoice(), TAGS),
        (TagChoice(include=("1*",)), ("1", "1.2", "1.10.0", "1.2.3.4")),
        (TagChoice(include=("1*", "latest"), exclude=("*.*",)), ("1", "latest")),
        (TagChoice(include=("L*",)), ()),
        (TagChoice(semver=">=1.2 <2"), ("1.2", "1.10.0")),
        (TagChoice(semver="^2"), ("v2.0.1",)),
        (TagChoice(semver=">=2.1.0-rc.1"), ("2.1.0-rc.1",)),
        (TagChoice(newest=2), ("2.1.0-rc.1", "v2.0.1")),
        (TagChoice(include=("1*",), newest=2), ("1.10.0", "1.2")),
        (TagChoice(include=("[ln]*",), newest=5), ("latest", "nightly-7")),
    ],
)
def test_a_choice_takes_what_it_says_and_nothing_else(choice: TagChoice, chosen: tuple[str, ...]) -> None:
    """Include, exclude, range and newest work together; order is kept unless the newest are asked for."""
    assert choice.of(TAGS) == chosen


@pytest.mark.parametrize(
    ("lower", "higher"), [("1.9", "1.10"), ("v1", "1.0.1"), ("1.0.0-rc.1", "1.0.0"), ("2-alpha", "2-beta")]
)
def test_versions_are_ordered_by_number(lower: str, higher: str) -> None:
    """Ten is more than nine, missing parts are zero, and a pre-release comes before its release."""
    first, second = version_of(lower), version_of(higher)
    assert first is not None
    assert second is not None
    assert first < second


@pytest.mark.parametrize("tag", ["latest", "1.2.3.4", "v", "1.", "1.2-", "²", "1.0.0-rc..1", "1.0-01"])
def test_what_is_no_version_is_none(tag: str) -> None:
    """Words, too many parts, and pre-releases that the grammar forbids are no versions."""
    assert version_of(tag) is None


@given(st.text(max_size=40))
def test_no_text_breaks_the_reading_of_a_version_or_range(text: str) -> None:
    """Whatever a tag or a range is, the answer is a version or none, true or false."""
    assert version_of(text) is None or str(version_of(text))
    assert is_range(text) in {True, False}
