"""Scans into a real MongoDB."""

import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from pymongo.database import Database

from segue import store
from segue.catalog import content_sha256, track_id_of
from segue.clock import fixed_clock
from segue.errors import LibraryError
from segue.library import ScanSummary, scan_library
from segue.settings import Settings
from tests.factories import START
from tests.features.sounds import write_sound

pytestmark = pytest.mark.mongo


@dataclass
class Library:
    """A music folder and its catalogue."""

    music: Path
    database: Database[store.Document]
    lines: list[str] = field(default_factory=list)

    def add(self, name: str, seed: int) -> Path:
        return write_sound(self.music / name, seed, duration_s=0.3)

    def scan(self, **counts: int) -> ScanSummary:
        """Scan, and hold every count that is not named to be 0."""
        summary = scan_library(
            self.music, self.database, fixed_clock(START), self.lines.append
        )
        assert summary.adds_up
        outcomes = ("new", "known", "changed", "duplicate", "unreadable", "missing")
        seen = {name: getattr(summary, name) for name in outcomes}
        assert {name: n for name, n in seen.items() if n} == counts
        return summary

    def documents(self) -> dict[str, dict[str, Any]]:
        """Return the tracks that are there, by path below the folder."""
        root = str(self.music.resolve())
        return {
            os.path.relpath(each["path"], root): each
            for each in self.database[store.TRACKS].find({"missing": False})
        }


@pytest.fixture
def library(settings: Callable[..., Settings], tmp_path: Path) -> Iterator[Library]:
    database = store.connect(settings().mongo)
    store.prepare(database)
    yield Library(tmp_path / "music", database)
    database.client.close()


def test_a_track_has_all_fields_that_others_rely_on(library: Library) -> None:
    path = library.add("Ada/Sea/03 Low Tide.ogg", seed=1)
    (path.parent / "Folder.JPG").write_bytes(b"jpeg")
    library.scan(new=1)
    (track,) = library.documents().values()
    sha256 = content_sha256(path)
    status = path.stat()
    assert track.pop("duration_s") == pytest.approx(0.3, abs=0.1)
    assert track == {
        "_id": track_id_of(sha256),
        "title": "Low Tide",
        "artist": "Ada",
        "album": "Sea",
        "genre": None,
        "year": None,
        "track_no": 3,
        "path": str(path.resolve()),
        "root": str(library.music.resolve()),
        "cover_path": str(path.resolve().parent / "Folder.JPG"),
        "mime": "audio/ogg",
        "size_bytes": status.st_size,
        "mtime_ns": status.st_mtime_ns,
        "content_sha256": sha256,
        "scanned_at": START,
        "missing": False,
    }


def test_a_second_scan_changes_nothing_and_reads_no_audio(library: Library) -> None:
    path = library.add("a.ogg", seed=1)
    library.add("b.flac", seed=2)
    library.scan(new=2)
    before = library.documents()
    times = path.stat()
    path.write_bytes(bytes(times.st_size))  # same size, same time: not read again
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))
    library.scan(known=2)
    assert library.documents() == before


def test_a_moved_file_keeps_its_id(library: Library) -> None:
    path = library.add("a.ogg", seed=1)
    library.scan(new=1)
    track_id = library.documents()["a.ogg"]["_id"]
    (library.music / "Sea").mkdir()
    path.rename(library.music / "Sea" / "b ä%.ogg")
    library.scan(changed=1)
    assert library.documents()["Sea/b ä%.ogg"]["_id"] == track_id
    library.scan(known=1)


def test_copies_are_one_track_and_the_known_one_stays(library: Library) -> None:
    path = library.add("m.ogg", seed=1)
    library.scan(new=1)
    shutil.copyfile(path, library.music / "a.ogg")
    library.scan(known=1, duplicate=1)
    assert list(library.documents()) == ["m.ogg"]
    path.unlink()
    library.scan(changed=1)
    assert list(library.documents()) == ["a.ogg"]


def test_a_track_whose_file_is_gone_is_marked_and_comes_back(library: Library) -> None:
    path = library.add("a.ogg", seed=1)
    library.add("b.ogg", seed=2)
    library.scan(new=2)
    content = path.read_bytes()
    path.unlink()
    library.scan(known=1, missing=1)
    assert list(library.documents()) == ["b.ogg"]
    assert library.database[store.TRACKS].count_documents({}) == 2
    path.write_bytes(content)
    library.scan(known=1, changed=1)
    library.scan(known=2)


def test_new_content_under_an_old_name_is_a_new_track(library: Library) -> None:
    path = library.add("a.ogg", seed=1)
    content = path.read_bytes()  # an encoder would not give these bytes again
    library.scan(new=1)
    library.add("a.ogg", seed=2)
    library.scan(new=1, missing=1)
    library.scan(known=1, missing=1)
    path.write_bytes(content)
    library.scan(changed=1, missing=1)
    library.scan(known=1, missing=1)


def test_a_new_cover_reaches_a_track_whose_file_did_not_change(
    library: Library,
) -> None:
    library.add("a.ogg", seed=1)
    library.scan(new=1)
    (library.music / "cover.png").write_bytes(b"png")
    library.scan(changed=1)
    assert library.documents()["a.ogg"]["cover_path"].endswith("cover.png")


def test_unreadable_files_are_named_and_counted(library: Library) -> None:
    library.add("fine.ogg", seed=1)
    (library.music / "text.mp3").write_text("this is no music " * 99)
    (library.music / "empty.ogg").touch()
    (library.music / os.fsdecode(b"caf\xe9.ogg")).write_bytes(b"x")
    summary = library.scan(new=1, unreadable=3)
    assert len(summary.errors) == 3
    assert library.lines == list(summary.errors)
    assert any("rename the file" in line for line in summary.errors)
    assert list(library.documents()) == ["fine.ogg"]


def test_the_library_is_the_folder_that_was_scanned_last(library: Library) -> None:
    first, second = library.music, library.music.with_name("other")
    library.add("a.ogg", seed=1)
    library.scan(new=1)
    library.music = second
    library.add("b.ogg", seed=2)
    library.scan(new=1, missing=1)
    library.music = first
    library.scan(changed=1, missing=1)
    assert list(library.documents()) == ["a.ogg"]


def test_a_folder_that_is_none_is_a_clear_error(library: Library) -> None:
    with pytest.raises(LibraryError, match="give the folder"):
        library.scan()


def test_the_summary_reads_as_a_sentence() -> None:
    summary = ScanSummary(
        found=4, new=2, known=1, changed=0, duplicate=0, unreadable=1, missing=3
    )
    assert str(summary) == (
        "4 files: 2 new, 1 known, 0 changed, 0 duplicate, 1 unreadable; "
        "3 tracks are missing"
    )
