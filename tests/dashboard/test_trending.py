"""What is trending, by made listens on a real MongoDB."""

import asyncio
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta

import pytest

from dashboard.records import NotedTrack
from dashboard.trending import Trending, pipeline_of
from segue import store
from segue.events import Action
from segue.settings import Settings
from segue.store import Document
from tests.dashboard.home_scene import listen
from tests.dashboard.site import read

pytestmark = pytest.mark.mongo
NOW = datetime(2026, 5, 3, 21, 40, tzinfo=UTC)


@pytest.fixture
def ours(settings: Callable[..., Settings]) -> Settings:
    made = settings(prepared=True)
    tracks = [{"_id": f"t{n}", "title": f"Title {n}"} for n in range(5)]
    _fill(made, store.TRACKS, tracks)
    return made


def _fill(ours: Settings, collection: str, documents: Iterable[Document]) -> None:
    database = store.connect(ours.mongo)
    store.upsert(database, collection, documents)
    database.client.close()


def _plays(track_id: str, n: int, hours_ago: float) -> list[Document]:
    at = NOW - timedelta(hours=hours_ago)
    return [listen(f"listener{k}", track_id, at) for k in range(n)]


def _skips(track_id: str, n: int) -> list[Document]:
    at = NOW - timedelta(hours=1)
    return [listen(f"l{k}", track_id, at, 0.1, Action.SKIPPED) for k in range(n)]


def _trending(ours: Settings) -> list[str]:
    found = read(ours, lambda database: Trending(database, lambda: NOW).read())
    return [each.track.track_id for each in found]


def test_what_more_listeners_play_than_before_comes_first(ours: Settings) -> None:
    plays = [*_plays("t0", 4, 0.5), *_plays("t1", 9, 0.5), *_plays("t1", 60, 15)]
    plays += _plays("t2", 4, 4)
    _fill(ours, store.LISTENS, plays)
    assert _trending(ours) == ["t0", "t2", "t1"]


def test_what_goes_on_as_before_is_not_trending(ours: Settings) -> None:
    _fill(ours, store.LISTENS, [*_plays("t0", 4, 5), *_plays("t0", 16, 15)])
    assert _trending(ours) == []


def test_nobody_is_told_by_what_fewer_than_three_hear(ours: Settings) -> None:
    often = [
        listen("ada", "t0", NOW - timedelta(minutes=minutes)) for minutes in range(20)
    ]
    _fill(ours, store.LISTENS, [*often, *_plays("t1", 2, 0.2)])
    assert _trending(ours) == []
    _fill(ours, store.LISTENS, _plays("t0", 2, 0.1))
    assert _trending(ours) == ["t0"]


def test_skips_and_what_is_to_come_do_not_count(ours: Settings) -> None:
    _fill(ours, store.LISTENS, [*_skips("t0", 5), *_plays("t1", 5, -0.1)])
    assert _trending(ours) == []


def test_it_is_made_anew_in_the_background_and_not_at_each_look(
    ours: Settings,
) -> None:
    _fill(ours, store.LISTENS, _plays("t0", 3, 1))

    async def look_thrice(fresh_s: float) -> list[list[NotedTrack]]:
        database = store.connect_async(ours.mongo)
        trending = Trending(database, lambda: NOW, fresh_s)
        looks = [list(await trending.read())]
        await database[store.LISTENS].delete_many({})
        looks.append(list(await trending.read()))
        await asyncio.sleep(0.3)
        looks.append(list(await trending.read()))
        await database.client.close()
        return looks

    def again() -> None:
        _fill(ours, store.LISTENS, _plays("t0", 3, 1))

    assert [len(look) for look in asyncio.run(look_thrice(60))] == [1, 1, 1]
    again()
    assert [len(look) for look in asyncio.run(look_thrice(0))] == [1, 1, 0]


def test_the_aggregate_reads_the_index_alone(ours: Settings) -> None:
    _fill(ours, store.LISTENS, _plays("t0", 3, 1))
    database = store.connect(ours.mongo)
    plan = database.command(
        "explain",
        {"aggregate": store.LISTENS, "pipeline": pipeline_of(NOW), "cursor": {}},
        verbosity="queryPlanner",
    )
    database.client.close()
    assert "FETCH" not in str(plan)
    assert "COLLSCAN" not in str(plan)
