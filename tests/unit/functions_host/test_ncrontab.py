"""NCRONTAB schedules."""

from datetime import UTC, datetime, timedelta

import pytest

from devtools.functions_host.ncrontab import Schedule, ScheduleError

START = datetime(2026, 2, 27, 23, 59, 30, 500_000, tzinfo=UTC)  # a Friday


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("*/10 * * * * *", datetime(2026, 2, 27, 23, 59, 40, tzinfo=UTC)),
        ("0 */5 * * * *", datetime(2026, 2, 28, 0, 0, tzinfo=UTC)),
        ("*/5 * * * *", datetime(2026, 2, 28, 0, 0, tzinfo=UTC)),
        ("0 30 9-17/4 * * mon-fri", datetime(2026, 3, 2, 9, 30, tzinfo=UTC)),
        ("0 0 0 29 2 *", datetime(2028, 2, 29, tzinfo=UTC)),
        ("0 0 12 * * 7", datetime(2026, 3, 1, 12, tzinfo=UTC)),
        ("15,45 59 23 * feb *", datetime(2026, 2, 27, 23, 59, 45, tzinfo=UTC)),
        ("0 10/20 * * * *", datetime(2026, 2, 28, 0, 10, tzinfo=UTC)),
    ],
)
def test_the_next_occurrence(expression: str, expected: datetime) -> None:
    """The first moment after the start that every field allows."""
    assert Schedule.parse(expression).next_after(START) == expected


def test_an_occurrence_is_never_the_start_itself() -> None:
    """A schedule that is due at this very second is next due a second later."""
    moment = START.replace(microsecond=0)
    assert Schedule.parse("* * * * * *").next_after(moment) == moment + timedelta(seconds=1)


def test_a_time_span_is_an_interval() -> None:
    """An app setting may hold a plain interval."""
    assert Schedule.parse("00:05:00").next_after(START) == START + timedelta(minutes=5)


@pytest.mark.parametrize(
    "text", ["", "soon", "* * * *", "60 * * * * *", "* * * 0 * *", "*/0 * * * * *", "5-1 * * * * *"]
)
def test_what_is_no_schedule_is_refused(text: str) -> None:
    """A wrong field, a wrong number of fields, or no schedule at all."""
    with pytest.raises(ScheduleError):
        Schedule.parse(text)


def test_a_day_that_never_comes_is_refused() -> None:
    """There is no 31 February."""
    with pytest.raises(ScheduleError):
        Schedule.parse("0 0 0 31 2 *").next_after(START)
