"""Scans into a real MongoDB."""

import os
import shutil
from datetime import timedelta

import pytest

from segue import store
from segue.catalog import content_sha256, track_id_of
from segue.errors import LibraryError
from segue.library import ScanSummary
from segue.names import album_id_of, artist_id_of
from segue.track_names import name_id_of
from tests.factories import START
from tests.segue.music import Library
from tests.segue.test_covers import JPEG, PNG

pytestmark = pytest.mark.mongo


def test_a_track_has_all_fields_that_others_rely_on(library: Library) -> None:
    path = library.add("Ada/Sea/03 Low Tide.ogg", seed=1)
    (path.parent / "Folder.JPG").write_bytes(JPEG)
    library.scan(new=1)
    (track,) = library.documents().values()
    sha256 = content_sha256(path)
    status = path.stat()
    assert track.pop("duration_s") == pytest.approx(0.3, abs=0.1)
    assert track == {
        "_id": track_id_of(sha256),
        "title": "Low Tide",
        "artist": "Ada",
        "main_artist": "Ada",
        "artist_id": artist_id_of("Ada"),
        "album": "Sea",
        "album_id": album_id_of("Ada", "Sea"),
        "album_artist": "Ada",
        "album_artist_id": artist_id_of("Ada"),
        "album_artist_tag": None,
        "genre": None,
        "genres": [],
        "genre_ids": [],
        "recording_id": track_id_of(sha256),
        "name_id": name_id_of("Ada", "Low Tide"),
        "year": None,
        "track_no": 3,
        "path": str(path.resolve()),
        "root": str(library.music.resolve()),
        "cover_path": str(path.resolve().parent / "Folder.JPG"),
        "mime": "audio/ogg",
        "size_bytes": status.st_size,
        "mtime_ns": status.st_mtime_ns,
        "read_as": "3",
        "content_sha256": sha256,
        "scanned_at": START,
        "added_at": START,
        "missing": False,
    }


def test_a_track_was_added_once_whenever_its_file_is_read_again(
    library: Library,
) -> None:
    path = library.add("a.ogg", seed=1)
    library.scan(new=1)
    earlier = START - timedelta(days=9)
    tracks = library.database[store.TRACKS]
    tracks.update_many({}, {"$set": {"added_at": earlier}})
    path.rename(path.with_name("b.ogg"))
    library.scan(changed=1)
    assert library.documents()["b.ogg"]["added_at"] == earlier
    # of one that is older than the field the last read tells
    tracks.update_many(
        {}, {"$unset": {"added_at": ""}, "$set": {"scanned_at": earlier}}
    )
    library.scan(known=1)
    assert library.documents()["b.ogg"]["added_at"] == earlier


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


def test_a_renamed_file_keeps_its_id_and_takes_its_new_name(library: Library) -> None:
    path = library.add("01 Tide.wav", seed=1)
    library.scan(new=1)
    track_id = library.documents()["01 Tide.wav"]["_id"]
    path.rename(path.with_name("02 Ebb.wav"))
    library.scan(changed=1)
    track = library.documents()["02 Ebb.wav"]
    assert (track["_id"], track["title"], track["track_no"]) == (track_id, "Ebb", 2)


def test_what_others_have_written_of_a_track_stays(library: Library) -> None:
    path = library.add("a.ogg", seed=1)
    library.scan(new=1)
    others = {"recording_id": "another track", "n_plays": 7}
    library.database[store.TRACKS].update_many({}, {"$set": others})
    path.rename(path.with_name("b.ogg"))
    library.scan(changed=1)
    track = library.documents()["b.ogg"]
    assert {name: track[name] for name in others} == others


def test_a_catalogue_of_an_older_version_is_read_again(library: Library) -> None:
    library.add("a.ogg", seed=1)
    library.scan(new=1)
    before = library.documents()
    newer = dict.fromkeys(("read_as", "genre_ids", "artist_id", "recording_id"), "")
    library.database[store.TRACKS].update_many({}, {"$unset": newer})
    library.scan(changed=1)
    assert library.documents() == before


def test_copies_are_one_track_and_the_known_one_stays(library: Library) -> None:
    path = library.add("m.ogg", seed=1)
    library.scan(new=1)
    shutil.copyfile(path, library.music / "a.ogg")
    library.scan(known=1, duplicate=1)
    assert list(library.documents()) == ["m.ogg"]
    shutil.copyfile(path, library.music / "b.ogg")
    path.unlink()
    library.scan(changed=1, duplicate=1)
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
    (library.music / "cover.png").write_bytes(PNG)
    library.scan(changed=1)
    assert library.documents()["a.ogg"]["cover_path"].endswith("cover.png")


def test_what_plays_though_its_tags_cannot_be_read_is_a_track(library: Library) -> None:
    library.music.mkdir()
    head = b"\x00\x00\x00\x18ftypiso5" + bytes(300)  # a fragmented file's beginning
    (library.music / "07 Tide.m4a").write_bytes(head)
    library.scan(new=1)
    (track,) = library.documents().values()
    assert (track["title"], track["track_no"], track["duration_s"]) == ("Tide", 7, None)


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
