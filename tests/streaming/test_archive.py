"""The archive holds every event once, whatever comes twice or is cut off."""

import json
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyspark.sql.pandas.types import to_arrow_schema
from pyspark.sql.types import StructType

from models.forgetting import forget_rule
from segue.events import Scope
from streaming.archive import append, read_archive, read_date
from streaming.archive_forgetting import forget_in
from streaming.schemas import COORDINATES, EVENT_FIELDS, OTHER_FIELDS
from tests.factories import START

SCHEMA = to_arrow_schema(
    StructType([*EVENT_FIELDS, *OTHER_FIELDS, *COORDINATES]), timezone="UTC"
)
DAY = date(2026, 5, 3)


def row(
    event_id: str, offset: int, user_id: str = "ada", **more: Any
) -> dict[str, Any]:
    place = {"topic": "playback.events", "partition": 0, "offset": offset}
    times = {"event_time": START, "ingested_at": START}
    blank = dict.fromkeys(SCHEMA.names) | {"action": "completed"}
    return blank | {"event_id": event_id, "user_id": user_id} | place | times | more


def add(home: Path, rows: list[dict[str, Any]], max_small_files: int = 99) -> int:
    table = pa.Table.from_pylist(rows, schema=SCHEMA)
    return append(home / "events", DAY, table, max_small_files)


def archive_of(home: Path) -> list[tuple[str, str, int]]:
    rows = read_archive(home).to_table().to_pylist()
    return sorted((row["user_id"], row["event_id"], row["offset"]) for row in rows)


def test_an_event_is_kept_once_the_copy_that_came_first(tmp_path: Path) -> None:
    assert add(tmp_path, [row("e1", 5), row("e1", 2), row("e2", 3)]) == 2
    assert add(tmp_path, [row("e1", 9), row("e1", 10, "bob")]) == 1
    assert archive_of(tmp_path) == [
        ("ada", "e1", 2),
        ("ada", "e2", 3),
        ("bob", "e1", 10),
    ]


def test_listeners_whose_events_have_the_same_ids_keep_them(tmp_path: Path) -> None:
    assert add(tmp_path, [row("e1", 1)]) == 1
    assert add(tmp_path, [row("e1", 2, "bob")]) == 1
    assert archive_of(tmp_path) == [("ada", "e1", 1), ("bob", "e1", 2)]


def test_copies_are_looked_for_where_they_can_be(tmp_path: Path) -> None:
    """Files of other hours are not read: here they could not be."""
    noon = START.replace(hour=12)
    add(tmp_path, [row(f"e{n}", n, event_time=noon) for n in range(50)])
    (file,) = (tmp_path / "events").rglob("[!._]*.parquet")
    whole = file.read_bytes()
    file.write_bytes(whole[:4] + bytes(len(whole) // 4) + whole[4 + len(whole) // 4 :])
    assert add(tmp_path, [row("e1", 90), row("e99", 91)]) == 2
    near = noon + timedelta(minutes=59)
    with pytest.raises(OSError, match=r"(?i)page|header|decompress|corrupt|invalid"):
        add(tmp_path, [row("e1", 92, event_time=near)])


def test_of_copies_far_apart_a_reader_gets_one(tmp_path: Path) -> None:
    noon = START.replace(hour=12)
    assert add(tmp_path, [row("e1", 5, event_time=noon)]) == 1
    assert add(tmp_path, [row("e1", 6)]) == 1
    (kept,) = read_date(tmp_path / "events", DAY).to_pylist()
    assert kept["offset"] == 5


def test_a_batch_that_runs_again_adds_nothing(tmp_path: Path) -> None:
    rows = [row(f"e{n}", n) for n in range(10)]
    assert add(tmp_path, rows) == 10
    before = sorted((tmp_path / "events").rglob("*.parquet"))
    assert add(tmp_path, rows) == 0
    assert sorted((tmp_path / "events").rglob("*.parquet")) == before


def test_dates_are_folders_and_every_field_is_kept(tmp_path: Path) -> None:
    told = row("e", 1, source='{"surface":"player"}', extra='{"mood":"blue"}')
    add(tmp_path, [told])
    (kept,) = read_archive(tmp_path).to_table().to_pylist()
    assert kept == told | {"event_date": "2026-05-03"}


def test_many_small_files_become_one(tmp_path: Path) -> None:
    for n in range(7):
        add(tmp_path, [row(f"e{n}", n)], max_small_files=3)
    files = list((tmp_path / "events").rglob("[!._]*.parquet"))
    assert len(files) <= 4
    assert [event for _, event, _ in archive_of(tmp_path)] == [
        f"e{n}" for n in range(7)
    ]
    left = [p.name for p in (tmp_path / "events").rglob("*") if p.name[0] in "._"]
    assert left == []


@pytest.mark.parametrize("n_removed", [0, 1, 3])
def test_a_merge_that_was_cut_off_is_finished(tmp_path: Path, n_removed: int) -> None:
    for n in range(3):
        add(tmp_path, [row(f"e{n}", n)])
    place = tmp_path / "events" / "event_date=2026-05-03"
    small = sorted(path.name for path in place.glob("part-*"))
    other = tmp_path / "other"
    add(other, [row(f"e{n}", n) for n in range(3)])
    (whole,) = (other / "events" / "event_date=2026-05-03").glob("part-*")
    # as after the rename of the whole file and the removal of some small ones
    name = "whole-1.parquet" if n_removed else ".whole-1.parquet"
    (place / name).write_bytes(whole.read_bytes())
    journal = {"merged": small, "whole": ".whole-1.parquet"}
    (place / "_merging.json").write_text(json.dumps(journal), encoding="utf-8")
    for each in small[:n_removed]:
        (place / each).unlink()

    add(tmp_path, [row("e9", 9)])
    assert [event for _, event, _ in archive_of(tmp_path)] == ["e0", "e1", "e2", "e9"]
    assert not (place / "_merging.json").exists()


def test_what_a_killed_writer_left_goes(tmp_path: Path) -> None:
    add(tmp_path, [row("e0", 0)])
    place = tmp_path / "events" / "event_date=2026-05-03"
    (whole,) = place.glob("part-*")
    left = (".part-1.parquet.77", ".whole-2.parquet", "._merging.json")
    for name in left:
        (place / name).write_bytes(whole.read_bytes())
    add(tmp_path, [row("e1", 1)])
    assert [event for _, event, _ in archive_of(tmp_path)] == ["e0", "e1"]
    assert [path.name for path in place.glob(".*")] == []


@settings(deadline=None, max_examples=25)
@given(
    st.lists(st.lists(st.integers(0, 12), max_size=6), max_size=8), st.integers(1, 4)
)
def test_any_batches_leave_each_event_once(
    tmp_path_factory: pytest.TempPathFactory, batches: list[list[int]], limit: int
) -> None:
    home = tmp_path_factory.mktemp("archive")
    offset, n_new = 0, 0
    for batch in batches:
        rows = [row(f"e{n}", offset + i) for i, n in enumerate(batch)]
        offset += len(batch)
        n_new += add(home, rows, limit) if rows else 0
    wanted = sorted({f"e{n}" for batch in batches for n in batch})
    assert sorted(event for _, event, _ in archive_of(home)) == wanted
    assert n_new == len(wanted)


def forget_everything(home: Path, user_id: str) -> int:
    rule = forget_rule(Scope.EVERYTHING, START, None, "p", "s", [])
    place = home / "events" / f"event_date={DAY.isoformat()}"
    return forget_in(place, {user_id: (rule,)})


def test_what_is_forgotten_leaves_the_files_that_hold_it(tmp_path: Path) -> None:
    add(tmp_path, [row("e1", 1), row("e2", 2, "bob"), row("e3", 3, action="forgotten")])
    add(tmp_path, [row("e4", 4)])
    add(tmp_path, [row("e5", 5, "bob")])
    untouched = {path.name for path in (tmp_path / "events").rglob("*.parquet")}
    assert forget_everything(tmp_path, "ada") == 2
    assert archive_of(tmp_path) == [
        ("ada", "e3", 3),
        ("bob", "e2", 2),
        ("bob", "e5", 5),
    ]
    left = {path.name for path in (tmp_path / "events").rglob("*") if path.is_file()}
    assert len(left) == 2
    assert len(left & untouched) == 1
    assert forget_everything(tmp_path, "ada") == 0
