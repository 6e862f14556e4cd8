"""How a day and a time of day are written, in the words of every page the same.

Columns of analysts' tables and files have them as they sort, in UTC: 2026-05-03 21:40.
`browser/pages/dates.js` writes what is in local time.
"""

from datetime import date, datetime


def day(at: date) -> str:
    """Return a day.

    Examples
    --------
    >>> day(datetime(2026, 5, 3, 21, 40))
    '3 May 2026'
    """
    return f"{at.day} {at:%B %Y}"


def time(at: datetime) -> str:
    """Return a time of day.

    Examples
    --------
    >>> time(datetime(2026, 5, 3, 21, 40))
    '21:40'
    """
    return f"{at:%H:%M}"


def moment(at: datetime) -> str:
    """Return a day with its time.

    Examples
    --------
    >>> moment(datetime(2026, 5, 3, 21, 40))
    '3 May 2026, 21:40'
    """
    return f"{day(at)}, {time(at)}"
