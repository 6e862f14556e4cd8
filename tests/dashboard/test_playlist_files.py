"""Playlist files as other programs write them, and as we do."""

import json
import time
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard.api.playlists import read_file
from dashboard.playlist_files import (
    Entry,
    decode,
    disposition,
    file_name,
    track_id_of,
    urn_of,
)
from dashboard.playlist_jspf import write_jspf
from dashboard.playlist_m3u import write_m3u
from dashboard.playlist_matching import matched, readings, sought
from dashboard.playlist_paths import path_parts
from dashboard.playlist_records import Playlist, checked_name
from dashboard.refusals import RefusedError

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
ROWS = st.lists(
    st.fixed_dictionaries(
        {
            "track_id": st.text(
                st.characters(exclude_categories=["Cs"]), min_size=1, max_size=20
            ),
            **dict.fromkeys(("title", "artist", "album"), TEXTS),
            "duration_ms": st.none() | st.integers(0, 10**8),
        }
    ),
    min_size=1,
    max_size=5,
)
# as foobar2000, Winamp, VLC and Kodi write them
WINDOWS = (
    b"\xef\xbb\xbf#EXTM3U\r\n#EXTENC:UTF-8\r\n#PLAYLIST:Caf\xc3\xa9\r\n\r\n"
    b"#EXTINF:187,Portishead - Roads\r\n#EXTALB:Dummy\r\n"
    b"C:\\Music\\Portishead\\Dummy\\08 Roads.mp3\r\n"
)


def test_a_windows_m3u8_with_a_mark_is_read() -> None:
    file = read_file(WINDOWS)
    assert file.name == "Café"
    (entry,) = file.entries
    assert entry == Entry(
        "C:\\Music\\Portishead\\Dummy\\08 Roads.mp3",
        text="Portishead - Roads",
        album="Dummy",
        duration_ms=187_000,
    )
    assert path_parts(entry.location)[:3] == ["08 roads.mp3", "dummy", "portishead"]


@pytest.mark.parametrize(
    ("content", "wanted"),
    [
        (b"#EXTINF:9,Bj\xf6rk - J\xf3ga\nx.mp3", "Björk - Jóga"),  # latin-1 .m3u
        ("#EXTINF:9,Ä - Ö\nx.mp3".encode("utf-16"), "Ä - Ö"),
        (b'#extinf:-1 tvg-id="a, b" logo=x,Name, A - B\rx.mp3\r', "Name, A - B"),
        (b"#EXTINF:,A - B\nx.mp3", "A - B"),
        (b"#EXTINF:12.5 , A - B \n\n# a word\n  x.mp3  ", "A - B"),
        (b"x.mp3", "x.mp3"),
        (b"\n\n#EXTART:A\n#EXTINF:3,B\nx.mp3", "A - B"),
    ],
)
def test_m3u_as_it_is_found(content: bytes, wanted: str) -> None:
    (entry,) = read_file(content).entries
    name = entry.name if not entry.artist else f"{entry.artist} - {entry.text}"
    assert (name, entry.location) == (wanted, "x.mp3")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"#EXTM3U\n#EXTINF:soon,A - B\nx.mp3", "line 2: #EXTINF wants seconds"),
        (b"#EXTM3U\n#EXTINF:12 A - B\nx.mp3", "line 2: #EXTINF wants seconds"),
        (b"#EXTM3U\n#EXT-X-VERSION:3\nx.ts", "line 2: this is a stream"),
        (b"a\n" + b"x" * 5000, "line 2 has 5,000 characters"),
        (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "no text"),
        (b"<!doctype html><p>x", "line 1 begins with <"),
        (b"#EXTM3U\n", "no tracks"),
        (b"", "no tracks"),
        (b"x\n" * 5001, "5,001 tracks"),
        (b'{"playlist": {"track": [}', "line 1: this is no JSON"),
        (b'{"playlist":\n {"track":\n [}', "line 3: this is no JSON"),
        (b"[1]", "file is a list, want an object"),
        (b'{"a": 1}', "playlist is nothing, want an object"),
        (b'{"playlist": {"track": {}}}', "playlist.track is an object, want a list"),
        (b'{"playlist": {"track": []}}', "no tracks"),
        (b'{"playlist": {"track": [1]}}', "playlist.track[0] is a number"),
        (
            b'{"playlist": {"track": [{}, {"title": 3}]}}',
            "playlist.track[1].title is a number, want text",
        ),
        (
            b'{"playlist": {"track": [{"duration": "long"}]}}',
            "playlist.track[0].duration is text, want milliseconds",
        ),
        (
            b'{"playlist": {"track": [{"duration": 1e999}]}}',
            "playlist.track[0].duration is inf",
        ),
        (
            b'{"playlist": {"track": [{"location": [{}]}]}}',
            "playlist.track[0].location is an object, want addresses",
        ),
        (b'{"playlist": ' + b"[" * 200_000, "no program writes such JSON"),
        (b'{"playlist": ' + b"9" * 5_000 + b"}", "no program writes such JSON"),
    ],
)
def test_what_cannot_be_read_is_said_where(content: bytes, said: str) -> None:
    with pytest.raises(RefusedError) as caught:
        read_file(content)
    assert said in str(caught.value)
    assert caught.value.status == 400


def test_jspf_of_others_is_read() -> None:
    """The shape of ListenBrainz, and that of the specification."""
    tracks: list[dict[str, Any]] = [
        {
            "identifier": ["https://musicbrainz.org/recording/2bb3f8cc"],
            "creator": "Portishead",
            "title": "Roads",
            "album": "Dummy",
            "extension": {"https://musicbrainz.org/doc/jspf#track": {"added_by": "x"}},
        },
        {"location": "file:///music/a%20b.mp3", "duration": 1000, "title": "\ud800"},
    ]
    told = {"playlist": {"title": "Trip hop", "track": tracks}}
    file = read_file(json.dumps(told).encode())
    assert file.name == "Trip hop"
    first, second = file.entries
    assert (first.artist, first.title, first.album) == ("Portishead", "Roads", "Dummy")
    assert path_parts(second.location) == ["a b.mp3", "music"]
    assert (second.duration_ms, second.title) == (1000, "?")


@given(ROWS, st.text(max_size=20))
def test_what_we_write_we_read(rows: list[dict[str, Any]], name: str) -> None:
    name = f"A {name.encode('utf-8', 'replace').decode()}"
    ids = [row["track_id"] for row in rows]
    playlist = Playlist("ada", "k", name, ids, 0, 1, datetime(2026, 5, 3, tzinfo=UTC))
    written = {
        "m3u": write_m3u(name, rows),
        "jspf": write_jspf(playlist, rows),
    }
    for text in written.values():
        file = read_file(text.encode())
        assert [track_id_of(each.location) for each in file.entries] == ids
        assert checked_name(file.name) == checked_name(name)
    read = read_file(written["jspf"].encode()).entries
    assert [e.duration_ms or 0 for e in read] == [r["duration_ms"] or 0 for r in rows]


def test_no_line_of_a_tag_becomes_a_location() -> None:
    row = {
        "track_id": "t1",
        "artist": "A\nhttp://evil.example/",
        "title": "B\r#EXTINF",
        "album": "C\u2028D",
        "duration_ms": 1500,
    }
    assert write_m3u("x\ny", [row]).split("\n") == [
        "#EXTM3U",
        "#PLAYLIST:x y",
        "#EXTINF:2,A http://evil.example/ - B #EXTINF",
        "#EXTALB:C D",
        "urn:segue:track:t1",
        "",
    ]


@given(st.text(max_size=150))
def test_a_file_name_is_safe_and_a_header_has_no_second_line(name: str) -> None:
    safe = file_name(name, "jspf")
    assert not set(safe) & set('/\\:*?"<>|\r\n\0')
    assert safe.endswith(".jspf")
    assert not safe.startswith(".")
    if not any("\ud800" <= char <= "\udfff" for char in safe):
        header = disposition(safe)
        assert header.isascii()
        assert header.isprintable()


@given(st.binary(max_size=300))
def test_any_bytes_are_read_or_refused(content: bytes) -> None:
    try:
        file = read_file(content)
    except RefusedError:
        return
    for entry in file.entries:
        list(readings(entry))
        path_parts(entry.location)
        entry.name.encode()


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=30))
def test_an_id_is_the_same_after_its_urn(track_id: str) -> None:
    assert track_id_of(urn_of(track_id)) == track_id


def test_artist_and_title_in_one_are_read_each_way() -> None:
    names = [(n.artist, n.title) for n in readings(Entry(text="A - B - C"))]
    assert names == [("A", "B - C"), ("A - B", "C")]
    assert decode("é".encode("cp1252")) == "é"
    assert list(readings(Entry(text="only"))) == []


@pytest.mark.parametrize("name", ["", "  \n", "\u200b", "x" * 201, "\ud800"])
def test_a_name_that_cannot_be_taken(name: str) -> None:
    with pytest.raises(RefusedError):
        checked_name(name)
    assert checked_name("👩‍🎤\tmix") == "👩‍🎤 mix"


def test_many_entries_against_many_files_of_one_name_take_no_time() -> None:
    """The albums of a library have the same file name, and a playlist has it too."""
    tracks = [
        {"_id": f"t{n:04}", "path": f"/m/{n}/CD1/01.mp3", "duration_s": 100.0 + n / 2}
        for n in range(1000)
    ]
    tracks.append({"_id": "odd", "path": "/m/x/02.mp3", "duration_s": 50.0})
    near = [Entry("E:\\CD1\\01.mp3", duration_ms=10**5 + 100 * n) for n in range(2500)]
    lost = [Entry("x/01.mp3", text=f"lost {n}") for n in range(2500)]
    entries = [*near, *lost, *map(Entry, ("7/CD1/01.mp3", "02.mp3", "CD1/01.mp3"))]
    wanted = sought(entries)
    begin_s = time.thread_time()  # others may work beside it
    found = matched(entries, wanted, (), (), tracks)
    assert time.thread_time() - begin_s < 3  # it takes 0.1
    nearest = [f"t{round(n / 5):04}" for n in range(2500)]
    assert found.track_ids == [*nearest, "t0007", "odd", "t0000"]
    assert found.unmatched == [each.text for each in lost]


def test_many_attributes_of_a_line_take_no_time() -> None:
    line = "#EXTINF:1" + ' a="' * 1000 + " !"
    began = time.perf_counter()
    with pytest.raises(RefusedError, match="wants seconds"):
        read_file(f"#EXTM3U\n{line}\nx.mp3\n".encode())
    assert time.perf_counter() - began < 1.0
