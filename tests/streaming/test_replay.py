"""Recorded events once more: order and gaps kept, ids new, nothing counted twice."""

import gzip
import io
import json
import os
import random
from collections import Counter
from datetime import date, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st
from pyspark.sql.pandas.types import to_arrow_schema
from pyspark.sql.types import StructType

from segue.cli import main
from segue.clock import fixed_clock
from segue.errors import HistoryError
from segue.events import Action, PlaybackEvent, parse_event
from segue.settings import Settings
from streaming.archive import append
from streaming.recorded import (
    RecordedArchive,
    RecordedLines,
    open_history,
    open_lines,
)
from streaming.replay import Replay, replay
from streaming.schemas import COORDINATES, EVENT_FIELDS, OTHER_FIELDS
from tests.conftest import SettingsFactory
from tests.factories import START, create_event, seconds
from tests.streaming.importers.test_formats import extended
from tests.streaming.test_producer import read_messages

NOW = START + timedelta(days=200)
SCHEMA = to_arrow_schema(
    StructType([*EVENT_FIELDS, *OTHER_FIELDS, *COORDINATES]), timezone="UTC"
)


class Collecting:
    """A sender that keeps what it is sent."""

    def __init__(self) -> None:
        self.events: list[PlaybackEvent] = []

    def send(self, event: PlaybackEvent) -> None:
        self.events.append(event)

    def flush(self) -> None:
        """Do nothing: all is safe."""


def lines_of(events: list[PlaybackEvent]) -> bytes:
    return b"".join(event.to_json() + b"\n" for event in events)


def replayed(
    data: bytes, how: Replay, clock_at: datetime = NOW
) -> tuple[list[PlaybackEvent], Counter[str], Counter[str]]:
    counts, refused = Counter[str](), Counter[str]()
    sender = Collecting()
    with open_lines(io.BytesIO(data)) as file:
        recorded = RecordedLines(file, refused)
        replay(recorded, how, sender, fixed_clock(clock_at), counts, lambda n: None)
    return sender.events, counts, refused


times = st.lists(st.integers(0, 10**9), min_size=1, max_size=30)


@given(times, st.floats(1e8, 1e9))
def test_order_is_kept_and_gaps_are_divided(at_ms: list[int], speed: float) -> None:
    events = [
        create_event(track_id=f"{ms}", at=START + timedelta(milliseconds=ms))
        for ms in at_ms
    ]
    sent, counts, _ = replayed(lines_of(events), Replay("r", speed))
    assert counts["sent"] == len(events)
    assert [event.track_id for event in sent] == list(map(str, sorted(at_ms)))
    first = min(at_ms)
    for event, ms in zip(sent, sorted(at_ms), strict=True):
        ahead = (event.event_time - NOW).total_seconds()
        assert ahead == pytest.approx((ms - first) / 1000 / speed, abs=2e-6)


def test_ids_are_of_the_run_and_hold_plays_together() -> None:
    said = [(Action.STARTED, 0), (Action.COMPLETED, 60)]
    events = [create_event(a, play_id="p", at=START + seconds(s)) for a, s in said]
    once, again, other = (
        replayed(lines_of(events), Replay(run_id, None))[0]
        for run_id in ("r", "r", "other")
    )
    assert once == again
    ids = {e.event_id for e in [*events, *once, *other]}
    assert len(ids) == 6
    assert len({(e.play_id, e.session_id) for e in [*events, *once, *other]}) == 3
    assert all(e.event_time == NOW for e in once)
    assert once[0].source == {"surface": "simulator", "replay": "r"}
    assert all(parse_event(e.to_json()) for e in once)


def test_what_is_no_event_and_what_was_forgotten_is_counted_and_left_out() -> None:
    events = [
        create_event(),
        create_event(Action.FORGOTTEN, at=START + seconds(1)),
        create_event(at=START + seconds(2)),
    ]
    data = b"\n  \nno json\n[]\n" + lines_of(events)
    sent, counts, refused = replayed(data, Replay("r", None, "again-"))
    assert counts == {"sent": 2, "forgotten": 1}
    assert refused == {"not_json": 1, "not_object": 1}
    assert {event.user_id for event in sent} == {"again-ada"}


def test_a_pace_of_sixty_takes_a_minute_as_a_second() -> None:
    events = [create_event(at=START + seconds(s)) for s in (0, 6, 12)]
    start = datetime.now().astimezone()
    sent, _, _ = replayed(lines_of(events), Replay("r", 60.0))
    assert 0.2 <= (datetime.now().astimezone() - start).total_seconds() < 2
    gaps = [(e.event_time - NOW).total_seconds() for e in sent]
    assert gaps == pytest.approx([0.0, 0.1, 0.2])


def test_pipes_and_gzip_are_read_like_files(tmp_path: Path) -> None:
    data = lines_of([create_event() for _ in range(3)])
    reading, writing = os.pipe()
    os.write(writing, gzip.compress(data))
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe, open_lines(pipe) as lines:
        assert lines.read() == data
    path = tmp_path / "cut.gz"
    path.write_bytes(gzip.compress(data)[:-20])
    with (
        pytest.raises(HistoryError, match="damaged"),
        path.open("rb") as file,
        open_lines(file),
    ):
        pass


def archive(home: Path, events: list[PlaybackEvent]) -> Path:
    rows = []
    for offset, event in enumerate(events):
        place = {"topic": "playback.events", "partition": 0, "offset": offset}
        told = {"source": json.dumps(event.source), "extra": '{"mood":"blue"}'}
        row = event._asdict() | told | place | {"ingested_at": event.event_time}
        rows.append(row)
    for day in {event.event_time.date() for event in events}:
        of_day = [row for row in rows if row["event_time"].date() == day]
        append(home, day, pa.Table.from_pylist(of_day, schema=SCHEMA), 99)
    return home


def test_an_archive_is_read_by_date_and_listener(tmp_path: Path) -> None:
    events = [
        create_event(user_id="ada" if n % 2 else "bob", at=START + seconds(n * 40_000))
        for n in range(12)
    ]
    folder = archive(tmp_path / "events", random.Random(1).sample(events, 12))
    whole = list(RecordedArchive(folder, None, None, None))
    assert whole == [event._replace(extra={"mood": "blue"}) for event in events]
    since, until = date(2026, 5, 4), date(2026, 5, 5)
    part = RecordedArchive(folder, since, until, "ada")
    assert [event.user_id for event in part] == ["ada"] * len(part)
    assert {event.event_time.date() for event in part} == {since, until}
    with pytest.raises(HistoryError, match="no events"):
        RecordedArchive(folder, date(2030, 1, 1), None, None)


def test_a_history_is_replayed_by_name_without_a_database(tmp_path: Path) -> None:
    path = tmp_path / "history.json"
    path.write_text(json.dumps([extended(), extended(ts="2021-05-03T22:15:00Z"), 5]))
    refused = Counter[str]()
    with open_history(path, "spotify", "ada", None, refused) as lines:
        first, second = RecordedLines(lines, refused)
    assert first.track_id.startswith("name:")
    assert second.event_time - first.event_time == timedelta(minutes=5)
    assert refused.total() == 1


@pytest.mark.kafka
def test_the_verb_sends_to_the_live_topic_and_its_counts_add_up(
    settings: SettingsFactory, tmp_path: Path
) -> None:
    ready: Settings = settings(topics=True)
    path = tmp_path / "events.jsonl"
    path.write_bytes(lines_of([create_event(), create_event()]) + b"[]\n")
    args = ["replay", str(path), "--speed", "max", "--run-id", "r", "--json"]
    said = CliRunner().invoke(main, args, obj=ready)
    assert said.exit_code == 0, said.output
    assert json.loads(said.stdout) == {
        "run_id": "r",
        "read": 3,
        "sent": 2,
        "forgotten": 0,
        "rejected": 1,
        "rejected_by_reason": {"not_object": 1},
    }
    assert len(read_messages(ready.kafka, ready.kafka.events_topic)) == 2


@pytest.mark.parametrize(
    ("args", "why"),
    [
        (["--speed", "0", "x"], "want a number over 0, or max"),
        (["--listener", "ada", "FILE"], "are of an archive"),
        (["--kind", "spotify"], "give the file"),
        ([], "no events of these dates"),
    ],
)
def test_wrong_use_is_said(tmp_path: Path, args: list[str], why: str) -> None:
    file = tmp_path / "x"
    file.touch()
    kafka = {"bootstrap": "127.0.0.1:9"}
    ours = Settings.model_validate({"home": tmp_path, "kafka": kafka})
    told = [str(file) if arg in ("FILE", "x") else arg for arg in args]
    said = CliRunner().invoke(main, ["replay", *told], obj=ours)
    assert said.exit_code in (1, 2)
    assert why in said.output
