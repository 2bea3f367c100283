"""NCRONTAB with six fields: `{second} {minute} {hour} {day} {month} {day of week}`, in UTC.

Known are `*`, numbers, names of months and days, ranges, lists and steps (NCrontab's own grammar). A day must match
both the day and the day of the week. As an app setting may also hold a time span ("00:05:00"), that means: that often.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from devtools.functions_host.host_json import parse_time_span

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_FIELDS: tuple[tuple[str, int, int, dict[str, int]], ...] = (
    ("second", 0, 59, {}),
    ("minute", 0, 59, {}),
    ("hour", 0, 23, {}),
    ("day", 1, 31, {}),
    ("month", 1, 12, {name: number for number, name in enumerate(_MONTHS, 1)}),
    ("day of week", 0, 7, {name: number for number, name in enumerate(_DAYS)}),
)
_SUNDAY, _SUNDAY_TOO = 0, 7
_SEARCH_YEARS = 8  # 29 February comes back within eight years


class ScheduleError(ValueError):
    """The expression is not NCRONTAB, or never comes true."""


@dataclass(frozen=True, slots=True)
class Schedule:
    """A parsed schedule: the values each field allows, or a plain interval."""

    fields: tuple[frozenset[int], ...] = ()
    interval: timedelta | None = None

    @classmethod
    def parse(cls, text: str) -> "Schedule":
        """Parse an expression.

        Raises:
            ScheduleError: It is neither NCRONTAB of five or six fields nor a time span.
        """
        parts = text.split()
        if len(parts) == 1:
            try:
                return cls(interval=timedelta(seconds=parse_time_span(text)))
            except ValueError as error:
                raise ScheduleError(str(error)) from error
        if len(parts) == len(_FIELDS) - 1:
            parts = ["0", *parts]
        if len(parts) != len(_FIELDS):
            raise ScheduleError(f"'{text}' has {len(parts)} fields instead of {len(_FIELDS)}")
        fields = [_values(part, *field) for part, field in zip(parts, _FIELDS, strict=True)]
        if _SUNDAY_TOO in fields[5]:
            fields[5] = fields[5] - {_SUNDAY_TOO} | {_SUNDAY}
        return cls(fields=tuple(fields))

    def next_after(self, moment: datetime) -> datetime:
        """Give the first occurrence after a moment (aware, UTC).

        Raises:
            ScheduleError: There is none, such as on 31 February.
        """
        if self.interval is not None:
            return moment + self.interval
        seconds, minutes, hours, _, _, _ = self.fields
        begin = moment.replace(microsecond=0) + timedelta(seconds=1)
        for day in self._days(begin):
            for hour in sorted(hours):
                for minute in sorted(minutes):
                    for second in sorted(seconds):
                        found = day.replace(hour=hour, minute=minute, second=second)
                        if found >= begin:
                            return found
        raise ScheduleError("the schedule never comes true")

    def _days(self, begin: datetime) -> Iterator[datetime]:
        _, _, _, days, months, weekdays = self.fields
        midnight = datetime(begin.year, begin.month, begin.day, tzinfo=UTC)
        for offset in range(_SEARCH_YEARS * 366):
            day = midnight + timedelta(days=offset)
            if day.day in days and day.month in months and day.isoweekday() % 7 in weekdays:
                yield day


def _values(text: str, name: str, least: int, most: int, names: dict[str, int]) -> frozenset[int]:
    values: set[int] = set()
    for item in text.lower().split(","):
        span, _, step = item.partition("/")
        first, _, last = span.partition("-")
        try:
            low = least if first == "*" else names.get(first) if first in names else int(first)
            high = most if first == "*" or (step and not last) else low if not last else names.get(last, -1)
            if last and last not in names:
                high = int(last)
            stride = int(step) if step else 1
        except ValueError as error:
            raise ScheduleError(f"'{item}' is no {name}") from error
        if low is None or high is None or not least <= low <= high <= most or stride < 1:
            raise ScheduleError(f"'{item}' is no {name} from {least} to {most}")
        values.update(range(low, high + 1, stride))
    return frozenset(values)
