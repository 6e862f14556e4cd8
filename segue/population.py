"""What `segue population` writes of all listeners together: kinds of documents.

None is of a single listener, and none of fewer than `small_groups.LEAST`. A play is a
play that has ended, as in `segue.activity`; weeks begin on Mondays, in UTC.
"""

from datetime import date, timedelta
from itertools import pairwise
from typing import Final

SESSIONS: Final = "sessions"
COHORT: Final = "cohort"
CLUSTER: Final = "cluster"
RUN: Final = "run"
"""Kinds: a document of each date, first week and cluster of tastes, and one of all."""

LENGTHS_MIN: Final = (5, 15, 30, 60, 120, 240)
"""Where each class of lengths of sessions but the first begins, in minutes."""
_DAYS: Final = 7
_EPOCH: Final = date(1970, 1, 1)
# 1970-01-01 was a Thursday
EPOCH_WEEKDAY: Final = 3


def length_names() -> list[str]:
    """Return the names of the classes of lengths.

    Examples
    --------
    >>> length_names()[0], length_names()[1], length_names()[-1]
    ('under 5 min', '5 to 15 min', '240 min or more')
    """
    return [
        f"under {LENGTHS_MIN[0]} min",
        *(f"{low} to {high} min" for low, high in pairwise(LENGTHS_MIN)),
        f"{LENGTHS_MIN[-1]} min or more",
    ]


def population_id(kind: str, key: object = "") -> str:
    """Return the `_id` of a document.

    Examples
    --------
    >>> population_id(COHORT, date(2026, 5, 4)), population_id(RUN)
    ('cohort|2026-05-04', 'run')
    """
    return f"{kind}|{key}" if key != "" else kind


def monday_of(week: int) -> date:
    """Return the Monday of a week, counted from that of 1970-01-01.

    Examples
    --------
    >>> monday_of(0)
    datetime.date(1969, 12, 29)
    """
    return _EPOCH + timedelta(days=_DAYS * week - EPOCH_WEEKDAY)


def week_of(day: date) -> int:
    """Return the number of the week in which a date lies.

    Examples
    --------
    >>> monday_of(week_of(date(2026, 5, 3)))
    datetime.date(2026, 4, 27)
    """
    return ((day - _EPOCH).days + EPOCH_WEEKDAY) // _DAYS
