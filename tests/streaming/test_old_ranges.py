"""Old ranges of offsets become one document a date, and nothing counts twice."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pymongo.database import Database
from pyspark.sql import Row

from dashboard.stream_queries import read_intake
from segue import store
from segue.clock import fixed_clock
from segue.settings import Settings
from streaming.intake import write_counts
from streaming.old_ranges import OldRanges, add_up
from tests.conftest import SettingsFactory
from tests.dashboard.site import read

pytestmark = pytest.mark.mongo
DAY = timedelta(days=1)
DATE = datetime(2026, 11, 3, tzinfo=UTC)
RETENTION_H = 168


@pytest.fixture
def ready(settings: SettingsFactory) -> Settings:
    return settings(prepared=True)


@pytest.fixture
def database(ready: Settings) -> Iterator[Database[store.Document]]:
    database = store.connect(ready.mongo)
    yield database
    database.client.close()


def count(
    database: Database[store.Document],
    at: datetime,
    offset: int,
    partition: int = 0,
    n_known: int = 0,
) -> None:
    """Count ten messages from an offset on: six valid ones, one late, three refused."""
    of = {"topic": "ev", "partition": partition}
    told: tuple[tuple[str, str | None, int], ...] = (
        ("valid", None, 6),
        ("late", None, 1),
        ("rejected", "not_json", 2),
        ("rejected", "bad_time", 1),
    )
    counts, first = [], offset
    for outcome, reason, n in told:
        offsets = {"first_offset": first, "last_offset": first + n - 1, "n": n}
        counts.append(Row(**of, outcome=outcome, reason=reason, **offsets))
        first += n
    write_counts(database, counts, n_known, fixed_clock(at))


def a_month(database: Database[store.Document], n_dates: int = 30) -> None:
    for day in range(n_dates):
        for number in range(4):
            offset = 10 * (4 * day + number)
            at = DATE + day * DAY + number * timedelta(hours=5)
            count(database, at, offset, n_known=number)
            count(database, at, offset, partition=1)


def told(ready: Settings) -> tuple[dict[str, int], dict[str, int]]:
    return read(ready, read_intake)


def look(database: Database[store.Document], now: datetime, times: int = 40) -> None:
    old = OldRanges(database, RETENTION_H, fixed_clock(now))
    for _ in range(times):
        old.look()


def sums(database: Database[store.Document]) -> list[dict[str, Any]]:
    return list(database[store.REJECTED_COUNTS].find({"is_date": True}).sort("_id"))


def test_only_what_kafka_no_longer_has_is_added_up_and_no_sum_changes(
    database: Database[store.Document], ready: Settings
) -> None:
    a_month(database)
    before = told(ready)
    assert before[0] == {"n_read": 2400, "n_late": 240}
    look(database, DATE + 29.5 * DAY)  # 15.5 days after the first of them began
    assert told(ready) == before
    assert [each["_id"] for each in sums(database)] == [
        f"ev|{partition}|2026-11-{3 + day:02d}"
        for partition in (0, 1)
        for day in range(15)
    ]
    first = sums(database)[0]
    assert {name: first[name] for name in first if name[:2] != "up"} == {
        "_id": "ev|0|2026-11-03",
        "is_date": True,
        "topic": "ev",
        "partition": 0,
        "from_offset": 0,
        "until_offset": 40,
        "n_read": 40,
        "n_valid": 24,
        "n_late": 4,
        "n_known": 6,
        "rejected": {"not_json": 8, "bad_time": 4},
        "counted_at": DATE,
    }
    left = database[store.REJECTED_COUNTS].count_documents({})
    assert left == 15 * 2 + 15 * 2 * 4


def test_what_ended_before_the_ranges_went_counts_once_after_the_next_time(
    database: Database[store.Document], ready: Settings
) -> None:
    a_month(database, 2)
    before, ranges = told(ready), list(database[store.REJECTED_COUNTS].find())
    look(database, DATE + 40 * DAY)
    first = sums(database)
    store.upsert(database, store.REJECTED_COUNTS, ranges)  # as if they had not gone
    assert told(ready) != before
    look(database, DATE + 40 * DAY)
    assert told(ready) == before
    assert sums(database) == first


def test_what_a_clock_that_was_set_back_counts_on_an_old_date_is_added(
    database: Database[store.Document], ready: Settings
) -> None:
    a_month(database, 1)
    look(database, DATE + 40 * DAY)
    count(database, DATE + DAY / 2, 500)
    before = told(ready)
    assert before[0]["n_read"] == 80 + 10
    look(database, DATE + 40 * DAY)
    assert told(ready) == before
    assert [each["until_offset"] for each in sums(database)] == [510, 40]


def test_a_topic_that_begins_anew_takes_no_sum_away(
    database: Database[store.Document], ready: Settings
) -> None:
    a_month(database, 1)
    look(database, DATE + 40 * DAY)
    count(database, DATE + 40 * DAY, 0)
    assert told(ready)[0]["n_read"] == 80 + 10


def test_a_date_of_many_ranges_is_added_up_whole(
    database: Database[store.Document], ready: Settings
) -> None:
    ranges = [
        {
            **{"_id": f"ev|0|{n}", "topic": "ev", "partition": 0},
            **{"from_offset": n, "until_offset": n + 1, "n_read": 1, "n_valid": 1},
            **{"n_late": 0, "rejected": {}, "updated_at": DATE, "counted_at": DATE},
        }
        for n in range(8_640)
    ]
    store.upsert(database, store.REJECTED_COUNTS, ranges)
    add_up(database, DATE)
    (one,) = database[store.REJECTED_COUNTS].find()
    assert (one["n_read"], one["from_offset"], one["until_offset"]) == (8640, 0, 8640)
