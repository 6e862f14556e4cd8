"""The FMA layout; the rows are made up, in the form of the real `tracks.csv`."""

import csv
import tracemalloc
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from segue.fma import find_tracks_csv, fma_number, read_fma, with_fma
from segue.tags import read_tags
from tests.conftest import CHECKOUT
from tests.features.sounds import write_sound

COLUMNS = [
    ("album", "comments"),
    ("album", "date_released"),
    ("album", "id"),
    ("album", "title"),
    ("artist", "bio"),
    ("artist", "name"),
    ("set", "subset"),
    ("track", "date_recorded"),
    ("track", "duration"),
    ("track", "genre_top"),
    ("track", "genres"),
    ("track", "number"),
    ("track", "title"),
]
ROW = {
    "album date_released": "2009-01-05 00:00:00",
    "album id": "1",
    "album title": "Sea",
    "artist bio": '<p>Said "no",\nand left</p>\r\n',
    "artist name": "Ada",
    "track date_recorded": "2008-11-26 00:00:00",
    "track duration": "168",
    "track genre_top": "Hip-Hop",
    "track genres": "[21, 4]",
    "track number": "3",
    "track title": "Tide, low",
}


def write_fma(
    path: Path,
    rows: Mapping[Any, Mapping[str, str]],
    columns: Sequence[tuple[str, str]] = COLUMNS,
) -> Path:
    """Write rows as pandas writes a table with two levels of columns."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as file:
        lines = csv.writer(file, lineterminator="\n")
        lines.writerow(["", *(group for group, _ in columns)])
        lines.writerow(["", *(name for _, name in columns)])
        lines.writerow(["track_id", *("" for _ in columns)])
        for number, row in rows.items():
            lines.writerow([number, *(row.get(" ".join(c), "") for c in columns)])
    return path


@pytest.mark.parametrize(
    ("path", "number"),
    [
        ("fma_small/000/000002.mp3", 2),
        ("fma_large/155/155320.mp3", 155320),
        ("000/000002.flac", 2),
        ("fma_small/001/000002.mp3", None),
        ("000/2.mp3", None),
        ("000/00000\u0662.mp3", None),
        ("000/track.mp3", None),
    ],
)
def test_a_track_of_the_set_is_known_by_its_place(
    path: str, number: int | None
) -> None:
    assert fma_number(Path(path)) == number


def test_a_row_is_read_whatever_stands_between(tmp_path: Path) -> None:
    path = write_fma(tmp_path / "tracks.csv", {2: ROW, 3: {}, 5: ROW, "x": ROW})
    read = read_fma(path, {2, 3, 99})
    assert read.error is None
    assert set(read.rows) == {2, 3}
    track = read.rows[2]
    assert (track.title, track.artist, track.album) == ("Tide, low", "Ada", "Sea")
    assert (track.genre, track.year, track.track_no) == ("Hip-Hop", 2009, 3)
    assert (track.duration_s, track.album_artist) == (168.0, "Ada")
    nothing = read.rows[3]
    assert (nothing.title, nothing.artist, nothing.duration_s) == (None, None, None)


def test_the_order_of_columns_is_free_and_most_may_be_absent(tmp_path: Path) -> None:
    columns = [("track", "title"), ("artist", "name"), ("album", "title")]
    path = write_fma(tmp_path / "tracks.csv", {2: ROW}, columns)
    track = read_fma(path, {2}).rows[2]
    assert (track.title, track.artist, track.album) == ("Tide, low", "Ada", "Sea")
    assert (track.genre, track.year) == (None, None)


def test_an_album_of_several_artists_is_by_various(tmp_path: Path) -> None:
    guest = ROW | {"artist name": "Ada feat. Bo"}
    other = ROW | {"artist name": "Cy", "album id": "2"}
    also = ROW | {"artist name": "Di", "album id": "2"}
    rows = {2: ROW, 3: guest, 4: other, 5: also}
    read = read_fma(write_fma(tmp_path / "tracks.csv", rows), {2, 3, 4}).rows
    by = {number: track.album_artist for number, track in read.items()}
    assert by == {2: "Ada", 3: "Ada", 4: "Various artists"}


def test_short_lines_and_bad_bytes_do_no_harm(tmp_path: Path) -> None:
    path = write_fma(tmp_path / "tracks.csv", {2: ROW})
    path.write_bytes(path.read_bytes() + b"3,short\n\n4,\xff\xfe\n")
    read = read_fma(path, {2, 3, 4})
    assert read.error is None
    assert read.rows[2].title == "Tide, low"
    assert read.rows[3].title is None


@pytest.mark.parametrize(
    "content",
    [b"", b"title,artist\nSea,Ada\n", b"\x89PNG\r\n\x1a\n\x00\x00", b'"' + b"x" * 100],
)
def test_another_tracks_csv_is_said_to_be_one(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "tracks.csv"
    path.write_bytes(content)
    read = read_fma(path, {2})
    assert read.rows == {}
    assert read.error is not None
    assert "it is no tracks.csv" in read.error
    assert "unpack" in read.error


def test_the_rows_before_an_endless_field_are_kept(tmp_path: Path) -> None:
    path = write_fma(tmp_path / "tracks.csv", {2: ROW})
    path.write_bytes(path.read_bytes() + b'3,"' + b"x" * (1 << 24) + b"\n")
    read = read_fma(path, {2, 3})
    assert list(read.rows) == [2]
    assert read.error is not None
    assert "line 7" in read.error


def test_only_what_is_asked_for_is_kept_in_memory(tmp_path: Path) -> None:
    row = ROW | {"artist bio": "x" * 5_000}
    path = write_fma(tmp_path / "tracks.csv", dict.fromkeys(range(2_000), row))
    assert path.stat().st_size > 10_000_000
    tracemalloc.start()
    assert len(read_fma(path, {7}).rows) == 1
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 1_000_000


def test_the_long_fields_of_others_stay_forbidden(tmp_path: Path) -> None:
    path = write_fma(tmp_path / "tracks.csv", {2: ROW | {"artist bio": "x" * 5000}})
    before = csv.field_size_limit(1000)
    try:
        assert read_fma(path, {2}).rows
        assert csv.field_size_limit() == 1000
    finally:
        csv.field_size_limit(before)


def test_a_file_that_is_gone_is_said_to_be(tmp_path: Path) -> None:
    read = read_fma(tmp_path / "tracks.csv", {2})
    assert read.error is not None
    assert "tags of their files" in read.error


def test_a_table_without_its_third_line_is_another(tmp_path: Path) -> None:
    path = write_fma(tmp_path / "tracks.csv", {2: ROW})
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    path.write_text("".join(lines[:2] + lines[3:]), encoding="utf-8")
    read = read_fma(path, {2})
    assert read.error is not None
    assert "lacks the line `track_id" in read.error


@pytest.mark.parametrize("place", ["all", "all/fma_small"])
def test_the_csv_is_found_beside_and_below(tmp_path: Path, place: str) -> None:
    (tmp_path / "all" / "fma_small").mkdir(parents=True)
    assert find_tracks_csv(tmp_path / place) is None
    path = write_fma(tmp_path / "all" / "fma_metadata" / "tracks.csv", {2: ROW})
    assert find_tracks_csv(tmp_path / place) == path


def test_the_csv_stands_before_the_tags_but_for_the_length(tmp_path: Path) -> None:
    path = write_sound(tmp_path / "000" / "000002.ogg", duration_s=0.3)
    tags = read_tags(path, tmp_path)
    fma = read_fma(write_fma(tmp_path / "tracks.csv", {2: ROW, 3: {}}), {2, 3}).rows
    told = with_fma(tags, fma[2])
    assert (told.title, told.artist, told.album) == ("Tide, low", "Ada", "Sea")
    assert (told.genre, told.genres, told.year) == ("Hip-Hop", ["Hip-Hop"], 2009)
    assert told.duration_s == pytest.approx(0.3, abs=0.1)
    untold = with_fma(tags, fma[3])
    assert (untold.title, untold.album) == (tags.title, "Unknown album")


FMA = CHECKOUT.parent / "shared" / "data" / "fma"


@pytest.mark.skipif(not FMA.is_dir(), reason="the sample of the data set is not here")
def test_the_real_file_is_read() -> None:
    read = read_fma(FMA / "tracks_head5.csv", {2, 3, 5, 10, 20})
    assert read.error is None
    assert [t.title for t in read.rows.values()] == [
        "Food",
        "Electric Ave",
        "This World",
        "Freeway",
        "Spiritual Level",
    ]
    genres = [t.genre for t in read.rows.values()]
    assert genres == ["Hip-Hop", "Hip-Hop", "Hip-Hop", "Pop", None]
    tags = with_fma(read_tags(FMA / "000002.mp3", FMA), read.rows[2])
    assert (tags.artist, tags.album) == ("AWOL", "AWOL - A Way Of Life")
    assert (tags.year, tags.track_no) == (2009, 3)
    assert tags.duration_s == pytest.approx(30, abs=0.5)
