"""Imports: every line counted once, and nothing added by a second one."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pymongo.database import Database

from segue import store
from segue.cli import main
from segue.clock import fixed_clock
from segue.errors import HistoryError
from segue.events import Action, PlaybackEvent, parse_event
from segue.settings import Settings
from segue.track_names import is_name_id, name_id_of
from streaming.importers.ledger import Ledger
from streaming.importers.run import Importer, Summary
from tests.conftest import SettingsFactory
from tests.streaming.importers.test_formats import extended
from tests.streaming.test_producer import read_messages

pytestmark = pytest.mark.mongo
NOW = datetime(2026, 5, 3, 22, 10, tzinfo=UTC)


class Collecting:
    """A sender that keeps what it is sent."""

    def __init__(self) -> None:
        self.events: list[PlaybackEvent] = []

    def send(self, event: PlaybackEvent) -> None:
        self.events.append(event)

    def flush(self) -> None:
        """Do nothing: all is safe."""


@pytest.fixture
def database(settings: SettingsFactory) -> Iterator[Database[store.Document]]:
    made = store.connect(settings().mongo)
    made[store.TRACKS].insert_one(
        {"_id": "t1", "name_id": name_id_of("Ada", "Low Tide"), "duration_s": 240.0}
    )
    yield made
    made.client.close()


def run(
    database: Database[store.Document],
    home: Path,
    rows: list[Any],
    listener: str | None = "ada",
) -> tuple[Summary, list[PlaybackEvent]]:
    path, sender, summary = home / "history.json", Collecting(), Summary()
    path.write_text(json.dumps(rows), encoding="utf-8")
    with Ledger(home / "ledger") as ledger:
        clock = fixed_clock(NOW)
        importer = Importer("spotify", listener, database, ledger, sender, clock)
        importer.run(path, summary, lambda n_bytes: None)
    return summary, sender.events


def test_a_play_becomes_an_event_of_then(
    database: Database[store.Document], tmp_path: Path
) -> None:
    summary, (event,) = run(database, tmp_path, [extended(reason_end="fwdbtn")])
    assert summary.stored == 1
    assert (event.user_id, event.track_id, event.action) == (
        "ada",
        "t1",
        Action.SKIPPED,
    )
    assert event.event_time == datetime(2021, 5, 3, 22, 10, tzinfo=UTC)
    assert (event.played_ms, event.duration_ms) == (201_000, 240_000)
    assert event.source is not None
    assert event.source["surface"] == "import"
    assert parse_event(event.to_json()) == event


def test_a_play_that_ended_otherwise_is_over(
    database: Database[store.Document], tmp_path: Path
) -> None:
    ends = {"logout": 90_000, "trackdone": 201_000}
    rows = [extended(reason_end=end, ms_played=ms) for end, ms in ends.items()]
    _, (left, heard) = run(database, tmp_path, rows)
    assert left.source is not None
    assert heard.source is not None
    assert (left.action, left.source["end"]) == (Action.PROGRESSED, "other")
    assert "end" not in heard.source


def test_importing_twice_adds_nothing_and_real_repeats_stay(
    database: Database[store.Document], tmp_path: Path
) -> None:
    rows = [extended(), extended(ts="2021-05-03T23:10:00Z"), extended()]
    first, events = run(database, tmp_path, rows)
    assert (first.stored, first.duplicate) == (2, 1)
    again, none = run(database, tmp_path, rows)
    assert (again.n_read, again.duplicate, none) == (3, 3, [])
    assert len({event.event_id for event in events}) == 2


def test_what_the_catalogue_lacks_is_sent_under_its_name(
    database: Database[store.Document], tmp_path: Path
) -> None:
    unknown = extended(master_metadata_track_name="Lost")
    summary, (event,) = run(database, tmp_path, [unknown])
    assert (summary.stored, summary.unmatched) == (0, 1)
    assert is_name_id(event.track_id)
    with Ledger(tmp_path / "ledger") as ledger:
        assert list(ledger.unmatched()) == [("Ada", "Lost", "Sea", 1)]


def test_what_nobody_can_have_heard_is_too_short_and_a_skip_is_not(
    database: Database[store.Document], tmp_path: Path
) -> None:
    rows = [
        extended(ms_played=ms, ts=f"2021-05-03T22:10:0{ms % 7}Z")
        for ms in (0, 999, 1000)
    ]
    summary, events = run(database, tmp_path, rows)
    assert (summary.too_short, summary.stored) == (2, 1)
    assert events[0].played_ms == 1000


def test_a_file_that_names_no_listener_asks_for_one(
    database: Database[store.Document], tmp_path: Path
) -> None:
    with pytest.raises(HistoryError, match="--listener NAME"):
        run(database, tmp_path, [extended()], listener=None)


def test_the_future_is_refused(
    database: Database[store.Document], tmp_path: Path
) -> None:
    summary, _ = run(database, tmp_path, [extended(ts="9999-01-01T00:00:00Z")])
    assert summary.invalid == {"future_time": 1}


rows = st.lists(
    st.one_of(
        st.builds(
            extended,
            ts=st.sampled_from(
                ["2021-05-03T22:10:00Z", "2020-01-01T00:00:00Z", "soon"]
            ),
            ms_played=st.sampled_from([0, 999, 5_000, 200_000, -1, "x", None]),
            master_metadata_track_name=st.sampled_from(["Low Tide", "Lost", None, ""]),
        ),
        st.none() | st.integers() | st.text(max_size=3),
    ),
    max_size=12,
)


@settings(
    deadline=None,
    max_examples=40,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(rows)
def test_the_counts_add_up_to_the_lines_read(
    database: Database[store.Document],
    tmp_path_factory: pytest.TempPathFactory,
    rows: list[Any],
) -> None:
    summary, events = run(database, tmp_path_factory.mktemp("import"), rows)
    counts = summary.as_json()
    parts = ("stored", "duplicate", "too_short", "unmatched", "invalid")
    assert counts["read"] == len(rows) == sum(counts[part] for part in parts)
    assert len(events) == summary.stored + summary.unmatched


@pytest.mark.kafka
def test_the_command_sends_to_the_topic_of_histories(
    settings: SettingsFactory, database: Database[store.Document], tmp_path: Path
) -> None:
    ready: Settings = settings(topics=True)
    path = tmp_path / "history.json"
    path.write_text(json.dumps([extended(), extended(ts="x")]), encoding="utf-8")
    argv = ["import", "spotify", str(path), "--listener", "ada"]
    report = tmp_path / "lost.csv"

    tried = CliRunner().invoke(main, [*argv, "--dry-run"], obj=ready)
    assert tried.exit_code == 0, tried.output
    done = CliRunner().invoke(
        main, [*argv, "--json", "--report", str(report)], obj=ready
    )
    assert done.exit_code == 0, done.output
    counts = json.loads(done.stdout)
    assert (counts["read"], counts["stored"], counts["invalid"]) == (2, 1, 1)
    again = CliRunner().invoke(main, argv, obj=ready)
    assert "2 read = 0 stored + 1 duplicate" in again.stdout
    assert report.read_text().startswith("artist,title,album,n_plays")

    ((_, key, value),) = read_messages(ready.kafka, ready.kafka.history_topic)
    assert key == b"ada"
    assert parse_event(value).track_id == "t1"


def test_a_trial_reads_the_ledger_and_holds_nobody_up(tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite"
    with Ledger(path) as ledger:
        ledger.add(["aa", "bb"])
        ledger.commit()
    with Ledger(path, is_trial=True) as trial, Ledger(path) as other:
        assert trial.add(["bb", "cc", "cc"]) == {"cc"}
        assert trial.add(["cc"]) == set()
        assert other.add(["cc"]) == {"cc"}
        other.commit()
    with Ledger(tmp_path / "none" / "ledger", is_trial=True) as trial:
        assert trial.add(["aa"]) == {"aa"}
    assert not (tmp_path / "none").exists()


def test_two_imports_at_once_are_told_apart(tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite"
    with Ledger(path) as first:
        first.add(["aa"])
        with (
            pytest.raises(HistoryError, match="another import writes"),
            Ledger(path, timeout_s=0.1) as second,
        ):
            second.forget_unmatched()
