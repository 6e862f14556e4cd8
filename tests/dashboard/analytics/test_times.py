"""Which spans answer for which time, and what is said of times that are none."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard.analytics.times import PRESETS, TimeRange, is_kept, snapped, wished
from dashboard.refusals import RefusedError
from segue.activity import Level

NOW = datetime(2026, 5, 3, 22, 10, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("hours", "ago_hours", "level"),
    [
        (1, 0, Level.MINUTE),
        (6, 0, Level.MINUTE),
        (6.1, 0, Level.HOUR),
        (1, 46.5, Level.MINUTE),
        (1, 47.5, Level.HOUR),
        (14 * 24, 0, Level.HOUR),
        (14.1 * 24, 0, Level.DAY),
        (24, 88 * 24, Level.HOUR),
        (24, 89.5 * 24, Level.DAY),
        (62 * 24, 0, Level.DAY),
        (63 * 24, 0, Level.MONTH),
        (62 * 24, 4000 * 24, Level.DAY),
    ],
)
def test_a_range_is_served_by_the_finest_level_that_has_it(
    hours: float, ago_hours: float, level: Level
) -> None:
    end = NOW - timedelta(hours=ago_hours)
    found = snapped(end - timedelta(hours=hours), end, NOW)
    assert found.level is level


@given(
    st.timedeltas(timedelta(seconds=1), timedelta(days=900)),
    st.timedeltas(timedelta(0), timedelta(days=900)),
)
def test_a_range_is_made_of_whole_spans_around_what_is_asked(
    length: timedelta, ago: timedelta
) -> None:
    end = NOW - ago
    found = snapped(end - length, end, NOW)
    assert found.start <= end - length
    assert found.end >= end
    starts = found.starts
    assert starts[0] == found.start
    assert starts[-1] < end
    assert [found.level.start_of(each) for each in starts] == starts
    assert found.level.end_of(starts[-1]) == found.end
    before = found.before
    assert before.end == found.start
    assert len(before.starts) == len(starts)


def test_a_range_that_ends_with_a_span_has_no_other_behind() -> None:
    end = datetime(2026, 5, 3, 22, tzinfo=UTC)
    found = snapped(end - timedelta(hours=12), end, NOW)
    assert (found.level, found.end, len(found.starts)) == (Level.HOUR, end, 12)


def test_of_a_time_that_is_not_over_the_spans_end_now() -> None:
    wish = wished({"from": "2026-05-03T20:00", "to": "2026-05-03"}, "1h", NOW)
    assert wish.start is not None
    assert (wish.last_date, wish.end - NOW) == (NOW.date(), timedelta(seconds=6570))
    found = snapped(wish.start, wish.end, NOW)
    assert found.end == datetime(2026, 5, 3, 22, 11, tzinfo=UTC)


@pytest.mark.parametrize(
    ("ago_h", "length_h", "is_there"),
    [(1, 1, True), (6, 6, True), (46, 2, False), (50, 10, True), (2040, 240, False)],
)
def test_what_is_before_a_time_may_not_be_kept(
    ago_h: int, length_h: int, is_there: bool
) -> None:
    start = NOW - timedelta(hours=ago_h)
    time = snapped(start, start + timedelta(hours=length_h), NOW)
    assert is_kept(time, NOW)
    assert is_kept(time.before, NOW) is is_there


def test_each_preset_ends_now() -> None:
    for name, length in PRESETS.items():
        wish = wished({"range": name}, "1h", NOW)
        assert wish.end == NOW
        assert wish.start == (None if length is None else NOW - length)
    assert wished({}, "7d", NOW).start == NOW - timedelta(days=7)


def test_from_and_to_are_times_in_any_zone() -> None:
    told = {"from": "2026-05-01T02:00:00+02:00", "to": "2026-05-02T00:00:00Z"}
    wish = wished({**told, "range": "1h"}, "1h", NOW)
    assert wish.start == datetime(2026, 5, 1, tzinfo=UTC)
    assert wish.end == datetime(2026, 5, 2, tzinfo=UTC)
    # a plus in an address is a space
    spaced = wished({"from": "2026-05-01T02:00:00 02:00"}, "1h", NOW)
    assert spaced.start == wish.start


@pytest.mark.parametrize(
    ("start", "end", "hours"),
    [
        ("2026-05-01", "2026-05-01", 24),
        ("2026-05-01", "2026-05-02", 48),
        ("2026-05-03", "2026-05-03", 24),
        ("2026-05-01", "2026-05-01T06:00", 6),
        ("2026-05-01 00:00", "2026-05-01 06:00", 6),
        ("20260501", "20260502T12Z", 36),
        ("2026-05-01T02:00+02:00", "2026-05-01T03:00 02:00", 1),
    ],
)
def test_a_date_is_the_whole_day_and_a_time_without_a_zone_is_utc(
    start: str, end: str, hours: int
) -> None:
    wish = wished({"from": start, "to": end}, "1h", NOW)
    assert wish.start is not None
    assert wish.start.isoformat().startswith("2026-05-0")
    assert (wish.start.utcoffset(), wish.start.hour) == (timedelta(0), 0)
    assert wish.end - wish.start == timedelta(hours=hours)


@pytest.mark.parametrize(
    ("told", "said"),
    [
        ({"range": "5h"}, "There is no range “5h”; there are 1h, 6h, "),
        ({"range": "x" * 300}, "There is no range “xxxxxxxxxxxxxxxxxxxxxxxx…”; "),
        ({"to": "2026-05-01T00:00:00Z"}, "has an end, but no beginning"),
        (
            {"from": "2026-05-02T00:00:00Z", "to": "2026-05-01T00:00:00Z"},
            "ends before it begins",
        ),
        (
            {"from": "2026-05-02T00:00:00Z", "to": "2026-05-02T00:00:00Z"},
            "ends before it begins",
        ),
        ({"from": "0001-01-01T00:00:00Z"}, "begins in 1; nothing is older than 2000"),
        ({"from": "0001-01-01T00:00:00+23:00"}, "want a time as 2026"),
        ({"from": "9999-12-31T23:59:59-23:00"}, "want a time as 2026"),
        (
            {"from": "9999-01-01T00:00:00Z", "to": "9999-12-31T00:00:00Z"},
            "begins in the future",
        ),
        (
            {"from": "2026-05-01T00:00:00Z", "to": "9999-12-31T00:00:00Z"},
            "ends in the future",
        ),
        ({"from": "NaN"}, "from is “NaN”; want a time as 2026"),
        ({"from": "2026-05-04"}, "begins in the future"),
        ({"from": "2026-05-01", "to": "9999-12-31"}, "to is “9999-12-31”; want"),
        ({"from": "2026-05-01", "to": "2026-05-02+02:00"}, "want a time as 2026"),
        ({"from": "2026-W18"}, "want a time as 2026"),
        ({"from": "2026-05-01T"}, "want a time as 2026"),
        ({"from": "2026-02-30"}, "want a time as 2026"),
        ({"from": "2026-05-03", "to": "2026-05-02"}, "ends before it begins"),
        ({"from": "2026-05-01T00:00:00+99:00"}, "want a time as 2026"),
        ({"from": "2026-05-01T00:00:00Z", "to": "9" * 10_000_000}, "to is “99999999"),
    ],
)
def test_a_time_that_is_none_is_a_sentence(told: dict[str, str], said: str) -> None:
    with pytest.raises(RefusedError) as refused:
        wished(told, "1h", NOW)
    assert said in refused.value.detail
    assert len(refused.value.detail) < 200


def test_a_range_says_its_spans() -> None:
    start = datetime(2026, 5, 3, 22, tzinfo=UTC)
    words = TimeRange(Level.MINUTE, start, start + timedelta(minutes=2)).words
    assert words == "From 3 May 2026, 22:00 to 3 May 2026, 22:02 UTC, by minutes."
