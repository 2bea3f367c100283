"""What a caller prefers: `Prefer` as RFC 7240 writes it, and the statuses by which one who waits knows the outcome."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from importcore.api.prefer import WAIT_AT_MOST, wait_of


@pytest.mark.parametrize(
    ("prefer", "wait"),
    [
        (None, None),
        ("", None),
        ("wait=30", 30),
        ("Wait = 30", 30),
        ('wait="30"', 30),
        ("respond-async, wait=30", 30),
        ("wait=30; strict=1", 30),
        ("wait=0", 0),
        ("wait=200", 200),
        ("wait=201", 200),
        ("wait=" + "9" * 5_000, 200),
        ("wait=30, wait=60", 30),
        ('note="wait=5, wait=6", wait=7', 7),
        ("return=minimal", None),
        ("wait", None),
        ("wait=", None),
        ("wait=soon", None),
        ("wait=-1", None),
        ("wait=1.5", None),
        ("wait=٣", None),
        ("waiting=30", None),
    ],
)
def test_a_wait_is_read_bounded_or_ignored(prefer: str | None, wait: int | None) -> None:
    """The first one counts, 200 seconds are the most, and what is no number is not heeded."""
    assert wait_of(prefer) == wait


@given(st.text(alphabet=st.sampled_from('wait=0123456789", ;\\é'), max_size=60) | st.text(max_size=60))
def test_no_header_does_harm(prefer: str) -> None:
    """Whatever a client sends: nothing, or seconds within the bounds."""
    wait = wait_of(prefer)
    assert wait is None or 0 <= wait <= WAIT_AT_MOST
