"""Ranges of bytes, against Python's own slices."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devtools.emulator.ranges import RangeNotSatisfiableError, range_headers, read_range

CONTENT = bytes(range(50))


@given(first=st.integers(0, 49), last=st.integers(0, 200))
def test_a_range_is_a_slice(first: int, last: int) -> None:
    """`a-b` is everything from a to b, both included, as far as there is anything; backwards it is nothing."""
    if last < first:
        with pytest.raises(RangeNotSatisfiableError):
            read_range(f"bytes={first}-{last}", len(CONTENT))
    else:
        span = read_range(f"bytes={first}-{last}", len(CONTENT))
        assert span is not None
        assert CONTENT[span[0] : span[1]] == CONTENT[first : last + 1]


@given(length=st.integers(1, 200))
def test_a_suffix_is_a_slice_from_the_end(length: int) -> None:
    """`-n` is the last n bytes, or all where there are fewer."""
    span = read_range(f"bytes=-{length}", len(CONTENT))
    assert span is not None
    assert CONTENT[span[0] : span[1]] == CONTENT[-length:]


@pytest.mark.parametrize("header", [None, "bytes=0-1,3-4"])
def test_everything_is_no_range(header: str | None) -> None:
    """No header, and several ranges at once, are answered with the whole."""
    assert read_range(header, len(CONTENT)) is None
    assert range_headers(None, len(CONTENT)) == {"Accept-Ranges": "bytes", "Content-Length": "50"}


@pytest.mark.parametrize("header", ["bytes=50-", "bytes=-0", "bytes=-", "bytes=a-b", "lines=1-2"])
def test_what_lies_outside_is_refused(header: str) -> None:
    """Beyond the end, empty or not understood: not satisfiable."""
    with pytest.raises(RangeNotSatisfiableError):
        read_range(header, len(CONTENT))
