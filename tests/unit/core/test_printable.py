"""Text from outside in a message: one line, no control characters, bounded, no query strings."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from importcore.errors import NotFoundError, RateLimitedError, Side, printable


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("denied", "denied"),
        ("", ""),
        (" two\r\nlines\t\x00here ", "two lines here"),
        ("\x1b[31mred\x1b[0m", "[31mred [0m"),
        ("right\u202eleft\u2028line", "right left line"),
        ("see https://host/path?sig=secret for more", "see https://host/path?… for more"),
        ("HTTPS://host?sig=secret", "HTTPS://host?…"),
        ("see /v2/a/blobs/uploads/u?_state=secret", "see /v2/a/blobs/uploads/u?…"),
        ("u1?sig=secret", "u1?…"),
        ("https://user:secret@r.example/x", "https://…@r.example/x"),
        ("really? yes", "really? yes"),
    ],
)
def test_what_is_kept_and_what_is_not(text: str, shown: str) -> None:
    """Words stay; what could forge a log line or open a door goes."""
    assert printable(text) == shown


def test_a_query_string_is_cut_before_the_text_is() -> None:
    """A secret does not survive because the text was too long to look at."""
    assert "secret" not in printable("https://host/" + "a" * 20 + "?sig=secret", 60)


@given(text=st.text(), at_most=st.integers(1, 80))
def test_any_text_becomes_one_bounded_line(text: str, at_most: int) -> None:
    """Whatever comes in, what goes out fits into a log."""
    shown = printable(text, at_most)

    assert len(shown) <= at_most
    assert shown.isprintable()
    assert shown == shown.strip() or len(shown) == at_most


def test_an_error_carries_what_a_user_needs() -> None:
    """Code, side, step, what the registry said, and what to do: by default the class's own advice."""
    error = NotFoundError("r answered 404", registry="r", status=404, answers=("X: y",), origin=Side.SOURCE, step="s")

    assert (error.code, error.retryable, error.status, error.origin) == ("not_found", False, 404, Side.SOURCE)
    assert "typing errors" in error.action
    assert str(error) == error.message == "r answered 404"
    assert RateLimitedError("r", registry="r", action="wait").action == "wait"
