"""What all listeners did together, against SQL over the same archive."""

import json
import re
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from shutil import copy
from typing import TYPE_CHECKING, Any

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pymongo.database import Database

from learning.population import count_population
from segue import store
from segue.errors import MongoUnreachableError
from segue.population import CLUSTER, COHORT, LENGTHS_MIN, RUN, SESSIONS
from segue.services.ports import free_port
from segue.settings import MongoSettings, Settings
from segue.small_groups import LEAST
from segue.store import Document
from segue.track_index import create_track_index, write_track_index
from tests.factories import START
from tests.learning.archives import archive, event

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

pytestmark = [pytest.mark.spark, pytest.mark.mongo]

N, N_LISTENERS = 200_000, 600
# when those begin who do so in a week with few others
WEEKS_ALONE = (-1, -1, 5, 5, 5, 6, 6, 6, 7, 7, 7, 8)
NOW = START + timedelta(days=1)
LAST_WEEK = NOW.date() - timedelta(days=NOW.weekday())
ENDS = [
    ("completed", None),
    ("skipped", '{"end": "skipped"}'),
    ("progressed", '{"surface": "home", "end": "closed"}'),
]
GO_ON = [
    ("started", None),
    ("progressed", None),
    ("progressed", '{"end": ""}'),
    ("progressed", '{"end": 3}'),
    ("progressed", "no json"),
    ("liked", None),
]
# up to which share each of the ends
ENDS_ODDS = (0.6, 0.9)
HEARD_MS = np.array([0, 3_000, 200_000, 1_200_000])
CAMPS = ("jazz", "rock")
PLAYS = """
    create table plays as
    with copies as (
        select *, row_number() over (
            partition by user_id, event_id order by topic, partition, "offset"
        ) as place
        from read_parquet(?)
    )
    select user_id, action = 'skipped' as is_skip,
           epoch_us(event_time) // 1000 as at_ms,
           least(greatest(coalesce(played_ms, 0), 0), 86400000) as heard_ms,
           date_trunc('week', make_timestamp(epoch_us(event_time)))::date as week
    from copies
    where place = 1 and (action in ('completed', 'skipped') or action = 'progressed'
          and json_valid(source) and json_type(source, '$.end') = 'VARCHAR'
          and source->>'$.end' <> '')
"""
SESSIONS_SQL = """
    with paused as (
        select *, at_ms - lag(at_ms) over (partition by user_id order by at_ms) as pause
        from plays
    ), numbered as (
        select *, sum((pause is null or pause > 1800000)::int) over (
            partition by user_id order by at_ms
            range between unbounded preceding and current row
        ) as number
        from paused
    ), sessions as (
        select user_id, min(at_ms - heard_ms) as start_ms, max(at_ms) as end_ms,
               count(*) as n_plays, sum(heard_ms) as heard_ms
        from numbered group by user_id, number
    )
    select make_timestamp(start_ms * 1000)::date as day, count(*) as n_sessions,
           count(distinct user_id) as n_listeners, sum(n_plays) as n_plays,
           sum(heard_ms) as heard_ms, sum(end_ms - start_ms) as length_ms,
           list(end_ms - start_ms) as all_ms
    from sessions group by day
"""
COHORTS_SQL = """
    with firsts as (select user_id, min(week) as first_week from plays group by user_id)
    select first_week, week, count(distinct user_id)
    from plays join firsts using (user_id) group by all
"""
CLUSTERS_SQL = """
    select cluster, count(distinct user_id), count(*), sum(is_skip::int)
    from plays join members using (user_id) group by cluster order by cluster
"""
KEPT_SQL = """
    with firsts as (
        select cluster, user_id, min(week) as first_week
        from plays join members using (user_id) group by all
    ), since as (select unnest(range(12)) as n)
    select cluster, n, count(distinct f.user_id), count(distinct p.user_id)
    from firsts f cross join since
    left join plays p on p.user_id = f.user_id and p.week = f.first_week + (n * 7)::int
    where f.first_week + (n * 7)::int < ? group by cluster, n order by cluster, n
"""


def lived(seed: int = 3) -> list[dict[str, Any]]:
    """Return what listeners did in two months: sessions, and what does not count."""
    rng = np.random.default_rng(seed)
    told: list[dict[str, Any]] = []
    for number in range(N_LISTENERS):
        # most come in five weeks, a few alone
        alone = number - (N_LISTENERS - len(WEEKS_ALONE))
        begin_d = 7 * (number % 5) + 2 if alone < 0 else 7 * WEEKS_ALONE[alone]
        at = START - timedelta(days=58 - begin_d, minutes=float(rng.uniform(0, 999)))
        while at < NOW:
            n = int(rng.integers(1, 14))
            told += _session(rng, f"u{number:03d}", CAMPS[number % 2], at, n)
            at = max(each["event_time"] for each in told[-n:])
            # now and then just within the pause, or just beyond it
            wait_s = rng.choice([1_800, 1_800.001, *rng.exponential(200_000, 6)])
            at += timedelta(seconds=float(wait_s) + 1_801 * float(rng.random() < 0.9))
    return told


def _session(
    rng: np.random.Generator, user_id: str, camp: str, at: datetime, n: int
) -> list[dict[str, Any]]:
    """Return what goes on in a session, and then the ends of its `n` plays."""
    heard_ms = HEARD_MS[rng.integers(len(HEARD_MS), size=n)]
    ends_ms = np.cumsum(heard_ms + rng.integers(1, 400_000, n)).tolist()
    ago_s = rng.uniform(0, 50, n).tolist()
    tracks = [f"{camp}{each}" for each in rng.integers(12, size=n)]
    ends = [ENDS[each] for each in np.searchsorted(ENDS_ODDS, rng.random(n))]
    others = [GO_ON[each] for each in rng.integers(len(GO_ON), size=n)]
    played_ms: list[int | None] = heard_ms.tolist()
    for odd in np.flatnonzero(rng.random(n) < 0.01).tolist():
        played_ms[odd] = None if rng.random() < 0.5 else 10**12
    times = [at + timedelta(milliseconds=each) for each in ends_ms]
    more = [at - timedelta(seconds=s) for at, s in zip(times, ago_s, strict=True)]
    went_on = [
        event(user_id, track_id, action, source=source, event_time=when)
        for track_id, (action, source), when in zip(tracks, others, more, strict=True)
    ]
    ended = [
        event(user_id, track_id, action, source=source, event_time=when, played_ms=ms)
        for track_id, (action, source), when, ms in zip(
            tracks, ends, times, played_ms, strict=True
        )
    ]
    return went_on + ended


def write_archive(home: Path, events: list[dict[str, Any]]) -> list[str]:
    """Write an archive as a crash may leave it: some events are there twice."""
    archive(home, [each for each in events if each["event_time"] < NOW])
    places = sorted((home / "events").glob("event_date=*"))
    for n, place in enumerate(places[::5]):
        whole = next(place.glob("[!._]*.parquet"))
        copy(whole, place / f"part-copy{n}.parquet")
    # the same event once more, later in Kafka and at another date
    moved = pq.read_table(next(places[20].glob("[!._]*.parquet")))[:40]
    assert len(moved) == 40
    at = moved.schema.get_field_index("offset")
    late = pa.array(range(10**9, 10**9 + len(moved)), moved.schema.field(at).type)
    pq.write_table(
        moved.set_column(at, moved.schema.field(at), late),
        places[29] / "part-later.parquet",
    )
    return [str(path) for path in (home / "events").rglob("[!._]*.parquet")]


def write_tastes(database: Database[Document], home: Path, n: int) -> None:
    """Write the index and catalogue of two camps, and who likes which."""
    rng = np.random.default_rng(5)
    names = [f"{camp}{k}" for camp in CAMPS for k in range(12)]
    rows = np.repeat(np.eye(2, 6), 12, axis=0) + rng.normal(0, 0.05, (24, 6))
    vectors = (rows / np.linalg.norm(rows, axis=1)[:, None]).astype(np.float32)
    write_track_index(home / "index", create_track_index("v1", names, vectors))
    tracks = [{"_id": name, "genre_ids": [name[:4]]} for name in names]
    store.upsert(database, store.TRACKS, tracks)
    genres = [{"_id": camp, "name": camp, "n_tracks": 12} for camp in CAMPS]
    store.upsert(database, store.GENRES, genres)
    tastes = [
        taste(f"u{k:03d}", 3 * vectors[12 * (k % 2)] + rng.normal(0, 0.1, 6))
        for k in range(n)
    ]
    tastes[0]["index_version"] = "of another space"
    tastes[1] = taste("u001", np.zeros(6))
    store.upsert(database, store.TASTES, [*tastes, taste("played nothing", vectors[0])])


def taste(user_id: str, vector: Any) -> Document:
    always = {"vector": [float(x) for x in vector], "weight": 1.0}
    return {"_id": user_id, "horizons": {"always": always}, "index_version": "v1"}


@pytest.fixture
def database(settings: Callable[..., Settings]) -> Iterator[Database[Document]]:
    found = store.connect(settings(prepared=True).mongo)
    yield found
    found.client.close()


def of_kind(database: Database[Document], kind: str) -> list[Document]:
    return list(database[store.POPULATION].find({"kind": kind}).sort("_id"))


def monday(value: date | datetime) -> datetime:
    return datetime(value.year, value.month, value.day, tzinfo=UTC)


def test_all_numbers_are_those_of_sql(
    spark: "SparkSession",
    settings: Callable[..., Settings],
    database: Database[Document],
) -> None:
    ours, events = settings(), lived()
    assert len(events) >= N
    files = write_archive(ours.home, events)
    write_tastes(database, ours.home, N_LISTENERS)
    summary = count_population(spark, ours, lambda: NOW)
    with duckdb.connect() as duck:
        duck.execute(PLAYS, [files])
        check_sessions(duck, of_kind(database, SESSIONS))
        check_cohorts(duck, of_kind(database, COHORT))
        tastes = {each["_id"]: each for each in database[store.TASTES].find()}
        check_clusters(duck, of_kind(database, CLUSTER), tastes)
    (run,) = of_kind(database, RUN)
    assert run["made_at"] == NOW
    assert summary["n_clusters"] >= 2
    found = [*database[store.POPULATION].find()]
    text = json.dumps(found, default=str, ensure_ascii=False)
    assert re.search(r"u\d{3}", text) is None
    before = [*database[store.POPULATION].find().sort("_id")]
    count_population(spark, ours, lambda: NOW)
    again = [*database[store.POPULATION].find().sort("_id")]
    assert [each["_id"] for each in again] == [each["_id"] for each in before]
    for one, other in zip(before, again, strict=True):
        center = one.pop("center", []), other.pop("center", [])
        assert np.allclose(*center)
        assert one == other


def check_sessions(duck: Any, documents: list[Document]) -> None:
    names = ("n_sessions", "n_listeners", "n_plays", "heard_ms", "length_ms")
    wanted = {}
    bounds = [0, *(60_000 * minutes for minutes in LENGTHS_MIN), 10**15]
    n_few = 0
    for day, *numbers, all_ms in duck.execute(SESSIONS_SQL).fetchall():
        if numbers[1] < LEAST:
            n_few += 1
            continue
        classes = np.histogram(all_ms, bounds)[0].tolist()
        wanted[monday(day)] = [*map(int, numbers), classes]
    assert n_few
    assert len(wanted) > 40
    assert all(sum(row[-1][place] for row in wanted.values()) for place in range(7))
    told = {
        each["day"]: [*(each[n] for n in names), each["lengths"]] for each in documents
    }
    assert told == wanted


def check_cohorts(duck: Any, documents: list[Document]) -> None:
    cells = {(a, b): n for a, b, n in duck.execute(COHORTS_SQL).fetchall()}
    sizes = {first: n for (first, week), n in cells.items() if first == week}
    few = {first for first, n in sizes.items() if n < LEAST}
    assert len(few) >= 2
    shown = {each["first_week"]: each for each in documents}
    assert {*shown} == {monday(first) for first in sizes if first not in few}
    n_hidden = n_told = 0
    for first in sorted({*sizes} - few):
        document = shown[monday(first)]
        assert document["n_listeners"] == sizes[first]
        for since, n in enumerate(document["played"]):
            wanted = cells.get((first, first + timedelta(weeks=since)), 0)
            if n is None:
                n_hidden += 1
                continue
            n_told += 1
            assert n == wanted
            assert n in (0, sizes[first]) or LEAST <= n <= sizes[first] - LEAST
    assert n_told > 15
    assert n_hidden


def check_clusters(
    duck: Any, documents: list[Document], tastes: dict[str, Document]
) -> None:
    assert len(documents) > 1
    assert all(each["n_listeners"] >= LEAST for each in documents)
    assert [each["number"] for each in documents] == [*range(len(documents))]
    sizes = [each["n_listeners"] for each in documents]
    assert sizes == sorted(sizes, reverse=True)
    # of two listeners nothing can be said
    assert sum(sizes) == N_LISTENERS - 2
    centres = np.array([each["center"] for each in documents])
    names = [f"u{k:03d}" for k in range(2, N_LISTENERS)]
    vectors = np.array([tastes[n]["horizons"]["always"]["vector"] for n in names])
    nearest = (vectors @ centres.T).argmax(axis=1)
    duck.register("members", pa.table({"user_id": names, "cluster": nearest}))
    wanted = duck.execute(CLUSTERS_SQL).fetchall()
    fields = ("number", "n_listeners", "n_plays", "n_skipped")
    assert [tuple(each[name] for name in fields) for each in documents] == wanted
    for each in documents:
        (camp,) = each["genre_ids"]
        assert all(track[:4] == camp for track in each["track_ids"])
    n_told = n_hidden = 0
    for cluster, since, could, did in duck.execute(KEPT_SQL, [LAST_WEEK]).fetchall():
        kept = documents[cluster]["retained"]
        share = kept[since] if since < len(kept) else None
        n_hidden += share is None
        if share is not None:
            n_told += 1
            assert share == round(did / could, 2)
            assert could >= LEAST
            assert did in (0, could) or LEAST <= did <= could - LEAST
    assert n_told > 10
    assert n_hidden


def test_few_listeners_are_one_cluster_at_the_middle_of_their_tastes(
    spark: "SparkSession",
    settings: Callable[..., Settings],
    database: Database[Document],
) -> None:
    ours = settings()
    # of the first two nothing can be said
    n = 14
    archive(ours.home, [event(f"u{k:03d}", "jazz0") for k in range(n)])
    write_tastes(database, ours.home, n)
    assert count_population(spark, ours, lambda: NOW)["n_clusters"] == 1
    (only,) = of_kind(database, CLUSTER)
    assert only["n_listeners"] == 12
    names = [f"u{k:03d}" for k in range(2, n)]
    tastes = {each["_id"]: each for each in database[store.TASTES].find()}
    vectors = np.array([tastes[k]["horizons"]["always"]["vector"] for k in names])
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    mean = vectors.mean(axis=0)
    assert np.allclose(only["center"], mean / np.linalg.norm(mean))
    # of four nothing is told
    database[store.TASTES].delete_many({"_id": {"$gte": "u006"}})
    count_population(spark, ours, lambda: NOW)
    assert of_kind(database, CLUSTER) == []


def test_who_is_gone_is_out_with_the_next_run(
    spark: "SparkSession",
    settings: Callable[..., Settings],
    database: Database[Document],
) -> None:
    ours = settings()
    here = [event(f"u{n}", "jazz0") for n in range(6)]
    old = [
        event(f"u{n}", "jazz0", event_time=START - timedelta(days=400))
        for n in range(5)
    ]
    archive(ours.home, [*here, *old])
    summary = count_population(spark, ours, lambda: NOW)
    # of the six one is new: nothing may be told of that week
    assert [each["n_listeners"] for each in of_kind(database, COHORT)] == []
    assert (summary["n_dates"], summary["n_clusters"]) == (2, 0)
    for path in (ours.home / "events").rglob("*.parquet"):
        path.unlink()
    archive(ours.home, [each for each in (*here, *old) if each["user_id"] != "u0"])
    count_population(spark, ours, lambda: NOW)
    assert [each["n_listeners"] for each in of_kind(database, SESSIONS)] == [5]
    for path in (ours.home / "events").rglob("*.parquet"):
        path.unlink()
    assert count_population(spark, ours, lambda: NOW)["n_dates"] == 0
    (only,) = database[store.POPULATION].find()
    assert only["_id"] == RUN
    assert not [*(ours.home / "population").glob("*/")]


def test_without_mongodb_it_says_so(spark: "SparkSession", tmp_path: Path) -> None:
    ours = Settings(home=tmp_path, mongo=MongoSettings(uri=None))
    with pytest.raises(MongoUnreachableError, match="where the counts go"):
        count_population(spark, ours)
    away = {"uri": f"mongodb://127.0.0.1:{free_port()}", "timeout_ms": 100}
    ours = Settings.model_validate({"home": tmp_path, "mongo": away})
    with pytest.raises(MongoUnreachableError):
        count_population(spark, ours)
