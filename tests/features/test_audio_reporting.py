"""Reports on the audio space of whole homes, in MongoDB."""

from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner
from pymongo.database import Database

from features.audio_reporting import tell_only, write_library_report
from features.index import build_index, read_fitted, refit_index
from features.ready import import_features
from features.spec import FeatureSpec, spec_hash
from features.table import (
    FAILURES,
    STAMPS,
    TRACKS,
    Row,
    TableWriter,
    hold_table,
    table_folder,
)
from features.worker import printable
from segue import store
from segue.audio_reports import KEPT, AudioReport, Groups
from segue.cli import main
from segue.errors import LibraryError, MongoUnreachableError
from segue.settings import Settings
from segue.store import Document
from tests.features.catalogues import START, album_rows, failure_row
from tests.segue.audio_space import report_document

pytestmark = pytest.mark.mongo


@pytest.fixture
def home(settings: Callable[..., Settings]) -> Settings:
    return settings(prepared=True)


@pytest.fixture
def database(home: Settings) -> Iterator[Database[Document]]:
    database = store.connect(home.mongo)
    yield database
    database.client.close()


def test_a_home_has_a_report_of_its_index(
    home: Settings, tmp_path: Path, database: Database[Document]
) -> None:
    music = tmp_path / "music"
    rows = album_rows(10, 6)
    late = sorted(rows, key=lambda row: row["track_id"])[-30:]
    for row in rows:
        row["path"] = row["path"].replace("/music", str(music), 1)
    for row in late:
        row["extracted_at"] += timedelta(days=1)
    files = [
        _file(music / path, content)
        for path, content in (
            ("A/1.ogg", "same"),
            ("B/2.ogg", "same"),
            ("A/bad.mp3", "bad"),
        )
    ]
    gone = {**files[0], "path": str(music / "was.ogg")}
    elsewhere = _file(tmp_path / "elsewhere" / "x.ogg", "other")
    unread = music / "unread.ogg"
    unread.touch()
    latin = music / "caf\udce9.mp3"  # a name that is not UTF-8
    latin.touch()
    cause = f"[Errno 13] Permission denied: '{unread}'"
    failures = [
        failure_row("/nowhere/bad.mp3", "bad"),
        failure_row(elsewhere["path"], "other"),
        failure_row(str(music / "gone.mp3"), "gone"),
        failure_row(str(unread), None, stage="read", retry=True, message=cause),
        failure_row(printable(str(latin)), None, stage="read", retry=True),
    ]
    _write_home(home, rows, failures, [gone, *files, elsewhere])
    build_index(home, START)
    _write_catalogue(database, rows, music)
    report = write_library_report(home, START)
    assert report is not None
    assert _stored(database) == [report]
    assert (report.n_tracks, report.spec) == (60, spec_hash(FeatureSpec()))
    assert report.version == read_fitted(home).index.version
    assert report.space.n_placed == 0
    assert _first(report.copies) == [["A/1.ogg", "B/2.ogg"]]
    assert _first(report.recordings) == [[rows[0]["track_id"], rows[1]["track_id"]]]
    assert report.batch is not None
    assert (report.batch.n_newest, report.batch.n_rest) == (30, 30)
    assert report.failures.n_files == 3
    told = {each.path: each.message for each in report.failures.newest}
    assert told == {
        "A/bad.mp3": "nothing reads it",
        "caf\\udce9.mp3": "nothing reads it",
        "unread.ogg": "[Errno 13] Permission denied: 'unread.ogg'",
    }
    again = {each.stage: each.n_retry for each in report.failures.reasons}
    assert again == {"decode": 0, "read": 2}
    assert str(tmp_path) not in report.model_dump_json()


def test_a_known_index_is_not_reported_on_again_unless_wanted(
    home: Settings, database: Database[Document]
) -> None:
    rows = album_rows(2, 4)
    _write_home(home, rows)
    build_index(home, START)
    _write_catalogue(database, rows, Path("/music"))
    assert write_library_report(home, START, unless_known=True) is not None
    assert write_library_report(home, START, unless_known=True) is None
    later = START + timedelta(days=1)
    again = write_library_report(home, later)
    assert again is not None
    assert again.made_at == later


def test_what_was_placed_in_a_space_is_told_from_what_it_was_fitted_to(
    home: Settings, database: Database[Document]
) -> None:
    rows = album_rows(8, 6)
    _write_home(home, rows[:-2])
    build_index(home, START)
    _write_home(home, rows)
    build_index(home, START)
    _write_catalogue(database, rows, Path("/music"))
    placed = write_library_report(home, START)
    assert placed is not None
    assert (placed.space.n_fitted, placed.space.n_placed) == (46, 2)
    refit_index(home, START)
    fitted = write_library_report(home, START)
    assert fitted is not None
    assert (fitted.space.n_fitted, fitted.space.n_placed) == (48, 0)


def test_only_the_newest_reports_stay(
    home: Settings, database: Database[Document]
) -> None:
    rows = album_rows(1, 3)
    _write_home(home, rows)
    build_index(home, START)
    _write_catalogue(database, rows, Path("/music"))
    before = START - timedelta(days=100)
    old = [report_document(f"v{n:02}", before + timedelta(days=n)) for n in range(KEPT)]
    store.upsert(database, store.AUDIO_REPORTS, old)
    write_library_report(home, START)
    kept = [each.version for each in _stored(database)]
    assert len(kept) == KEPT
    assert "v00" not in kept
    assert "v01" in kept


def test_what_goes_wrong_is_said_and_stops_nobody(home: Settings) -> None:
    rows = album_rows(1, 3)
    _write_home(home, rows)
    said: list[str] = []
    tell_only(said.append, lambda: write_library_report(home, START))
    assert "IndexMissingError" in said[0]
    build_index(home, START)
    (home.home / "features").rename(home.home / "moved")
    with pytest.raises(LibraryError, match="0 of the 3 tracks"):
        write_library_report(home, START)
    no_mongo = home.mongo.model_copy(update={"uri": None})
    with pytest.raises(MongoUnreachableError):
        write_library_report(home.model_copy(update={"mongo": no_mongo}), START)


@pytest.mark.parametrize("verb", ["report", "refit"])
def test_an_old_home_gets_its_report_by_a_verb(
    home: Settings, database: Database[Document], verb: str
) -> None:
    rows = album_rows(2, 4)
    _write_home(home, rows)
    build_index(home, START)
    _write_catalogue(database, rows, Path("/music"))
    done = CliRunner().invoke(main, ["features", verb], obj=home)
    assert (done.exit_code, done.exception) == (0, None)
    (report,) = _stored(database)
    assert report.version == read_fitted(home).index.version


def test_imported_features_have_a_report(
    home: Settings, tmp_path: Path, database: Database[Document]
) -> None:
    path = tmp_path / "features.csv"
    rows = [f"{n},{n % 7},{n * n % 11},5,{-2 * (n % 7)}" for n in range(40)]
    path.write_text("\n".join(["track_id,a,b,dead,again", *rows]))
    said: list[str] = []
    summary = import_features(home, path, START, said.append)
    assert said == []
    (report,) = _stored(database)
    assert report.version == summary.index_version
    assert report.spec.startswith("ready-")
    assert report.n_dims == 4
    dead = {block.name for block in report.blocks if block.flat}
    assert dead == {"dead"}
    assert report.twins.n == 1
    assert report.failures.n_files == 0


def _write_home(
    home: Settings,
    rows: Sequence[Row],
    failures: Sequence[Row] = (),
    files: Sequence[Row] = (),
) -> None:
    folder = table_folder(home.home, FeatureSpec())
    with hold_table(folder, "build"):
        writer = TableWriter(folder, "build", "part")
        for name, told in ((TRACKS, rows), (FAILURES, failures), (STAMPS, files)):
            writer.write(name, told)


def _file(path: Path, content: str) -> Row:
    """Write a file; return the row of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content)
    status = path.stat()
    return {
        "path": str(path),
        "size_bytes": status.st_size,
        "mtime_ns": status.st_mtime_ns,
        "content_sha256": content,
        "seen_at": START,
    }


def _write_catalogue(
    database: Database[Document], rows: Sequence[Row], root: Path
) -> None:
    """Write the tracks of a catalogue, of which the first two are one recording."""
    first = rows[0]["track_id"]
    tracks: list[Document] = [
        {"_id": row["track_id"], "root": str(root), "recording_id": row["track_id"]}
        for row in rows
    ]
    tracks[1]["recording_id"] = first
    store.upsert(database, store.TRACKS, tracks)


def _first(groups: Groups) -> list[list[str]]:
    return [group.first for group in groups.largest]


def _stored(database: Database[Document]) -> list[AudioReport]:
    found = database[store.AUDIO_REPORTS].find().sort("made_at")
    return [AudioReport.model_validate(each) for each in found]
