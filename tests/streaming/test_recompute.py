"""Out of the archive: the same panes, days, tastes and lists as the stream wrote."""

import json
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pytest
from click.testing import CliRunner
from pymongo.database import Database

from models.forgetting import forget_rule
from segue import store
from segue.cli import main
from segue.clock import system_clock
from segue.events import Action, PlaybackEvent, Scope
from segue.settings import Settings
from segue.track_index import write_track_index
from streaming.archive import append
from streaming.listens import HEARD
from streaming.panes import DAY_S
from streaming.rebuild import rebuild
from streaming.said import write_said
from streaming.schemas import COORDINATES, EVENT_FIELDS, OTHER_FIELDS
from tests.conftest import SettingsFactory
from tests.factories import START, create_event, create_index, seconds
from tests.streaming.test_updating import arrive, some_events

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

pytestmark = pytest.mark.mongo

INDEX = create_index()
DAY = timedelta(days=1)
SOON, LATE = seconds(1), seconds(5000)
NAMES = [field.name for field in (*EVENT_FIELDS, *OTHER_FIELDS)]
SAID = (store.REACTIONS, store.BLOCKS)
WRITTEN = (
    *(store.TASTE_WINDOWS, store.TASTE_DAYS, store.TASTES, store.RECOMMENDATIONS),
    *SAID,
)


@pytest.fixture
def ready(settings: SettingsFactory) -> Settings:
    made = settings()
    write_track_index(made.home / "index", INDEX)
    return made


def archive(
    settings: Settings,
    events: list[PlaybackEvent],
    late: set[str] = frozenset(),  # type: ignore[assignment]
) -> None:
    """Archive events as the query `intake` does, in the order of their offsets."""
    rows = [
        {
            name: getattr(event, name)
            for name in NAMES
            if name not in ("source", "extra")
        }
        | {"source": None, "extra": None}
        | {"topic": settings.kafka.events_topic, "partition": 0, "offset": offset}
        | {
            "ingested_at": event.event_time
            + seconds(1 + 5000 * (event.event_id in late))
        }
        for offset, event in enumerate(events)
    ]
    from pyspark.sql.pandas.types import to_arrow_schema
    from pyspark.sql.types import StructType

    shape = StructType([*EVENT_FIELDS, *OTHER_FIELDS, *COORDINATES])
    table = pa.Table.from_pylist(rows, schema=to_arrow_schema(shape, timezone="UTC"))
    for day in sorted({event.event_time.date() for event in events}):
        here = [row["event_time"].date() == day for row in rows]
        append(settings.home / "events", day, table.filter(here), 48)


def documents(database: Database[store.Document]) -> dict[str, list[store.Document]]:
    """Return all that was written, but for when it was and what it changed."""
    passing = {"updated_at", "diff"}
    return {
        name: [
            {key: value for key, value in each.items() if key not in passing}
            for each in database[name].find().sort("_id")
        ]
        for name in WRITTEN
    }


@pytest.mark.spark
def test_what_is_recomputed_is_what_the_stream_wrote(
    ready: Settings,
    database: Database[store.Document],
    spark: "SparkSession",
    rng: np.random.Generator,
) -> None:
    from streaming.recompute import recompute

    events = some_events(60, rng, DAY * 6)
    late = [*some_events(8, rng, DAY * 5)]
    bob = [event._replace(user_id="bob") for event in some_events(20, rng, DAY * 3)]
    archive(ready, [*events, *late, *bob], {event.event_id for event in late})
    arrive(database, events, events)
    arrive(database, bob, bob, user_id="bob")
    arrive(database, late, late, DAY_S, is_late=True)
    write_said(database, (event._asdict() for event in [*events, *late, *bob]))
    expected = documents(database)
    assert len(expected[store.RECOMMENDATIONS]) == 2
    assert all(expected[name] for name in SAID)
    for name in (*WRITTEN, store.TASTE_PAST):
        database[name].delete_many({})
    first, last = START.date(), (START + DAY * 7).date()
    done = recompute(spark, ready, first, last, system_clock)
    left_since = datetime.fromisoformat(done.pop("left_since"))
    assert timedelta() < system_clock() - left_since < timedelta(hours=1)
    assert done == {
        "n_dates": len({e.event_time.date() for e in [*events, *late, *bob]}),
        "n_panes": len(expected[store.TASTE_WINDOWS]),
        "n_lists": 2,
    }
    told = [e for e in [*events, *late, *bob] if e.action in HEARD]
    heard = {f"{event.user_id}|{event.play_id}" for event in told}
    assert {each["_id"] for each in database[store.LISTENS].find()} == heard
    assert documents(database) == expected
    # and once more, over what is there
    recompute(spark, ready, first, last, system_clock)
    assert documents(database) == expected


@pytest.mark.spark
def test_counts_that_the_archive_does_not_have_stay(
    ready: Settings, database: Database[store.Document], spark: "SparkSession"
) -> None:
    from streaming.recompute import recompute

    event = create_event()
    archive(ready, [event])
    arrive(database, [event, event, event], [event])
    (before,) = database[store.TASTE_WINDOWS].find()
    assert before["n_duplicates"] == 2
    assert recompute(spark, ready, START.date(), START.date())["n_panes"] == 1
    (after,) = database[store.TASTE_WINDOWS].find()
    assert after | {"updated_at": None} == before | {"updated_at": None}


@pytest.mark.spark
def test_open_panes_are_left_to_the_stream(
    ready: Settings, database: Database[store.Document], spark: "SparkSession"
) -> None:
    from streaming.recompute import recompute

    archive(ready, [create_event()])
    soon: datetime = START + seconds(600)
    done = recompute(spark, ready, START.date(), START.date(), lambda: soon)
    assert done["n_panes"] == 0
    nothing = recompute(spark, ready, START.date() + DAY, START.date() + 2 * DAY)
    assert (nothing["n_dates"], nothing["n_panes"], nothing["n_lists"]) == (0, 0, 0)


def test_taste_and_list_are_rebuilt_as_of_any_instant(
    ready: Settings, database: Database[store.Document], rng: np.random.Generator
) -> None:
    events = sorted(some_events(50, rng, DAY * 8), key=lambda event: event.event_time)
    archive(ready, events)
    for n in (5, 20, 21, 49, 50):
        arrive(database, events[:n], events[:n])
        at = events[n - 1].event_time
        made = rebuild("ada", at, INDEX, ready, system_clock, database)
        (stored,) = database[store.RECOMMENDATIONS].find()
        (taste,) = database[store.TASTES].find()
        assert made.lists[0]["items"] == approximately(stored["items"])
        assert made.tastes[0]["horizons"] == approximately(taste["horizons"])
    assert rebuild("ada", START - DAY, INDEX, ready, system_clock, None).lists == []
    assert rebuild("eve", at, INDEX, ready, system_clock, database).lists == []


def approximately(value: Any) -> Any:
    """Return what equals `value` but for rounding."""
    if isinstance(value, dict):
        return {name: approximately(each) for name, each in value.items()}
    if isinstance(value, list):
        return [approximately(each) for each in value]
    return pytest.approx(value, abs=1e-9) if isinstance(value, float) else value


def test_what_is_forgotten_counts_at_no_instant(
    ready: Settings, database: Database[store.Document]
) -> None:
    events = [create_event(track_id=f"t00{n}", at=START + seconds(n)) for n in range(3)]
    archive(ready, events)
    rule = forget_rule(Scope.TRACK, START + DAY, None, "p", "s", ["t001"])
    database[store.FORGETS].insert_one(
        {
            "_id": "ada|f",
            "user_id": "ada",
            "scope": "track",
            "said_at": rule.until,
            "until": None,
            "play_id": "p",
            "session_id": "s",
            "track_ids": ["t001"],
            "done_at": START,
        }
    )
    made = rebuild("ada", START + DAY, INDEX, ready, system_clock, database)
    assert made.tastes[0]["horizons"]["now"]["n_listens"] == 2


def test_the_verb_shows_what_is_and_what_was(
    ready: Settings, database: Database[store.Document]
) -> None:
    heard = [create_event(track_id=f"t00{n}", at=START + DAY * n) for n in range(3)]
    archive(ready, heard)
    arrive(database, heard, heard)

    def run(*args: str, code: int = 0) -> str:
        result = CliRunner().invoke(main, ["taste", *args], obj=ready)
        assert result.exit_code == code, result.output
        return result.output

    now = json.loads(run("ada", "--json"))
    assert now["newest_event_at"] == "2026-05-05T22:10:00.000Z"
    assert now["horizons"]["always"]["n_listens"] == 3
    then = json.loads(run("ada", "--at", "2026-05-03T22:10Z", "--json"))
    assert then["horizons"]["always"]["n_listens"] == 1
    assert [seed["track_id"] for seed in then["seeds"]] == ["t000"]
    assert "now" in run("ada", "--at", "2026-05-04")
    assert "nothing is known of listener 'eve'" in run("eve", code=1)
    assert "up to 2026-05-03T22:09" in run("ada", "--at", "2026-05-03T22:09Z", code=1)
    assert "want one like 2026-05-03T22:10Z" in run("ada", "--at", "soon", code=2)


def test_recompute_says_what_it_wants(tmp_path: Any) -> None:
    empty = Settings(home=tmp_path)
    result = CliRunner().invoke(main, ["recompute"], obj=empty)
    assert result.exit_code == 2
    assert "no events are archived" in result.output
    archive(empty, [create_event(Action.STARTED)])
    wrong = ["recompute", "--from", "2026-05-04", "--to", "2026-05-03"]
    result = CliRunner().invoke(main, wrong, obj=empty)
    assert "--from 2026-05-04 lies after --to 2026-05-03" in result.output
