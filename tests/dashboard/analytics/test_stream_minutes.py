"""Minutes of the stream in MongoDB: what is kept is what a whole reading tells."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from pymongo.asynchronous.database import AsyncDatabase

from dashboard.analytics.stream_history import History, Steps, steps_of
from dashboard.analytics.stream_minutes import SETTLED, StreamMinutes, settled
from dashboard.analytics.times import Wish
from segue import store
from segue.delays import KEPT
from segue.settings import Settings
from segue.store import Document
from tests.conftest import SettingsFactory
from tests.dashboard.site import read

NOW = datetime(2026, 5, 3, 22, 10, 30, tzinfo=UTC)
HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)
Database = AsyncDatabase[Document]


def _steps(hours: float, now: datetime = NOW) -> Steps:
    return steps_of(Wish(now - hours * HOUR, now), now)


def test_hours_that_are_long_over_do_not_change() -> None:
    assert settled(_steps(1), NOW) == []
    hours = settled(_steps(24), NOW)
    assert hours[0] == (
        datetime(2026, 5, 2, 23, tzinfo=UTC),
        datetime(2026, 5, 3, tzinfo=UTC),
    )
    # that from 20:00 is over since 21:00; that from 21:00 for ten minutes
    assert hours[-1][1] == datetime(2026, 5, 3, 21, tzinfo=UTC)
    assert settled(_steps(24), NOW + SETTLED)[-1][1].hour == 22
    # minutes of the oldest go one by one
    oldest = settled(steps_of(Wish(None, NOW), NOW), NOW)[0]
    assert oldest[0] == datetime(2026, 5, 1, 23, tzinfo=UTC)


def _run(ours: Settings, ask: Callable[[Database], Awaitable[None]]) -> None:
    async def run(database: Database) -> None:
        await ask(database)

    read(ours, run)


def _minutes(rng: np.random.Generator) -> list[Document]:
    first = NOW.replace(second=0) - 48 * HOUR
    starts = [first + n * MINUTE for n in range(48 * 60) if n % 11]
    return [
        {
            "_id": f"{query}|{start}",
            "query": query,
            "start": start,
            "n_rows": int(rng.integers(99)),
            "n_read": int(rng.integers(99)),
            "n_batches": int(rng.integers(9)),
            "state_rows": int(rng.integers(99)),
            "duration_ms": {"addBatch": float(rng.uniform(0, 99))},
        }
        for start in starts
        for query in ("taste", "messages")
    ]


def _delays(rng: np.random.Generator) -> list[Document]:
    first = NOW.replace(second=0) - 48 * HOUR
    return [
        {
            "_id": f"{start}",
            "start": start,
            "n": {str(rng.integers(40, 60)): int(rng.integers(1, 9))},
        }
        for start in (first + n * MINUTE for n in range(0, 48 * 60, 2))
    ]


async def _anew(database: Database, steps: Steps, now: datetime = NOW) -> History:
    return await StreamMinutes(database).read(steps, now)


@pytest.mark.mongo
def test_what_is_kept_is_what_is_there(
    settings: SettingsFactory, rng: np.random.Generator
) -> None:
    async def ask(database: Database) -> None:
        minutes, delays = database[store.STREAM_MINUTES], database[store.LIST_DELAYS]
        await minutes.insert_many(_minutes(rng))
        await delays.insert_many(_delays(rng))
        ours = StreamMinutes(database)
        for hours in (24, 6, 1, 90, 24):
            steps = _steps(hours)
            assert await ours.read(steps, NOW) == await _anew(database, steps)
        steps = _steps(24)
        before = await ours.read(steps, NOW)
        assert sum(before.n_lists) > 100
        # of an hour that is over for ten minutes
        recent = NOW.replace(minute=55, second=0) - HOUR
        await minutes.update_one(
            {"query": "taste", "start": recent}, {"$inc": {"n_rows": 1_000}}
        )
        await delays.insert_one({"_id": "new", "start": NOW, "n": {"50": 4}})
        after = await ours.read(steps, NOW)
        assert after == await _anew(database, steps) != before
        # a minute of long ago that could not be written when it was
        late = {"_id": "late", "query": "taste", "start": NOW - 12 * HOUR, "n_rows": 7}
        await minutes.insert_one(dict(late))
        assert (found := await ours.read(steps, NOW)) == await _anew(database, steps)
        assert found != after
        await delays.delete_many({"start": {"$lt": NOW - 20 * HOUR}})
        assert (left := await ours.read(steps, NOW)) == await _anew(database, steps)
        assert sum(left.n_lists) < sum(found.n_lists)

    _run(settings(), ask)


@pytest.mark.mongo
def test_an_hour_that_is_long_over_is_read_once(
    settings: SettingsFactory, rng: np.random.Generator
) -> None:
    async def ask(database: Database) -> None:
        minutes = database[store.STREAM_MINUTES]
        await minutes.insert_many(_minutes(rng))
        ours, steps = StreamMinutes(database), _steps(24)
        before = await ours.read(steps, NOW)
        await minutes.update_many(
            {"start": {"$gte": NOW - 12 * HOUR, "$lt": NOW - 8 * HOUR}},
            {"$set": {"n_rows": 1_000}},
        )
        assert await ours.read(steps, NOW) == before != await _anew(database, steps)
        # nothing is kept of what the database keeps no more
        later = NOW + 49 * HOUR
        assert (await ours.read(_steps(24, later), later)).is_empty
        assert all(start >= later - KEPT for start, _ in ours._kept)

    _run(settings(), ask)
