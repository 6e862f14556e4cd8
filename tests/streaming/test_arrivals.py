"""Plays of tracks that were not analysed count as soon as these arrive."""

import time
from datetime import timedelta

import numpy as np
import pytest
from pymongo.database import Database

from segue import store
from segue.clock import system_clock
from segue.events import Action
from segue.repeating import Repeating
from segue.settings import Settings
from segue.track_index import TrackIndex, create_track_index, write_track_index
from streaming.arrivals import Arrivals, count_arrived
from streaming.panes import COUNTS, DAY_S
from tests.conftest import SettingsFactory
from tests.factories import START, create_event, create_index
from tests.streaming.test_updating import arrive

pytestmark = pytest.mark.mongo

INDEX = create_index()
DAY = timedelta(days=1)


def grown(*names: str) -> TrackIndex:
    """Return the index with more tracks, which lie where the first ones do."""
    vectors = np.vstack([INDEX.vectors, INDEX.vectors[: len(names)]])
    ids = [*INDEX.track_ids, *names]
    return create_track_index("grown", ids, vectors, lineage=INDEX.lineage)


@pytest.fixture
def ready(settings: SettingsFactory) -> Settings:
    return settings()


def counts(database: Database[store.Document]) -> list[list[int]]:
    panes = database[store.TASTE_WINDOWS].find().sort("_id")
    return [[pane[name] for name in COUNTS] for pane in panes]


def test_who_plays_nothing_more_gets_a_taste_and_a_list(
    ready: Settings, database: Database[store.Document]
) -> None:
    plays = [create_event(track_id="x0"), create_event(track_id="x0", at=START + DAY)]
    late = create_event(track_id="x1", at=START)
    arrive(database, [plays[0], *plays], plays)
    arrive(database, [late], [late], DAY_S)
    assert counts(database) == [[0, 1, 0, 0, 0], [0, 1, 0, 1, 0], [0, 1, 0, 0, 0]]
    assert count_arrived(database, grown("y"), ready, system_clock) == 0
    assert count_arrived(database, grown("x0"), ready, system_clock) == 1
    assert counts(database) == [[0, 1, 0, 0, 0], [1, 0, 0, 1, 0], [1, 0, 0, 0, 0]]
    (taste,) = database[store.TASTES].find()
    assert taste["horizons"]["now"]["n_listens"] == 1
    assert taste["horizons"]["always"]["n_listens"] == 3
    assert taste["horizons"]["always"]["weight"] == pytest.approx(1 + 0.5 ** (1 / 365))
    np.testing.assert_allclose(
        taste["horizons"]["always"]["vector"], INDEX.vectors[0], atol=1e-7
    )
    (listed,) = database[store.RECOMMENDATIONS].find()
    assert listed["index_version"] == "grown"
    assert listed["items"]


def test_the_thread_sees_a_new_index_by_itself(
    ready: Settings, database: Database[store.Document]
) -> None:
    write_track_index(ready.home / "index", INDEX)
    play = create_event(Action.LIKED, "x0")
    arrive(database, [play], [play])
    arrivals = Arrivals(database, ready, system_clock)
    thread = Repeating("arrivals", 0.1, arrivals.look)
    thread.start()
    try:
        write_track_index(ready.home / "index", grown("x0"))
        deadline = time.monotonic() + 5
        while counts(database) != [[1, 0, 0, 0, 0]]:
            assert time.monotonic() < deadline
            time.sleep(0.05)
    finally:
        thread.end()
    assert not thread.is_alive()
