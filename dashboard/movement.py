"""How the rows of a list moved since the list before it."""

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from dashboard.records import Movement

_MAX_LISTENERS: Final = 1000


def movements(before: Sequence[str], now: Sequence[str]) -> dict[str, Movement]:
    """Return how each track of `now` moved; empty where there was no list before.

    Examples
    --------
    >>> movements(["a", "b"], ["b", "c"])
    {'b': 'up', 'c': 'new'}
    >>> movements([], ["a"])
    {}
    """
    if not before:
        return {}
    places = {track_id: place for place, track_id in enumerate(before)}
    return {
        track_id: _moved(places.get(track_id), at) for at, track_id in enumerate(now)
    }


def _moved(before: int | None, now: int) -> Movement:
    if before is None:
        return "new"
    if before == now:
        return "same"
    return "up" if now < before else "down"


@dataclass
class MovementLog:
    """Remembers the last two orders of each listener's list, of a bounded number."""

    _orders: OrderedDict[str, tuple[tuple[str, ...], tuple[str, ...]]] = field(
        default_factory=OrderedDict
    )

    def note(self, listener: str, track_ids: Sequence[str]) -> Mapping[str, Movement]:
        """Take in the present order; return the movements since the one before."""
        before, last = self._orders.pop(listener, ((), ()))
        now = tuple(track_ids)
        if now != last:
            before, last = last, now
        self._orders[listener] = (before, last)
        if len(self._orders) > _MAX_LISTENERS:
            self._orders.popitem(last=False)
        return movements(before, last)
