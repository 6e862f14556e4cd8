"""How tastes move: what DuckDB gets from the same days, and who is never shown."""

import tracemalloc
from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np
import pandas as pd  # type: ignore[import-untyped]
import pytest
from pymongo.asynchronous.database import AsyncDatabase

from dashboard.analytics.map_movement import (
    STEP,
    Moving,
    dates_of,
    groups_moving,
    heard_in,
    held,
    listeners_moving,
)
from dashboard.analytics.map_parts import movement_table
from dashboard.analytics.map_points import Placed, place
from dashboard.analytics.movements import Movements
from segue import store
from segue.settings import Settings
from segue.store import Document
from segue.track_index import TrackIndex
from tests.conftest import SettingsFactory
from tests.dashboard.analytics.components import cells, texts
from tests.dashboard.analytics.mapped import by_sql, write_days, write_map
from tests.dashboard.site import read

NOW = datetime(2026, 5, 3, 22, 10, tzinfo=UTC)
NAMES = [f"{number + 1} · style" for number in range(10)]


def _numbered(days: list[Document]) -> list[Document]:
    users = sorted({each["user_id"] for each in days})
    return [{**each, "listener": users.index(each["user_id"])} for each in days]


def _scene(
    settings: Settings, groups: tuple[int, ...]
) -> tuple[TrackIndex, Placed, list[Document]]:
    database = store.connect(settings.mongo)
    index = write_map(database, settings.home, 200)
    days = write_days(database, index, NOW, groups, 20)
    database.client.close()
    return index, place(index, None), days


def _by_sql(days: list[Document], placed: Placed, index: TrackIndex) -> pd.DataFrame:
    """Return the mean place of each group and date, however small."""
    heard = pd.DataFrame(
        [
            (each["user_id"], each["day"].date(), track, weight)
            for each in days
            for track, weight in zip(each["track_ids"], each["weights"], strict=True)
        ],
        columns=["user_id", "day", "track_id", "weight"],
    )
    tracks = pd.DataFrame(
        {
            "track_id": index.track_ids,
            "x": placed.places["pca"][:, 0].astype(float),
            "y": placed.places["pca"][:, 1].astype(float),
            "cluster": placed.clusters,
        }
    )
    return by_sql(
        """
        with rows as (select * from heard join tracks using (track_id)),
        said as (select user_id, day, cluster, sum(weight) as w from rows group by all),
        member as (select user_id, day, arg_max(cluster, w) as cluster from said
                   group by all),
        there as (select user_id, day, sum(x * weight) / sum(weight) as x,
                  sum(y * weight) / sum(weight) as y from rows group by all)
        select cluster, day, avg(x) as x, avg(y) as y, count(*) as n
        from there join member using (user_id, day) group by all order by all
        """,
        heard=heard,
        tracks=tracks,
    )


@pytest.mark.mongo
def test_groups_are_where_sql_finds_them(settings: SettingsFactory) -> None:
    index, placed, days = _scene(settings(prepared=True), (40, 30, 20, 3))
    moving = groups_moving(
        heard_in(_numbered(days), placed), placed.places["pca"], placed, NAMES
    )
    found = {
        (each.cluster, at): (*each.places[at], each.n_heard[at])
        for each in moving
        for at in each.places
    }
    wanted = {
        (row.cluster, row.day.date()): (row.x, row.y, row.n)
        for row in _by_sql(days, placed, index).itertuples()
    }
    assert len(wanted) > len(found) > 20
    assert found.keys() <= wanted.keys()
    for key, (x, y, n) in found.items():
        assert n == wanted[key][2] >= 5
        assert abs(np.array([x, y]) - wanted[key][:2]).max() <= STEP / 2
        assert (x % STEP, y % STEP) == (0, 0)
    sizes = [int(sum(each.n_heard.values())) for each in moving]
    assert sizes == sorted(sizes, reverse=True)
    for date_there in {at for _, at in wanted}:
        told = sum(n for (_, at), (*_, n) in found.items() if at == date_there)
        all_who = sum(n for (_, at), (*_, n) in wanted.items() if at == date_there)
        # neither of one group nor of few people is the rest
        others = [k for k in wanted if k[1] == date_there and k not in found]
        assert len(others) != 1
        assert all_who - told == 0 or all_who - told >= 5


def _days(*heard: dict[str, float], at: datetime = NOW) -> list[Document]:
    """Return a date: what each of some listeners heard, by track."""
    return [
        {
            "listener": number,
            "day": at,
            "track_ids": list(each),
            "weights": list(each.values()),
        }
        for number, each in enumerate(heard)
    ]


def _groups(days: list[Document]) -> list[Moving]:
    placed = place(_tiny(), None)
    assert len(set(placed.clusters.tolist())) == 3
    heard = heard_in(days, placed)
    return groups_moving(heard, placed.places["pca"], placed, NAMES)


@pytest.mark.mongo
def test_a_later_day_changes_nothing_of_dates_before(settings: SettingsFactory) -> None:
    index, placed, days = _scene(settings(prepared=True), (40, 30, 20))
    places, numbered = placed.places["pca"], _numbered(days)
    before = groups_moving(heard_in(numbered, placed), places, placed, NAMES)
    other = max(placed.clusters.tolist())
    track = index.track_ids[placed.clusters.tolist().index(other)]
    for listener in range(0, 90, 9):
        newest = {"listener": listener, "day": NOW, "weights": [1.0]}
        days_now = [*numbered, {**newest, "track_ids": [track]}]
        after = groups_moving(heard_in(days_now, placed), places, placed, NAMES)
        assert _past(after) == _past(before)


def _past(moving: list[Moving]) -> dict[Any, Any]:
    """Return all that is told of dates before that of `NOW`."""
    return {
        (each.cluster, at): (there, each.n_heard[at])
        for each in moving
        for at, there in each.places.items()
        if at < NOW.date()
    }


def test_of_six_five_are_not_shown() -> None:
    six = [{"a": 1.0}] * 6
    (group,) = _groups(_days(*six))
    assert list(group.n_heard.values()) == [6]
    assert _groups(_days(*six[1:], {"b": 1.0})) == []
    assert _groups(_days(*six[2:])) == []
    others = [{"b": 1.0}] * 5
    assert [sum(each.n_heard.values()) for each in _groups(_days(*six, *others))] == [
        6,
        5,
    ]
    # how many there were may be known: two groups alone would tell of the last one
    told = _groups(_days(*six, *others, {"c": 1.0}))
    assert [sum(each.n_heard.values()) for each in told] == [6]


def test_who_leaves_a_date_leaves_no_place() -> None:
    five = [{"a": 1.0}] * 5
    without = _groups(_days(*five))
    told = set()
    placed = place(_tiny(), None)
    places = []
    for share in (0.0, 0.1, 0.2, 0.3):
        sixth = _days({"a": 1.0, "c": share})
        (moving,) = listeners_moving(heard_in(sixth, placed), placed.places["pca"])
        places.append(moving.places[NOW.date()])
        told.add(str(_groups(_days(*five, {"a": 1.0, "c": share}))[0].places))
    assert without
    # places that are far from each other give the same two reads
    apart = np.ptp(np.array(places), axis=0).max()
    assert apart > 1_000
    assert len(told) < len(places)


def test_what_is_read_takes_little_memory() -> None:
    placed = place(_tiny(), None)
    tracks = {"track_ids": ["a"] * 200, "weights": [1.5] * 200}
    days = [{"listener": n, "day": NOW, **tracks} for n in range(500)]
    tracemalloc.start()
    heard = heard_in(iter(days), placed)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(heard.weights) == 100_000
    # bytes of a track: four numbers, of which two are there in parts as well
    assert most / len(heard.weights) < 40


@pytest.mark.mongo
def test_numbers_stand_for_listeners(settings: SettingsFactory) -> None:
    ours = settings(prepared=True)
    _, placed, _ = _scene(ours, (9, 8, 6, 3))

    async def ask(database: AsyncDatabase[Document]) -> list[Moving]:
        movements = Movements(database)
        days = await movements.read(placed, NOW)
        assert await movements.read(placed, NOW) is days
        return listeners_moving(days, placed.places["pca"])

    moving = read(ours, ask)
    assert [each.name for each in moving] == [f"Listener {n}" for n in range(1, 27)]
    assert all(set(each.n_heard.values()) == {1} for each in moving)
    # another process has other numbers
    other = read(ours, ask)
    assert [m.places for m in moving] != [m.places for m in other]
    assert sorted(map(str, (m.places for m in moving))) == sorted(
        map(str, (m.places for m in other))
    )


@pytest.mark.mongo
def test_of_very_many_listeners_the_same_two_hundred_are_read(
    settings: SettingsFactory,
) -> None:
    ours = settings(prepared=True)
    index, placed, _ = _scene(ours, ())
    database = store.connect(ours.mongo)
    write_days(database, index, NOW, (250,), 1)
    old = {
        "_id": "x|2020-01-01",
        "user_id": "x",
        "day": datetime(2020, 1, 1, tzinfo=UTC),
    }
    store.upsert(database, store.TASTE_DAYS, [old])
    database.client.close()

    async def ask(database: AsyncDatabase[Document]) -> set[str]:
        heard = await Movements(database).read(placed, NOW)
        moving = listeners_moving(heard, placed.places["pca"])
        return {str(each.places) for each in moving}

    first = read(ours, ask)
    assert 140 < len(first) <= 200
    assert read(ours, ask) == first


@pytest.mark.parametrize(
    "more",
    [
        {"track_ids": None},
        {"weights": ["x", None]},
        {"day": None},
        {"track_ids": ["gone", "gone"]},
        {"weights": [-1.0, 0.0]},
        {"weights": [float("nan")]},
        {"weights": [float("inf")]},
    ],
)
def test_a_damaged_day_is_passed_over(more: dict[str, Any]) -> None:
    placed = place(_tiny(), None)
    day = {"listener": 0, "day": NOW, "track_ids": ["a", "b"], "weights": [1.0, 2.0]}
    assert heard_in([day], placed).n_listeners == 1
    assert heard_in([day | more], placed).n_listeners == 0


def test_where_nobody_heard_anything_nothing_moves() -> None:
    placed = place(_tiny(), None)
    heard, places = heard_in([], placed), placed.places["pca"]
    assert groups_moving(heard, places, placed, NAMES) == []
    assert listeners_moving(heard, places) == []


def test_without_a_place_in_a_layer_somebody_is_nowhere() -> None:
    placed = place(_tiny(), np.array([[np.nan, np.nan], [1, 1], [3, 1]], np.float32))
    day = {"listener": 0, "day": NOW, "track_ids": ["a"], "weights": [1.0]}
    days = heard_in([day], placed)
    assert listeners_moving(days, placed.places["umap"]) == []
    assert len(listeners_moving(days, placed.places["pca"])) == 1


def test_between_two_days_somebody_stays() -> None:
    dates = [date(2026, 5, 1) + timedelta(days=n) for n in range(4)]
    places = {dates[1]: (0.0, 0.0), dates[3]: (3.0, 4.0)}
    moving = Moving("Group 1", 0, places, {dates[1]: 7, dates[3]: 6})
    assert held(moving, dates) == [None, (0.0, 0.0), (0.0, 0.0), (3.0, 4.0)]
    assert dates_of([moving], dates[2], dates[3]) == [dates[3]]
    table = movement_table([moving], dates)
    assert "From 1 May 2026 to 4 May 2026" in texts(table)
    (row,) = cells(table)
    assert {"5", "6 to 7"} <= set(row)


def _tiny() -> TrackIndex:
    from segue.track_index import create_track_index

    return create_track_index("v1", ["a", "b", "c"], np.eye(3, dtype=np.float32))
