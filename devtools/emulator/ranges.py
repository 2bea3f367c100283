"""The Range header of a GET (RFC 9110, section 14): one range of bytes, or the whole."""

import re

_RANGE = re.compile(r"bytes=(\d*)-(\d*)")


class RangeNotSatisfiableError(Exception):
    """The range lies outside; the answer is 416."""


def read_range(header: str | None, size: int) -> tuple[int, int] | None:
    """Find which bytes are asked for.

    Args:
        header: The Range header's value, None when there is none.
        size: The content's size in bytes.

    Returns:
        First byte and the one after the last; None when the whole is asked for (also for several ranges, which a
        server may ignore).

    Raises:
        RangeNotSatisfiableError: No byte of the content is in the range, or it is malformed.
    """
    if header is None or "," in header:
        return None
    found = _RANGE.fullmatch(header.strip())
    if found is None or found[1] == found[2] == "":
        raise RangeNotSatisfiableError
    if found[1] == "":
        first, stop = max(size - int(found[2]), 0), size
    else:
        first, stop = int(found[1]), min(int(found[2]) + 1, size) if found[2] else size
    if first >= stop:
        raise RangeNotSatisfiableError
    return first, stop


def range_headers(span: tuple[int, int] | None, size: int) -> dict[str, str]:
    """The headers of the answer that carries these bytes."""
    if span is None:
        return {"Accept-Ranges": "bytes", "Content-Length": str(size)}
    first, stop = span
    return {
        "Accept-Ranges": "bytes",
        "Content-Length": str(stop - first),
        "Content-Range": f"bytes {first}-{stop - 1}/{size}",
    }
