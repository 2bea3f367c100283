"""What a caller prefers (`Prefer`, RFC 7240), and the status that tells one who waits how the import stands.

`Prefer: wait=N` is the only preference that is known here. As the RFC asks, others are ignored, and so is a wait that
is no number; `Preference-Applied` tells what was heeded.
"""

import re
from collections.abc import Mapping

from importcore.state.record import ImportRecord, Status

WAIT_AT_MOST = 200
"""Seconds: the platform's front end gives a request up after 230, and accepting an import takes some of them."""
_PREFERENCE = re.compile(r'(?:[^",]|"(?:[^"\\]|\\.)*"?)+')
_DIGITS_AT_MOST = 9
_STATUS_OF_END: Mapping[Status, int] = {Status.SUCCEEDED: 200, Status.FAILED: 422, Status.CANCELED: 409}
_GOES_ON = 202


def wait_of(prefer: str | None) -> int | None:
    """Tell how many seconds a caller wants to wait for the end, 0 to 200; None where it does not say so.

    Args:
        prefer: The header; several of them joined by commas. The first `wait` counts (RFC 7240, section 2).
    """
    for preference in _PREFERENCE.findall(prefer or ""):
        name, _, value = preference.partition(";")[0].partition("=")
        if name.strip().lower() != "wait":
            continue
        digits = value.strip().strip('"')
        if not (digits.isascii() and digits.isdigit()):
            return None
        return min(int(digits[:_DIGITS_AT_MOST]), WAIT_AT_MOST)
    return None


def status_of(record: ImportRecord) -> int:
    """Give the HTTP status by which a caller that waits knows how an import stands.

    Every failure is a 4xx that no client repeats by itself: whether trying again would help, the import knew already.
    """
    return _STATUS_OF_END.get(record.status, _GOES_ON)


def applied(wait: int) -> dict[str, str]:
    """Give the header that says which wait was heeded (RFC 7240, section 3)."""
    return {"Preference-Applied": f"wait={wait}"}
