"""What rises, where what is recent counts most."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from dashboard.analytics.rising import faded, fades, passed, rising, usual_fade
from dashboard.analytics.spans import Span
from dashboard.analytics.sums import summed
from segue.activity import COUNTS, Cells, Level

START = datetime(2026, 5, 3, 22, 10, tzinfo=UTC)
STARTS = [START + timedelta(minutes=n) for n in range(60)]


def _span(start: datetime, plays: dict[int, int]) -> Span:
    codes = np.array(sorted(plays), np.int64)
    columns = {name: np.zeros(len(codes), np.int64) for name in COUNTS}
    columns["n_completed"] = np.array([plays[code] for code in sorted(plays)], np.int64)
    return Span(f"{start}", start, Cells(codes, columns), start)


def _risen(now: dict[int, dict[int, int]], before: dict[int, int]) -> list[int]:
    """Return codes by how they rise; `now` is plays by code, by minute."""
    spans = [_span(STARTS[n], plays) for n, plays in now.items()]
    earlier = _span(START - timedelta(minutes=1), before)
    fade = float(fades(STARTS).mean())
    cells = summed(faded(spans, STARTS))
    return [each.code for each in rising(cells, summed([earlier]), None, fade, 10)]


def test_of_two_jumps_the_later_one_rises_more() -> None:
    assert _risen({3: {1: 40}, 57: {2: 40}}, {1: 5, 2: 5}) == [2, 1]


def test_what_goes_on_as_before_does_not_rise() -> None:
    evenly = {n: {1: 2, 2: 2 + n // 30} for n in range(60)}
    assert _risen(evenly, {1: 120, 2: 120}) == [2]
    assert _risen(evenly, {1: 121, 2: 300}) == []


def test_a_play_counts_half_after_a_quarter_of_the_time() -> None:
    told = fades(STARTS)
    assert told[:-15] / told[15:] == pytest.approx(0.5)


def test_nothing_does_not_rise() -> None:
    assert _risen({}, {1: 4}) == []
    assert _risen({59: {1: 3}}, {}) == [1]


def test_of_the_newest_span_only_the_part_that_has_passed_is_usual() -> None:
    half = STARTS[-1] + timedelta(seconds=30)
    parts = passed(Level.MINUTE, STARTS, half)
    assert parts.tolist() == [1.0] * 59 + [0.5]
    # what lies ahead is no part of it
    assert passed(Level.MINUTE, STARTS, START + timedelta(minutes=30)).sum() == 30


def test_what_goes_on_as_before_does_not_sink_as_a_span_begins() -> None:
    starts = [START + timedelta(hours=n) for n in range(4)]
    now = starts[-1] + timedelta(minutes=6)
    # sixty an hour, of which a tenth of the newest has passed; one hears a bit more
    plays = [{1: 60, 2: 70}] * 3 + [{1: 6, 2: 7}]
    spans = [_span(at, some) for at, some in zip(starts, plays, strict=True)]
    before = summed([_span(START - timedelta(hours=1), {1: 240, 2: 240})])
    cells = summed(faded(spans, starts))
    fade = usual_fade(Level.HOUR, starts, now)
    assert [each.code for each in rising(cells, before, None, fade, 10)] == [2]
