"""Numbers in header fields: digits alone, and few enough to be a size (RFC 9110, 8.6: `1*DIGIT`)."""

_DIGITS_AT_MOST = 18


def whole_number(text: str | None) -> int | None:
    """Read a number of bytes or seconds; None where the text is anything else."""
    if text is None or not (text.isascii() and text.isdigit()) or len(text) > _DIGITS_AT_MOST:
        return None
    return int(text)
