"""Dates that the archive has and `activity` has not."""

from datetime import timedelta

import pyarrow as pa
import pytest

from segue import store
from segue.clock import fixed_clock
from streaming.activity_rebuild import rebuild_activity
from streaming.archive import append
from streaming.uncounted import note_uncounted
from tests.streaming.test_activity_spans import NOW, Archive, archive  # noqa: F401
from tests.streaming.test_archive import SCHEMA, row

pytestmark = pytest.mark.mongo
DAY = timedelta(days=1)


def _old(archive: Archive, ago: timedelta, action: str = "completed") -> None:  # noqa: F811
    """Archive an event of a time in which nothing was counted."""
    at = NOW - ago
    told = row(f"{ago}", 1, event_time=at, action=action, track_id="t0")
    table = pa.Table.from_pylist([told], schema=SCHEMA)
    append(archive.activity.folder, at.date(), table, 9)


def _said(archive: Archive) -> store.Document | None:  # noqa: F811
    note_uncounted(archive.settings, archive.database, fixed_clock(NOW))
    return archive.database[store.STREAM_NOTES].find_one({"_id": store.UNCOUNTED})


def test_dates_of_before_are_said_until_they_are_counted(
    archive: Archive,  # noqa: F811
    caplog: pytest.LogCaptureFixture,
) -> None:
    assert _said(archive) is None
    archive.add([row("new", 7, event_time=NOW, track_id="t0")])
    assert _said(archive) is None  # it is due, and that is as good
    archive.roll()
    assert _said(archive) is None
    _old(archive, 400 * DAY)
    _old(archive, 3 * DAY)
    said = _said(archive)
    assert said is not None
    dates = said["n_dates"], said["first"], said["last"]
    assert dates == (2, "2025-03-29", "2026-04-30")
    assert "2 dates of the archive, 2025-03-29 to 2026-04-30" in caplog.text
    assert "segue activity rebuild" in caplog.text
    caplog.clear()
    first, last = (NOW - 400 * DAY).date(), NOW.date()
    rebuild_activity(archive.settings, archive.database, first, last, fixed_clock(NOW))
    # whoever counts takes it back
    assert archive.database[store.STREAM_NOTES].find_one() is None
    assert caplog.text == ""


def test_a_date_of_blocks_alone_is_not_waited_for(archive: Archive) -> None:  # noqa: F811
    _old(archive, 5 * DAY, action="blocked")
    assert _said(archive) is None


def test_what_cannot_be_read_ends_nothing(
    archive: Archive,  # noqa: F811
    caplog: pytest.LogCaptureFixture,
) -> None:
    _old(archive, 3 * DAY)
    (file,) = archive.activity.folder.rglob("[!._]*.parquet")
    file.write_bytes(b"PAR1, but no more")
    assert _said(archive) is None
    assert "dates that are not counted" in caplog.text
    caplog.clear()
    file.unlink()
    file.symlink_to("nowhere.parquet")
    assert _said(archive) is None
    assert "dates that are not counted" in caplog.text
