"""What is read of the stream as it is now."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pymongo.asynchronous.database import AsyncDatabase

from dashboard.analytics.freshness import LastList, judged
from dashboard.analytics.stream_state import Books, read_state
from segue import store
from segue.delays import slots_of
from segue.settings import Settings
from segue.store import Document
from streaming.delays import note_delays
from tests.conftest import SettingsFactory
from tests.dashboard.site import read

pytestmark = pytest.mark.mongo
NOW = datetime(2026, 5, 3, 22, 10, 30, tzinfo=UTC)


def _ago(s: float) -> datetime:
    return NOW - timedelta(seconds=s)


def _read(ours: Settings, ask: Callable[[Any], Awaitable[Any]]) -> Any:
    async def run(database: AsyncDatabase[Document]) -> Any:
        return await ask(database)

    return read(ours, run)


def test_the_state_is_that_of_the_last_five_minutes(settings: SettingsFactory) -> None:
    ours = settings()
    database = store.connect(ours.mongo)
    note_delays(
        database,
        slots_of([(_ago(1), _ago(0)), (_ago(242), _ago(240)), (_ago(302), _ago(300))]),
    )
    lists: list[Document] = [
        {"_id": "ada", "newest_event_at": _ago(4), "updated_at": _ago(3)},
        {"_id": "ben", "newest_event_at": _ago(90), "updated_at": _ago(80)},
    ]
    store.upsert(database, store.RECOMMENDATIONS, lists)
    due: list[Document] = [{"_id": f"u{n}", "since": _ago(40 + n)} for n in range(3)]
    store.upsert(database, store.LISTS_DUE, due)
    progress = {"_id": "taste", "updated_at": _ago(2), "n_waiting": 4}
    store.upsert(database, store.STREAM_PROGRESS, [progress])
    note = {"n_dates": 2, "first": "2026-05-01", "last": "2026-05-02"}
    store.upsert(database, store.STREAM_NOTES, [{"_id": "uncounted", **note}])
    database.client.close()
    state = _read(ours, lambda found: read_state(found, NOW))
    assert state.n_lists == 2
    assert state.percentile(0.99) == pytest.approx(2.0, rel=0.05)
    assert state.last == LastList(1.0, 3.0)
    assert (state.n_due, state.due_s) == (3, 42.0)
    assert state.ages_s == {"taste": 2.0}
    assert "2 dates, 2026-05-01 to 2026-05-02" in state.uncounted
    assert judged(state).reason == (
        "3 lists are to follow; the oldest has waited for 42 s."
    )


def test_of_an_empty_database_nothing_is_known(settings: SettingsFactory) -> None:
    state = _read(settings(), lambda found: read_state(found, NOW))
    assert (state.n_lists, state.last, state.uncounted) == (0, None, "")
    assert not judged(state).is_fresh


def test_the_ledger_is_not_added_up_at_every_look(settings: SettingsFactory) -> None:
    async def count(database: AsyncDatabase[Document], number: int) -> None:
        told = {"_id": f"ev|0|{number}", "n_read": 1, "n_late": 0, "rejected": {}}
        await database[store.REJECTED_COUNTS].insert_one(told)

    async def ask(database: AsyncDatabase[Document]) -> None:
        calm, quick = Books(database, 60.0), Books(database, 0.0)
        await count(database, 1)
        kept = await calm.read()
        assert (kept.n_read, (await quick.read()).n_read) == (1, 1)
        await count(database, 2)
        assert await calm.read() is kept
        async with asyncio.timeout(20):  # it rests for as long as it took, 20 times
            while (await quick.read()).n_read < 2:
                await asyncio.sleep(0.01)
            # who asks while another adds up gets what was known
            await count(database, 3)
            n_first = 2
            while n_first < 3:
                books = await asyncio.gather(quick.read(), quick.read())
                n_first, n_second = (each.n_read for each in books)
                await asyncio.sleep(0.01)
        assert n_second == 2

    _read(settings(), ask)
