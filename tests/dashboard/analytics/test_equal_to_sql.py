"""Numbers of the pages against SQL over the archive, of 200,000 simulated events.

They go through the archive and are counted as the stream's tasks do; what the pages
then answer has to be what DuckDB computes from the same files.
"""

import json
import uuid
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from pydantic import SecretStr
from pymongo.asynchronous.database import AsyncDatabase

from dashboard.analytics import chosen_track, now, tracks
from dashboard.analytics.answers import Answers
from dashboard.analytics.questions import Question, parse
from dashboard.analytics.times import TimeRange
from segue import indexes, store
from segue.activity import Kind, Level
from segue.settings import Settings
from segue.sketches import STANDARD_ERROR
from segue.store import Document
from soaks.counted_by_sql import KEYED, read_events
from streaming.activity_due import every_due
from streaming.activity_spans import Activity, activity_of
from streaming.archive import append
from streaming.archive_files import held
from streaming.rolling import roll
from tests.dashboard.site import read
from tests.streaming.test_archive import SCHEMA

pytestmark = pytest.mark.mongo

# of today: MongoDB takes away what is kept for days only, by its own clock
NOW = datetime.now(UTC).replace(microsecond=0)
N, N_LISTENERS, N_TRACKS = 200_000, 3_000, 800
# ages of which there are some: those of minutes, of hours and of days
AGES = (
    (timedelta(0), timedelta(hours=3), 0.6),
    (timedelta(days=4), timedelta(days=8), 0.3),
    (timedelta(days=200), timedelta(days=203), 0.1),
)
ACTIONS = ("started", "completed", "skipped", "liked", "disliked", "progressed")
ODDS = (0.42, 0.3, 0.16, 0.03, 0.02, 0.07)
SOURCES = [
    json.dumps(told)
    for told in (
        {"surface": "home", "list_id": "ada@1", "rank": 1},
        {"surface": "search", "end": "closed"},
        {"surface": "radio", "list_id": "", "end": "killed"},
        {"surface": "x" * 65, "list_id": 7, "end": "closed"},
    )
]
COUNTS = ("n_started", "n_completed", "n_skipped", "n_left", "heard_ms")
SUMS = """
    count(*) filter (where is_end) as n_plays,
    count(*) filter (where action = 'started') as n_started,
    count(*) filter (where action = 'completed') as n_completed,
    count(*) filter (where action = 'skipped') as n_skipped,
    count(*) filter (where action = 'progressed') as n_left,
    coalesce(sum(heard_ms) filter (where is_end), 0)::bigint as heard_ms,
    count(distinct user_id) as n_listeners
"""


def made() -> pa.Table:
    """Return the events, in the archive's columns."""
    rng = np.random.default_rng(11)
    ago_s = np.concatenate(
        [
            rng.uniform(newest.total_seconds(), oldest.total_seconds(), int(N * share))
            for newest, oldest, share in AGES
        ]
    )
    n = len(ago_s)
    at_ms = (NOW.timestamp() * 1000 - ago_s * 1000).astype(np.int64)
    at = pa.array(at_ms * 1000, pa.timestamp("us", "UTC"))
    duration_ms = rng.integers(60_000, 300_000, n)
    names = [f"listener-{each}" for each in range(N_LISTENERS)]
    ids = [f"t{each}" for each in range(N_TRACKS)]
    told = {
        "event_id": pa.array([f"e{each}" for each in range(n)]),
        "user_id": pa.array(names).take(pa.array(rng.integers(N_LISTENERS, size=n))),
        "track_id": pa.array(ids).take(pa.array(rng.zipf(1.2, n) % N_TRACKS)),
        "action": pa.array(ACTIONS).take(pa.array(rng.choice(len(ODDS), n, p=ODDS))),
        "played_ms": pa.array((duration_ms * rng.beta(0.6, 0.5, n)).astype(np.int64)),
        "duration_ms": pa.array(duration_ms),
        "event_time": at,
        "ingested_at": at,
        "source": pa.array(SOURCES).take(pa.array(rng.integers(len(SOURCES), size=n))),
        "topic": pa.array(["playback.events"] * n),
        "partition": pa.array(np.zeros(n, np.int64)),
        "offset": pa.array(np.arange(n)),
    }
    columns = {
        field.name: told[field.name].cast(field.type)
        if field.name in told
        else pa.nulls(n, field.type)
        for field in SCHEMA
    }
    return pa.table(columns, schema=SCHEMA)


def take_in(activity: Activity, events: pa.Table) -> None:
    """Archive and count them, as the stream's tasks do, in two batches."""
    days = pc.cast(events["event_time"], pa.date32())
    half = pc.less(events["offset"], N // 2)
    for day in pc.unique(days).to_pylist():
        for batch in (half, pc.invert(half)):
            some = events.filter(pc.and_(pc.equal(days, day), batch))
            if len(some):
                with held(activity.folder, day.isoformat()):
                    append(activity.folder, day, some, 48)
                    activity.count_at(day, some["event_time"])
    for level in Level:
        for due in every_due(activity.database, level):
            roll(activity, due)


@pytest.fixture(scope="module")
def ours(
    mongo_uri: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Settings]:
    named = f"t{uuid.uuid4().hex}"
    told = {"mongo": {"uri": SecretStr(mongo_uri), "database": named}}
    home = tmp_path_factory.mktemp("home")
    settings = Settings.model_validate({"home": home, **told})
    database = store.connect(settings.mongo)
    indexes.prepare(database)
    store.upsert(database, store.TRACKS, map(_track, range(0, N_TRACKS, 2)))
    take_in(activity_of(settings, database, lambda: NOW), made())
    yield settings
    database.client.drop_database(named)
    database.client.close()


@pytest.fixture(scope="module")
def duck(ours: Settings) -> Iterator[duckdb.DuckDBPyConnection]:
    """Tables of the archive's events and of the tracks."""
    database = store.connect(ours.mongo)
    files = sorted(Path(ours.home / "events").rglob("[!._]*.parquet"))
    with duckdb.connect() as connection:
        read_events(connection, files, database)
        yield connection
    database.client.close()


def _track(number: int) -> Document:
    """Return a track of several styles; each other one is in no catalogue."""
    return {
        "_id": f"t{number}",
        "title": f"Track {number}",
        "artist_id": f"artist{number % 37}" if number % 7 else None,
        "genre_ids": [f"style{number % k}" for k in (3, 5, 8)][: number % 4],
        "duration_s": 200.0,
    }


def answered(ours: Settings, query: str, ask: Callable[..., Any]) -> Any:
    question: Question = parse(query, "24h", NOW)

    async def run(database: AsyncDatabase[Document]) -> Any:
        answers = Answers(database)
        time = await answers.time_of(question, NOW)
        return time, await ask(answers, question, NOW)

    return read(ours, run)


def within(time: TimeRange) -> str:
    start, end = (f"'{each:%Y-%m-%d %H:%M:%S}'" for each in (time.start, time.end))
    return f"said_at >= {start} and said_at < {end}"


def rows_of(duck: duckdb.DuckDBPyConnection, query: str) -> list[dict[str, Any]]:
    duck.execute(query)
    names = [column[0] for column in duck.description or ()]
    return [dict(zip(names, row, strict=True)) for row in duck.fetchall()]


def test_as_many_events_are_archived_as_were_made(
    duck: duckdb.DuckDBPyConnection, ours: Settings
) -> None:
    n = rows_of(duck, "select count(*) as n from told")[0]["n"]
    assert n == N


@pytest.mark.parametrize(
    "filtered", ["", "surface=radio", "style=style2", "artist=artist4"]
)
@pytest.mark.parametrize("name", ["1h", "24h", "7d", "30d", "all"])
def test_plays_over_time(
    ours: Settings, duck: duckdb.DuckDBPyConnection, name: str, filtered: str
) -> None:
    time, told = answered(ours, f"range={name}&{filtered}", now.plays_file)
    of, _, key = filtered.partition("=")
    chosen = f"key = '{key}' and {within(time)}"
    found = rows_of(
        duck,
        f"select date_trunc('{time.level}', said_at) as start, {SUMS} "
        f"from ({KEYED[Kind(of or 'all')]}) where {chosen} group by 1",
    )
    by_start = {row["start"].replace(tzinfo=UTC): row for row in found}
    assert sum(row["n_plays"] for row in found) > 0
    assert by_start.keys() <= set(told["start"])
    for place, start in enumerate(told["start"]):
        wanted = by_start.get(start, {})
        for column in ("n_plays", *COUNTS):
            assert told[column][place] == wanted.get(column, 0), (start, column)


@pytest.mark.parametrize("name", ["6h", "7d", "all"])
@pytest.mark.parametrize("of", ["tracks", "artists", "styles", "surfaces"])
def test_rankings(
    ours: Settings, duck: duckdb.DuckDBPyConnection, of: str, name: str
) -> None:
    time, told = answered(ours, f"range={name}&of={of}", tracks.file)
    found = rows_of(
        duck,
        f"select key, {SUMS} from ({KEYED[tracks.TABLES[of]]}) "
        f"where {within(time)} group by key having n_plays > 0",
    )
    by_key = {row["key"]: row for row in found}
    assert len(told["key"]) == len(by_key)
    plays = list(told["n_plays"])
    assert plays == sorted(plays, reverse=True)
    for place, key in enumerate(told["key"]):
        for column in ("n_plays", *COUNTS):
            assert told[column][place] == by_key[key][column], (key, column)
        n_who = by_key[key]["n_listeners"]
        # the stated error is that of one in three
        near = pytest.approx(n_who, rel=4 * STANDARD_ERROR, abs=0.5)
        assert told["n_listeners"][place] == near, key


@pytest.mark.parametrize("name", ["6h", "30d"])
def test_where_a_track_is_left(
    ours: Settings, duck: duckdb.DuckDBPyConnection, name: str
) -> None:
    time, told = answered(ours, f"range={name}&track=t1", chosen_track.file)
    found = rows_of(
        duck,
        "select twentieth, count(*) as n_ended, "
        "count(*) filter (where action = 'skipped') as n_skipped from events "
        f"where is_end and track_id = 't1' and {within(time)} group by 1",
    )
    by_place = {row["twentieth"]: row for row in found}
    total, gone = sum(row["n_ended"] for row in found), 0
    assert total > 1_000
    for place in range(20):
        wanted = by_place.get(place, {"n_ended": 0, "n_skipped": 0})
        assert told["n_ended"][place] == wanted["n_ended"]
        assert told["n_skipped"][place] == wanted["n_skipped"]
        assert told["still_listening"][place] == pytest.approx(1 - gone / total)
        gone += wanted["n_ended"]
