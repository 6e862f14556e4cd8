"""Delays of lists: counted once each, whatever runs again, as SQL counts them."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pandas as pd  # type: ignore[import-untyped]
import pytest
from pymongo.database import Database

from segue import store
from segue.clock import fixed_clock
from segue.delays import RELATIVE_ERROR, Slots, percentile_of, slots_of
from segue.indexes import INDEXES
from segue.settings import Settings
from streaming.delays import delays_of, note_delays
from streaming.updating import bring_up_to_date
from tests.factories import START, create_event, create_index, seconds
from tests.sql import rows_of
from tests.streaming.test_updating import panes_of

INDEX = create_index()
SETTINGS = Settings()


def made(user: str, newest_at: datetime, at: datetime) -> store.Document:
    return {"_id": user, "newest_event_at": newest_at, "updated_at": at}


def test_a_list_of_nothing_newer_is_not_counted() -> None:
    late = START + seconds(3)
    lists = [made("ada", START, late), made("ben", START, late), made("cy", late, late)]
    before = {"ben": {"newest_event_at": START}, "cy": {"newest_event_at": START}}
    assert delays_of(lists, before) == slots_of([(START, late), (late, late)])


@pytest.mark.mongo
def test_counts_are_those_of_sql(database: Database[store.Document]) -> None:
    rng = np.random.default_rng(4)
    n = 3_000
    at = [START + seconds(float(each)) for each in rng.uniform(0, 600, n)]
    delays = rng.lognormal(-0.3, 0.9, n)
    told = pd.DataFrame({"made_at": at, "delay_s": delays})
    for some in np.array_split(np.arange(n), 7):  # as many tasks
        rows = told.iloc[some].itertuples()
        note_delays(
            database,
            slots_of((row.made_at - seconds(row.delay_s), row.made_at) for row in rows),
        )
    wanted = rows_of(
        "SELECT date_trunc('minute', made_at) AS start, count(*) AS n, "
        "quantile_disc(delay_s, [0.5, 0.95, 0.99]) AS shares "
        "FROM told GROUP BY start ORDER BY start",
        told=told,
    )
    stored = list(database[store.LIST_DELAYS].find().sort("start"))
    assert [each["start"] for each in stored] == [
        start.astimezone(UTC) for start, _, _ in wanted
    ]
    for document, (_, n_lists, shares) in zip(stored, wanted, strict=True):
        bins = {int(number): n for number, n in document["n"].items()}
        assert sum(bins.values()) == n_lists
        found = [percentile_of(bins, share) for share in (0.5, 0.95, 0.99)]
        assert found == pytest.approx(shares, rel=RELATIVE_ERROR + 1e-9)


@pytest.mark.mongo
def test_a_task_that_runs_again_counts_nothing_more(
    database: Database[store.Document],
) -> None:
    panes = {"ada": panes_of([create_event(at=START)])}
    made_at = fixed_clock(START + seconds(1.5))
    first = bring_up_to_date(database, panes, INDEX, SETTINGS, made_at).delays
    assert first == slots_of([(START, START + seconds(1.5))])
    again = bring_up_to_date(database, panes, INDEX, SETTINGS, made_at).delays
    assert again == Slots()
    events = [create_event(at=START), create_event(at=START + seconds(9))]
    newer = {"ada": panes_of(events)}
    more = bring_up_to_date(database, newer, INDEX, SETTINGS, made_at).delays
    # a clock that is ahead: the list is there before its event
    assert [number for _, number in more] == [0]


@pytest.mark.mongo
def test_minutes_go_after_two_days(database: Database[store.Document]) -> None:
    note_delays(database, slots_of([(START, START)]))
    note_delays(database, slots_of([(START, START)]))
    (document,) = database[store.LIST_DELAYS].find()
    assert document["n"] == {"0": 2}
    assert document["expires_at"] == START + timedelta(days=2)
    expiring = [
        index.document.get("expireAfterSeconds")
        for collection in (store.LIST_DELAYS, store.STREAM_MINUTES)
        for index in INDEXES[collection]
    ]
    assert expiring == [None, 0, None, 0]
