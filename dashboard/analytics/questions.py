"""What an address asks for: time, filters and order, in its query."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final
from urllib.parse import parse_qsl, urlencode

from dashboard.analytics.times import Wish, wished
from dashboard.refusals import RefusedError

MOST_CHARS: Final = 400
"""Of a query; `browser/pages/live.js` cuts longer ones off one letter behind."""
_NAMES: Final = (
    *("range", "from", "to", "surface", "style", "artist", "track", "of", "sort"),
    *("colour", "layer", "cluster", "box"),
    "model",
    *("report", "before"),
    *("zone", "listener"),
)
_FILTERS: Final = (
    *("surface", "style", "artist", "track", "model", "cluster", "box", "listener"),
)
_MOST_VALUE_CHARS: Final = 256
_MOST_FIELDS: Final = 20


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked for.

    Attributes
    ----------
    told : mapping
        What the query says, by name, as it says it.
    wish : Wish
        The time.
    preset : str
        Range that is meant where none is told.
    """

    told: Mapping[str, str]
    wish: Wish
    preset: str

    def get(self, name: str) -> str:
        """Return what is told under a name, "" where nothing is."""
        return self.told.get(name, "")

    def about(self, **changes: str) -> "Question":
        """Return a question that differs."""
        return replace(self, told={**self.told, **changes})

    def check_filters(self, known: Collection[str]) -> None:
        """Raise `RefusedError` where a filter is told that is not among some.

        Numbers of everything would be read as those of what was chosen.
        """
        for name in _FILTERS:
            if self.get(name) and name not in known:
                raise RefusedError(
                    400,
                    "not_by_filter",
                    f"What is here cannot be chosen by {name}: take that filter out.",
                )

    def href(self, path: str, **changes: str) -> str:
        """Return the address of a question that differs; "" takes something out."""
        return address(path, {**self.told, **changes})


def address(path: str, told: Mapping[str, str]) -> str:
    """Return an address with its query.

    Examples
    --------
    >>> address("/analytics", {"range": "24h", "style": "", "surface": "a&b"})
    '/analytics?range=24h&surface=a%26b'
    """
    query = urlencode({name: told[name] for name in _NAMES if told.get(name)})
    return f"{path}?{query}" if query else path


def parse(query: str, preset: str, now: datetime) -> Question:
    """Read a query, without its question mark.

    Raises
    ------
    RefusedError
        Where it cannot be understood.
    """
    told = told_in(query)
    return Question(told, wished(told, preset, now), preset)


def corrected(query: str, preset: str, now: datetime) -> Question:
    """Return what can be said of a query that is wrong, with the usual time."""
    try:
        told = told_in(query)
    except RefusedError:
        told = {}
    return Question(told, wished({}, preset, now), preset)


def told_in(query: str) -> dict[str, str]:
    """Return what a query says, by the names that are known.

    Raises
    ------
    RefusedError
        Where it is longer than any that a page makes.
    """
    too_long = RefusedError(
        400, "too_long", "This address is too long: open the page anew."
    )
    if len(query) > MOST_CHARS:
        raise too_long
    try:
        pairs = parse_qsl(query, max_num_fields=_MOST_FIELDS)
    except ValueError:
        raise too_long from None
    return {
        name: value.replace("\0", "")[:_MOST_VALUE_CHARS]
        for name, value in pairs
        if name in _NAMES
    }
