"""From an event to the list that reflects it: delays, counted by minute and bin.

Bins are an eighth of an octave wide, so a percentile of them is within 4.5 % of that of
the delays themselves. Minutes add up: of several, each bin is the sum of theirs.
"""

import math
from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Final

from segue.activity import Level

KEPT: Final = timedelta(days=2)
"""For how long minutes of the stream are kept."""
RELATIVE_ERROR: Final = 2 ** (1 / 16) - 1
"""By how much a percentile of bins may differ from that of the delays."""
_LEAST_S: Final = 0.01
_PER_OCTAVE: Final = 8
# the last one begins after about two days
_LAST_BIN: Final = 192
BINS: Final = {str(number): number for number in range(_LAST_BIN + 1)}
"""Bins by their names in documents."""

Slots = Counter[tuple[datetime, int]]
"""Numbers of lists, by minute in which they were made and bin of their delay."""


def bin_of(delay_s: float) -> int:
    """Return the bin of a delay; the first has all up to 10 ms, below 0 too.

    Examples
    --------
    >>> bin_of(-3.0), bin_of(0.01), bin_of(0.02), bin_of(0.0201), bin_of(1e9)
    (0, 0, 8, 9, 192)
    """
    if delay_s <= _LEAST_S:
        return 0
    # of a delay on an edge, rounding may say a little more
    octaves = round(math.log2(delay_s / _LEAST_S) * _PER_OCTAVE, 9)
    return min(_LAST_BIN, math.ceil(octaves))


def seconds_of(number: int) -> float:
    """Return the delay that stands for those of a bin: its middle.

    Examples
    --------
    >>> round(seconds_of(bin_of(1.0)), 1)
    1.0
    """
    return float(_LEAST_S * 2 ** ((number - 0.5) / _PER_OCTAVE))


def slots_of(lists: Iterable[tuple[datetime, datetime]]) -> Slots:
    """Count lists, told by the time of their newest event and that of the list."""
    return Counter(
        (Level.MINUTE.start_of(at), bin_of((at - newest_at).total_seconds()))
        for newest_at, at in lists
    )


def percentile_of(counts: Mapping[int, int], share: float) -> float | None:
    """Return the nearest-rank percentile of counts by bin, in seconds; None for none.

    Examples
    --------
    >>> round(percentile_of({bin_of(1.0): 90, bin_of(8.0): 10}, 0.95), 1)
    8.2
    """
    if not counts:
        return None
    n, wanted = 0, math.ceil(share * sum(counts.values()))
    for number in sorted(counts):
        n += counts[number]
        if n >= wanted:
            return seconds_of(number)
    return None
