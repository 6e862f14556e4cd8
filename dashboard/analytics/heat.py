"""When is listened: plays and listeners by weekday and hour, from hours of `activity`.

In a zone whose clock is not whole hours from UTC, an hour counts where it begins.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from zoneinfo import ZoneInfo, available_timezones

from dashboard.analytics.questions import Question
from dashboard.analytics.spans import Span
from dashboard.refusals import RefusedError
from segue.sketches import n_listeners
from segue.small_groups import shown

WEEKDAYS: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
HOURS: Final = tuple(f"{hour:02d}:00" for hour in range(24))
UTC_NAME: Final = "UTC"
_ZONES: Final = frozenset(available_timezones())
_SHOWN_CHARS: Final = 40


@dataclass(frozen=True, slots=True)
class Heat:
    """Of each weekday and each of its hours plays, and about how many listeners.

    None where that would tell of few listeners.
    """

    plays: Sequence[Sequence[int | None]]
    listeners: Sequence[Sequence[int | None]]

    @property
    def is_empty(self) -> bool:
        """Whether nothing is told."""
        return not any(n for row in self.listeners for n in row)


def zone_of(question: Question) -> str:
    """Return the time zone that a question names.

    Raises
    ------
    RefusedError
        Where there is none of this name.
    """
    name = question.get("zone") or UTC_NAME
    if name not in _ZONES:
        raise RefusedError(
            400,
            "wrong_zone",
            f"There is no time zone “{name[:_SHOWN_CHARS]}”; want a name as "
            "Europe/Berlin, or UTC.",
        )
    return name


def heat_of(spans: Sequence[Span], zone: str) -> Heat:
    """Return what hours of all plays come to.

    Parameters
    ----------
    spans : sequence of Span
        Hours of the kind `all`, with listeners.
    """
    local = ZoneInfo(zone)
    places: dict[tuple[int, int], list[Span]] = defaultdict(list)
    for span in spans:
        at = span.start.astimezone(local)
        places[at.weekday(), at.hour].append(span)
    cells = [(day, hour) for day in range(len(WEEKDAYS)) for hour in range(len(HOURS))]
    people = [_listeners(places.get(cell, [])) for cell in cells]
    plays = [
        sum(int(span.cells.n_plays.sum()) for span in places.get(cell, []))
        for cell in cells
    ]
    may_be = shown(people)
    return Heat(_table(plays, may_be), _table(people, may_be))


def _listeners(spans: Sequence[Span]) -> int:
    return n_listeners(
        sketch
        for span in spans
        if span.cells.listeners is not None
        for sketch in span.cells.listeners
    )


def _table(numbers: Sequence[int], may_be: Sequence[bool]) -> list[list[int | None]]:
    told = [n if yes else None for n, yes in zip(numbers, may_be, strict=True)]
    return [told[at : at + len(HOURS)] for at in range(0, len(told), len(HOURS))]
