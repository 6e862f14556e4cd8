"""The files of three services, whole, odd and hostile."""

import gzip
import json
import tempfile
import tracemalloc
import zipfile
from collections import Counter
from contextlib import closing, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from segue.errors import HistoryError
from segue.events import Action
from segue.track_names import TrackName
from streaming.importers.pieces import MAX_PIECE_CHARS
from streaming.importers.play import Line, Play, Refusal
from streaming.importers.run import READERS, read_lines
from streaming.importers.source import Source

EVENING = datetime(2021, 5, 3, 22, 10, tzinfo=UTC)


def extended(**changes: Any) -> dict[str, Any]:
    return {
        "ts": "2021-05-03T22:10:00Z",
        "platform": "linux",
        "ms_played": 201_000,
        "master_metadata_track_name": "Low Tide",
        "master_metadata_album_artist_name": "Ada",
        "master_metadata_album_album_name": "Sea",
        "reason_start": "trackdone",
        "reason_end": "trackdone",
        "skipped": False,
        "incognito_mode": False,
    } | changes


def listen(**changes: Any) -> dict[str, Any]:
    return {
        "listened_at": int(EVENING.timestamp()),
        "track_metadata": {"artist_name": "Ada", "track_name": "Low Tide"},
    } | changes


def read(path: Path, kind: str, content: bytes | str) -> list[Line]:
    data = content.encode() if isinstance(content, str) else content
    path.write_bytes(data)
    source = Source(path)
    try:
        return list(read_lines(source, kind))
    finally:
        source.close()


def reasons(lines: list[Line]) -> Counter[str]:
    return Counter(str(e.reason) if isinstance(e, Refusal) else "play" for e in lines)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "history"


@pytest.mark.parametrize(
    ("end", "skipped", "action"),
    [
        ("trackdone", False, Action.COMPLETED),
        ("fwdbtn", None, Action.SKIPPED),
        ("backbtn", False, Action.SKIPPED),
        ("endplay", False, Action.SKIPPED),
        ("logout", False, Action.PROGRESSED),
        (None, True, Action.SKIPPED),
    ],
)
def test_spotify_says_why_a_play_ended(
    path: Path, end: str | None, skipped: bool | None, action: Action
) -> None:
    content = json.dumps([extended(reason_end=end, skipped=skipped)])
    (play,) = read(path, "spotify", content)
    assert play == Play(TrackName("Ada", "Low Tide", "Sea"), EVENING, action, 201_000)


def test_spotify_older_files_are_read(path: Path) -> None:
    rows = [
        {"endTime": "2021-05-03 22:10", "artistName": "Ada", "trackName": "Low Tide"}
        | {"msPlayed": ms}
        for ms in (31_000, 4_000)
    ]
    long, short = read(path, "spotify", json.dumps(rows, indent=2))
    assert isinstance(long, Play)
    assert isinstance(short, Play)
    assert (long.at, long.action, long.played_ms) == (EVENING, Action.COMPLETED, 31_000)
    assert short.action is Action.SKIPPED


def test_a_zip_as_spotify_sends_it_and_gzip(tmp_path: Path) -> None:
    archive = tmp_path / "my_spotify_data.zip"
    with zipfile.ZipFile(archive, "w") as file:
        for n in range(2):
            file.writestr(f"data/Streaming_History_{n}.json", json.dumps([extended()]))
        file.writestr("data/ReadMeFirst.pdf", b"%PDF")
        file.writestr("data/Playlist1.json", b"{}")
    assert reasons(read(archive, "spotify", archive.read_bytes())) == {"play": 2}
    zipped = gzip.compress(json.dumps(listen()).encode())
    assert reasons(read(tmp_path / "l.gz", "listenbrainz", zipped)) == {"play": 1}


def test_listenbrainz_in_all_its_shapes(path: Path) -> None:
    told = listen()
    shapes = [
        json.dumps(told) + "\n" + json.dumps(told) + "\n",
        json.dumps([told, told]),
        json.dumps({"payload": {"count": 2, "listens": [told, told]}}, indent=1),
        json.dumps(told, indent=4) + json.dumps(told, indent=4) + "\n",
        json.dumps({"listen_type": "import", "payload": [told, told]}),
    ]
    for shape in shapes:
        lines = read(path, "listenbrainz", shape)
        assert (
            lines == [Play(TrackName("Ada", "Low Tide"), EVENING, Action.COMPLETED)] * 2
        ), shape


def test_listenbrainz_durations_come_in_many_ways(path: Path) -> None:
    def play(**info: Any) -> Any:
        told = listen()["track_metadata"] | {"additional_info": info}
        (line,) = read(path, "listenbrainz", json.dumps(listen(track_metadata=told)))
        return line

    assert play(duration_ms=1222.6).name.duration_ms == 1223
    assert play(duration="201").name.duration_ms == 201_000
    assert play(duration_ms="soon", duration=True).name.duration_ms == 1000
    assert play(duration_ms=-5).name.duration_ms is None
    heard = play(duration_played=60)
    assert (heard.played_ms, heard.at) == (60_000, EVENING.replace(minute=11))


@pytest.mark.parametrize(
    "content",
    [
        "Ada,Sea,Low Tide,03 May 2021 22:10\n",
        "\ufeffuts,utc_time,artist,artist_mbid,album,album_mbid,track,track_mbid\r\n"
        '"1620079800","03 May 2021, 22:10","Ada","","Sea","","Low Tide",""\r\n',
        "Artist,Album,Song,Date\nAda,Sea,Low Tide,2021-05-03 22:10:00\n",
        "user\t2021-05-04T00:10:00+02:00\tmbid\tAda\tmbid\tLow Tide\n",
    ],
)
def test_lastfm_tables_are_read(path: Path, content: str) -> None:
    (play,) = read(path, "lastfm", content)
    assert isinstance(play, Play)
    assert (play.name.artist, play.name.title, play.at) == ("Ada", "Low Tide", EVENING)
    assert play.listener == ("user" if "\t" in content else None)


def test_quotes_and_newlines_in_titles_stay_in_them(path: Path) -> None:
    rows = '"A ""B"" C",Sea,"Low\nTide, again",03 May 2021 22:10\n'
    (play,) = read(path, "lastfm", rows)
    assert isinstance(play, Play)
    assert (play.name.artist, play.name.title) == ('A "B" C', "Low\nTide, again")


def test_a_quote_without_end_costs_its_line_alone(path: Path) -> None:
    good = "Ada,Sea,Low Tide,03 May 2021 22:10\n"
    content = good + 'Ada,"Sea,Low Tide,03 May 2021 22:10\n' + good * 30
    assert reasons(read(path, "lastfm", content)) == {"play": 31, "wrong_value": 1}


NESTED = "[" * 100_000


@pytest.mark.parametrize(
    ("kind", "content", "expected"),
    [
        ("spotify", json.dumps([extended()] * 3)[:-40], {"play": 2, "truncated": 1}),
        ("spotify", "[", {"truncated": 1}),
        ("spotify", "", {}),
        ("spotify", f'[{{"ts": {NESTED}}}]', {"not_json": 1}),
        ("spotify", json.dumps([extended(), 5, None]), {"play": 1, "wrong_shape": 2}),
        (
            "spotify",
            f'[{{"ts": oops}}, {json.dumps(extended())}]',
            {"not_json": 1, "play": 1},
        ),
        ("spotify", '[{"ts": "a", "ts": "b"}]', {"not_json": 1}),
        (
            "spotify",
            json.dumps([extended(ts="9999-12-31T23:59:59Z"), extended(ts="-5")]),
            {"play": 1, "bad_time": 1},
        ),
        ("spotify", json.dumps([extended(ms_played=-1)]), {"negative": 1}),
        (
            "spotify",
            json.dumps([extended(master_metadata_track_name=None)]),
            {"not_music": 1},
        ),
        ("listenbrainz", json.dumps(listen(listened_at=-1)), {"bad_time": 1}),
        ("listenbrainz", json.dumps(listen(listened_at=10**300)), {"bad_time": 1}),
        ("listenbrainz", f"{NESTED}\n", {"not_json": 1}),
        (
            "listenbrainz",
            f'{{"a": {NESTED}\n{json.dumps(listen())}',
            {"not_json": 1, "play": 1},
        ),
        ("lastfm", "Ada,Sea,Low Tide,yesterday\n", {"bad_time": 1}),
        ("lastfm", "Ada\n", {"wrong_shape": 1}),
        ("lastfm", ",,,03 May 2021 22:10\n", {"missing_field": 1}),
        ("lastfm", b"Ad\xe9,Sea,Low Tide,03 May 2021 22:10\n", {"wrong_encoding": 1}),
        (
            "lastfm",
            "Ada,Sea,Low Tide,03 May 2021 22:10\n".encode("utf-16"),
            {"play": 1},
        ),
    ],
)
def test_hostile_input_is_counted_with_a_reason(
    path: Path, kind: str, content: bytes | str, expected: dict[str, int]
) -> None:
    assert reasons(read(path, kind, content)) == expected


def test_a_line_without_end_is_passed_over(path: Path) -> None:
    good = json.dumps(listen())
    long = "x" * (3 * MAX_PIECE_CHARS)
    lines = read(path, "listenbrainz", f"{good}\n{long}\n{good}\n{long}")
    assert reasons(lines) == {"play": 2, "too_large": 2}


def test_blanks_behind_a_broken_element_are_gone_through_once(path: Path) -> None:
    # with a pattern that goes back, this takes longer than anybody waits
    content = '[{"ts": oops} ' + " " * 1_000_000 + "x{}]"
    assert reasons(read(path, "spotify", content)) == {"truncated": 1}


@given(st.sampled_from(sorted(READERS)), st.binary(max_size=300))
def test_no_bytes_at_all_end_in_anything_but_lines_or_one_error(
    kind: str, content: bytes
) -> None:
    with tempfile.NamedTemporaryFile() as file, suppress(HistoryError):
        assert all(
            isinstance(line, Play | Refusal)
            for line in read(Path(file.name), kind, content)
        )


def test_an_element_that_is_too_large_is_passed_over(path: Path) -> None:
    long = extended(spotify_track_uri="x" * 3_000_000)
    content = json.dumps([extended(), long, extended()])
    assert reasons(read(path, "spotify", content)) == {"play": 2, "too_large": 1}


def test_a_broken_element_before_a_long_gap_loses_no_other(path: Path) -> None:
    gap = " " * 300_000 + "," + "\n" * 200_000
    content = '[{"ts": oops}' + gap + json.dumps(extended()) + "]"
    assert reasons(read(path, "spotify", content)) == {"play": 1, "not_json": 1}


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_utf_16_is_known_without_its_mark(path: Path, encoding: str) -> None:
    content = json.dumps([extended(master_metadata_track_name="Dias")])
    (play,) = read(path, "spotify", content.encode(encoding))
    assert isinstance(play, Play)
    assert play.name.title == "Dias"


def test_the_table_of_lastfmstats_has_milliseconds_and_semicolons(path: Path) -> None:
    content = (
        "\ufeffArtist;Album;AlbumId;Track;Date#ada\n"
        '"Ada";"Sea; Hills";"";"Low ""Tide""";"1620079800000"\n'
        "Ada;;;Tide;soon\n"
    )
    play, refusal = read(path, "lastfm", content)
    assert isinstance(play, Play)
    assert play.name == TrackName("Ada", 'Low "Tide"', "Sea; Hills")
    assert play.at == datetime(2021, 5, 3, 22, 10, tzinfo=UTC)
    assert isinstance(refusal, Refusal)
    assert refusal.reason == "bad_time"


def test_a_zip_with_a_password_says_what_to_do(path: Path) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("Streaming_History_Audio.json", json.dumps([extended()]))
    content = bytearray(path.read_bytes())
    for mark, flags in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        content[content.index(mark) + flags] |= 1
    with pytest.raises(HistoryError, match="password; unpack it"):
        read(path, "spotify", bytes(content))


@pytest.mark.parametrize(
    ("kind", "content", "said"),
    [
        ("lastfm", json.dumps([extended()]), "looks like a history of spotify"),
        ("listenbrainz", json.dumps([extended()]), "segue import spotify"),
        ("spotify", json.dumps(listen()), "looks like a history of listenbrainz"),
        ("lastfm", "<!DOCTYPE html><html>", "is a web page"),
        ("lastfm", "[1]", "is JSON"),
        ("spotify", "Ada,Sea,Low Tide,03 May 2021 22:10", "segue import lastfm"),
        ("spotify", b"PK\x03\x04 no zip", "is damaged"),
        ("listenbrainz", b"\x1f\x8b no gzip", "is damaged"),
    ],
)
def test_the_wrong_file_is_one_clear_error(
    path: Path, kind: str, content: bytes | str, said: str
) -> None:
    with pytest.raises(HistoryError, match=said):
        read(path, kind, content)


@pytest.mark.parametrize("kind", sorted(READERS))
def test_a_line_of_100_megabytes_is_one_refusal_in_little_memory(
    path: Path, kind: str
) -> None:
    with path.open("wb") as file:
        for _ in range(100):
            file.write(b"x" * (1 << 20))
    tracemalloc.start()
    with closing(Source(path)) as source:
        lines = list(read_lines(source, kind))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert reasons(lines) == {"too_large": 1}
    assert peak < 8 << 20
