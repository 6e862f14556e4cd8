"""What rises: tracks that are played more than before, what is recent counting most."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from dashboard.analytics.spans import Span
from dashboard.analytics.sums import Counts, plays_at, rows_of
from segue.activity import Cells, Level

FADED: Final = "faded"
"""Column of plays that count the less the older they are, in millionths of a play."""
FADED_ONE: Final = 1_000_000
HALF_LIVES: Final = 4
"""In a range: what was played at its beginning counts a sixteenth."""


class Rising(NamedTuple):
    """A key that is played more than before."""

    code: int
    n_plays: int
    n_before: int


def fades(starts: Sequence[datetime]) -> NDArray[np.float64]:
    """Return what a play counts in each span of a range, the newest span last.

    Examples
    --------
    >>> from datetime import timedelta
    >>> hours = [datetime(2026, 5, 3) + timedelta(hours=n) for n in range(8)]
    >>> fades(hours).round(2).tolist()
    [0.07, 0.11, 0.15, 0.21, 0.3, 0.42, 0.59, 0.84]
    """
    n = len(starts)
    # the age of a span is that of its middle
    ages = (n - np.arange(n) - 0.5) / n
    return np.asarray(0.5 ** (ages * HALF_LIVES), np.float64)


def passed(
    level: Level, starts: Sequence[datetime], now: datetime
) -> NDArray[np.float64]:
    """Return the part of each span that has passed: of the newest mostly not all."""
    parts = [(now - at) / (level.end_of(at) - at) for at in starts]
    return np.clip(np.asarray(parts, np.float64), 0.0, 1.0)


def usual_fade(level: Level, starts: Sequence[datetime], now: datetime) -> float:
    """Return what a play of the time before would count in a range, in the mean.

    It is the mean of `fades`, each by the part of its span that has `passed`: what is
    yet to come of the newest span would make all tracks look as if they sank.
    """
    return float((fades(starts) * passed(level, starts, now)).mean())


def faded(spans: Sequence[Span], starts: Sequence[datetime]) -> list[Span]:
    """Return spans with a column more, of faded plays, by which `rising` goes."""
    millionths = np.rint(fades(starts) * FADED_ONE).astype(int).tolist()
    fade = dict(zip(starts, millionths, strict=True))
    return [_faded(span, fade[span.start], starts[-1]) for span in spans]


def _faded(span: Span, millionths: int, newest: datetime) -> Span:
    column = span.cells.n_plays * millionths
    cells = replace(span.cells, columns={**span.cells.columns, FADED: column})
    # what was added up of them is of this range alone
    return replace(span, cells=cells, version=(span.version, millionths, newest))


def rising(
    now: Cells, before: Cells, codes: Counts | None, fade: float, n: int
) -> list[Rising]:
    """Return at most `n` keys that are played more than before, the strongest first.

    Parameters
    ----------
    now : Cells
        Sum of `faded` spans.
    before : Cells
        Sum of as many spans before.
    codes : int64 array, optional
        Keys to choose from.
    fade : float
        What a play of the time before counts: `usual_fade`.

    Notes
    -----
    With the age ``a`` of each play as a share of the range::

        recent = sum of 0.5 ** (4 * a)      usual = fade * plays in the time before
        fade = mean over spans of 0.5 ** (4 * a of its middle) * part that has passed
        score = (recent - usual) / sqrt(usual + 1)

    `usual` is what `recent` would be had all gone on as before, so a jump counts in the
    measure of what chance alone would do, and a late one more than one that is over.
    """
    if not len(now):
        return []
    recent, was = now.columns[FADED] / FADED_ONE, plays_at(before, now.codes)
    plays, usual = now.n_plays, fade * was
    score = (recent - usual) / np.sqrt(usual + 1.0)
    risen = np.flatnonzero((score > 0) & rows_of(now, codes))
    best = np.lexsort((now.codes[risen], -plays[risen], -score[risen]))
    return [
        Rising(int(now.codes[row]), int(plays[row]), int(was[row]))
        for row in risen[best[:n]]
    ]
