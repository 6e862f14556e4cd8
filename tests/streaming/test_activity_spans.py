"""Spans that are written beside the archive against SQL over its files."""

import time
from collections.abc import Collection, Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from click.testing import CliRunner
from pymongo.database import Database

from models.forgetting import forget_rule
from segue import activity, store
from segue.activity import Level
from segue.cli import main
from segue.clock import fixed_clock
from segue.events import Scope
from segue.packed import Packed
from segue.settings import Settings
from soaks.counted_by_sql import Counted, Key, counts_by_sql, counts_stored, differences
from streaming.activity_due import every_due, first_due, note_due, settle
from streaming.activity_rebuild import rebuild_activity
from streaming.activity_spans import Activity, activity_of, counted_level
from streaming.archive import append
from streaming.archive_files import files_of, held, place_of
from streaming.archive_forgetting import forget_on
from streaming.rolling import roll, rolling_activity
from tests.conftest import SettingsFactory
from tests.streaming.test_archive import SCHEMA, row

pytestmark = pytest.mark.mongo

NOW = datetime(2026, 5, 3, 22, 10, 30, tzinfo=UTC)
AGES = [0, 2, 3, 90, 91]
ACTIONS = ["started", "progressed", "completed", "skipped", "liked", "disliked"]
SOURCES = [
    None,
    '{"surface":"player","list_id":"ada@1","rank":3}',
    '{"surface":"radio","end":"closed"}',
    '{"surface":7,"end":{},"list_id":[]}',
]


class Archive:
    """An archive with its spans, and a clock that can be set."""

    def __init__(self, settings: Settings, database: Database[store.Document]) -> None:
        self.settings, self.database = settings, database
        self.now = NOW
        self.activity = activity_of(settings, database, lambda: self.now)
        self._offset = 0

    def add(self, rows: Iterable[dict[str, Any]]) -> None:
        """Add events as the archive's tasks do, a date after the other."""
        table = pa.Table.from_pylist([*rows], schema=SCHEMA)
        dates = np.array([at.date() for at in table["event_time"].to_pylist()])
        for day in sorted(set(dates)):
            some = table.filter(dates == day)
            with held(self.activity.folder, day.isoformat()):
                append(self.activity.folder, day, some, 3)
                self.activity.count_at(day, some["event_time"])

    def roll(self) -> None:
        """Write all that is due."""
        for level in Level:
            for due in every_due(self.database, level):
                roll(self.activity, due)
        assert self.database[store.ACTIVITY_DUE].find_one() is None

    def assert_right(self) -> None:
        files = sorted(self.activity.folder.rglob("[!._]*.parquet"))
        wanted = counts_by_sql(files, self.database, self.now)
        assert wanted
        assert differences(counts_stored(self.database), wanted) == []


@pytest.fixture
def archive(settings: SettingsFactory, database: Database[store.Document]) -> Archive:
    tracks: list[store.Document] = [
        {"_id": "t0", "artist_id": "ann", "genre_ids": ["folk", "rock"]},
        {"_id": "t1", "artist_id": "ann", "genre_ids": []},
        {"_id": "t2", "artist_id": None, "genre_ids": ["rock", "rock"]},
    ]
    database[store.TRACKS].insert_many(tracks)
    # without the job that deletes what expires: the clock of these tests stands still
    database[store.ACTIVITY].drop_indexes()
    return Archive(settings(), database)


def events(
    n: int, rng: np.random.Generator, at: datetime, within: timedelta, first: int = 0
) -> list[dict[str, Any]]:
    """Return rows of the archive whose times lie in the span before `at`."""
    return [
        row(
            f"e{first + number}",
            first + number,
            f"u{rng.integers(9)}",
            track_id=f"t{rng.integers(5)}",
            action=str(rng.choice(ACTIONS)),
            played_ms=[None, int(rng.integers(90_000))][int(rng.integers(2))],
            duration_ms=[None, 0, 60_000][int(rng.integers(3))],
            source=SOURCES[int(rng.integers(4))],
            event_time=at - float(rng.random()) * within,
        )
        for number in range(n)
    ]


@pytest.fixture
def filled(archive: Archive, rng: np.random.Generator) -> Archive:
    for number, age in enumerate(AGES):
        at = NOW - timedelta(days=age)
        archive.add(events(60, rng, at, timedelta(hours=2), 1_000 * number))
    return archive


def test_every_level_says_what_sql_says_of_the_archive(filled: Archive) -> None:
    filled.roll()
    filled.assert_right()


def test_more_events_copies_and_batches_that_run_again_change_what_they_must(
    filled: Archive, rng: np.random.Generator
) -> None:
    filled.roll()
    more = events(60, rng, NOW, timedelta(hours=30), 50_000)
    filled.add([*more, *more[:20]])
    filled.add(more[10:30])
    filled.roll()
    filled.assert_right()


def killed(*_: Any) -> None:
    raise KeyboardInterrupt


@pytest.mark.parametrize("before", ["count_at", "_write", "_delete", "_note_longer"])
def test_a_batch_that_is_killed_repairs_when_it_runs_again(
    archive: Archive,
    rng: np.random.Generator,
    monkeypatch: pytest.MonkeyPatch,
    before: str,
) -> None:
    archive.add(events(30, rng, NOW, timedelta(minutes=5)))
    archive.roll()
    more = events(30, rng, NOW, timedelta(minutes=5), 50_000)
    with monkeypatch.context() as broken:
        broken.setattr(Activity, before, killed)
        with pytest.raises(KeyboardInterrupt):
            archive.add(more)
    archive.add(more)
    archive.roll()
    archive.assert_right()


@pytest.mark.parametrize("before", ["_write", "_note_longer"])
def test_who_is_killed_while_rolling_leaves_it_due(
    archive: Archive,
    rng: np.random.Generator,
    monkeypatch: pytest.MonkeyPatch,
    before: str,
) -> None:
    archive.add(events(30, rng, NOW, timedelta(minutes=5)))
    with monkeypatch.context() as broken:
        broken.setattr(Activity, before, killed)
        with pytest.raises(KeyboardInterrupt):
            archive.roll()
    archive.roll()
    archive.assert_right()


def test_what_is_forgotten_leaves_the_spans(filled: Archive) -> None:
    filled.roll()
    forget(filled, "u1")
    filled.roll()
    filled.assert_right()


def forget(archive: Archive, user_id: str) -> None:
    rule = forget_rule(Scope.EVERYTHING, NOW, None, "p", "s", [])
    for place in archive.activity.folder.glob("event_date=*"):
        forget_on(place, {user_id: (rule,)}, archive.activity)


def test_a_forgetting_that_is_killed_leaves_its_spans_due(
    filled: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    filled.roll()

    with monkeypatch.context() as broken:
        broken.setattr(Activity, "count", killed)
        with pytest.raises(KeyboardInterrupt):
            forget(filled, "u2")
    # run again, nothing is found any more that would tell the spans
    forget(filled, "u2")
    filled.roll()
    filled.assert_right()


def test_spans_whose_events_are_all_gone_are_gone(
    archive: Archive, rng: np.random.Generator
) -> None:
    archive.add(
        each | {"user_id": "ada"} for each in events(40, rng, NOW, timedelta(minutes=9))
    )
    archive.roll()
    assert archive.database[store.ACTIVITY].find_one() is not None
    forget(archive, "ada")
    archive.roll()
    assert archive.database[store.ACTIVITY].find_one() is None


@pytest.mark.parametrize("days_later", [1, 2, 3, 87, 91])
def test_spans_that_were_due_when_the_stream_ended_are_right_whenever_it_goes_on(
    filled: Archive, days_later: int
) -> None:
    filled.now += timedelta(days=days_later)
    expire(filled)
    filled.roll()
    expire(filled)
    files = sorted(filled.activity.folder.rglob("[!._]*.parquet"))
    wanted = counts_by_sql(files, filled.database, filled.now)
    stored = counts_stored(filled.database)
    longer = {each for each in wanted if each.level in (Level.DAY, Level.MONTH)}
    assert longer
    assert_equal_on(longer, stored, wanted)
    # what is kept besides is right, too
    assert_equal_on(stored.keys() & wanted.keys(), stored, wanted)


def assert_equal_on(keys: Collection[Key], stored: Counted, wanted: Counted) -> None:
    some = ({each: told[each] for each in keys} for told in (stored, wanted))
    assert differences(*some) == []


def expire(archive: Archive) -> None:
    """Delete what MongoDB would have deleted."""
    gone = {"expires_at": {"$lte": archive.now}}
    archive.database[store.ACTIVITY].delete_many(gone)


def test_a_rebuild_makes_all_of_an_archive_that_had_no_spans(filled: Archive) -> None:
    filled.database[store.ACTIVITY].delete_many({})
    filled.database[store.ACTIVITY_DUE].delete_many({})
    clock = fixed_clock(NOW)
    dates = [NOW.date() - timedelta(days=age) for age in AGES]
    n_dates = rebuild_activity(
        filled.settings, filled.database, min(dates), max(dates), clock
    )
    assert n_dates == len(AGES)
    filled.assert_right()


def test_a_rebuild_takes_away_what_the_archive_does_not_say(filled: Archive) -> None:
    filled.roll()
    days = [NOW.date() - timedelta(days=age) for age in (0, 3, 91)]
    for day in days:
        for path in files_of(place_of(filled.activity.folder, day)):
            Path(path).unlink()
    rebuild_activity(
        filled.settings, filled.database, min(days), max(days), fixed_clock(NOW)
    )
    filled.assert_right()


def test_the_command_counts_some_dates_of_the_archive(filled: Archive) -> None:
    for name in (store.ACTIVITY, store.ACTIVITY_DUE):
        filled.database[name].delete_many({})
    days = [(NOW - timedelta(days=age)).date().isoformat() for age in (91, 3)]
    asked = ["activity", "rebuild", "--from", days[0], "--to", days[1]]
    done = CliRunner().invoke(main, asked, obj=filled.settings)
    assert (done.exit_code, done.stdout) == (0, "3 dates counted\n"), done.output
    counted = filled.database[store.ACTIVITY].distinct("start", {"level": Level.DAY})
    assert [start.date().isoformat() for start in counted][:: len(counted) - 1] == days
    refused = ["activity", "rebuild", "--from", days[1], "--to", days[0]]
    told = CliRunner().invoke(main, refused, obj=filled.settings)
    assert told.exit_code == 2
    assert f"--from {days[1]} lies after --to {days[0]}" in told.output


def test_a_note_goes_only_if_nobody_noted_the_span_since(
    database: Database[store.Document],
) -> None:
    note_due(database, Level.HOUR, [NOW], NOW)
    due = first_due(database, NOW)
    assert due is not None
    note_due(database, Level.HOUR, [NOW], NOW + timedelta(days=1))
    settle(database, [due])
    again = first_due(database, NOW)
    assert again is not None
    assert again.note != due.note
    assert first_due(database, NOW - timedelta(seconds=1)) is None
    settle(database, [again])
    assert first_due(database, NOW) is None


def test_who_rolls_goes_on_with_others_where_one_cannot_be_written(
    filled: Archive, caplog: pytest.LogCaptureFixture
) -> None:
    broken = datetime(2026, 1, 2, 3, tzinfo=UTC)
    place = place_of(filled.activity.folder, broken.date())
    place.mkdir()
    (place / "part-x.parquet").write_bytes(b"no parquet")
    note_due(filled.database, Level.HOUR, [broken], NOW - timedelta(days=1))
    left: list[datetime] = []
    settings = with_no_waits(filled.settings)
    rolling = rolling_activity(filled.database, settings, lambda: filled.now)
    deadline = time.monotonic() + 60
    while left != [broken] and time.monotonic() < deadline:
        filled.now += timedelta(milliseconds=50)
        rolling.look()
        left = [e.start for level in Level for e in every_due(filled.database, level)]
    assert left == [broken]
    assert "hour|2026-01-02T03:00:00.000Z" in caplog.text
    rolling.look()
    assert caplog.text.count("hour|2026-01-02") == 1


def with_no_waits(settings: Settings) -> Settings:
    stream = settings.stream.model_copy(update={"hours_wait_s": 0.0})
    return settings.model_copy(update={"stream": stream})


@pytest.mark.parametrize(
    ("age_d", "level"),
    [(0, "minute"), (2, "minute"), (3, "hour"), (90, "hour"), (91, "day")],
)
def test_a_date_is_counted_by_the_shortest_span_of_which_something_is_left(
    age_d: int, level: str
) -> None:
    day = NOW.date() - timedelta(days=age_d)
    for now in (NOW.replace(hour=0, minute=0, second=0), NOW):
        assert counted_level(day, now) == level


def test_documents_stay_below_what_mongodb_takes(
    database: Database[store.Document], rng: np.random.Generator
) -> None:
    """Parts end by bytes, too: sketches of many listeners are 2 KB each."""
    sketch = Packed.of([rng.bytes(3_000)] * 12_000)
    n = len(sketch)
    columns = {name: np.ones(n, np.int64) for name in activity.COUNTS}
    columns |= {name: np.ones((n, 20), np.int64) for name in activity.SHARES}
    keys = Packed.of(f"{number}".encode() for number in range(n))
    cells = activity.Cells(np.arange(n), columns, keys, sketch)
    parts = [*activity.documents(Level.DAY, NOW, activity.Kind.TRACK, cells, {})]
    assert len(parts) > 2
    database[store.ACTIVITY].insert_many(parts)
    read = activity.added([*map(activity.cells_of, database[store.ACTIVITY].find())])
    assert read.codes.tolist() == list(range(n))
