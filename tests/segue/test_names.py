import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from segue.names import (
    MAX_GENRES,
    album_id_of,
    artist_id_of,
    genre_id_of,
    main_artist,
    name_key,
    split_genres,
)
from segue.recordings import normal_title
from segue.track_names import name_id_of


def test_spellings_of_one_name_are_one_artist() -> None:
    spellings = ["Björk", "BJÖRK", " Björk ", "Bjo\u0308rk", "\uff22jörk"]
    assert len(set(map(artist_id_of, spellings))) == 1
    assert artist_id_of("Bjork") != artist_id_of("Björk")
    assert artist_id_of("Straße") == artist_id_of("STRASSE")


@given(st.text())
def test_a_key_is_its_own_key_and_every_name_has_an_id(name: str) -> None:
    assert name_key(name_key(name)) == name_key(name)
    assert len(artist_id_of(name)) == 16


def test_albums_of_one_name_by_two_artists_are_two() -> None:
    assert album_id_of("Ada", "Sea") == album_id_of("ADA", "sea ")
    assert album_id_of("Ada", "Sea") != album_id_of("Bo", "Sea")
    assert album_id_of("Ada B", "Sea") != album_id_of("Ada", "B Sea")


def test_spellings_of_a_genre_are_one() -> None:
    assert genre_id_of("Hip-Hop") == genre_id_of("hip hop")
    assert genre_id_of("Hip-Hop") != genre_id_of("Hop")


@pytest.mark.parametrize(
    ("text", "genres"),
    [
        ("Rock", ["Rock"]),
        ("Rock; Metal/Pop", ["Rock", "Metal", "Pop"]),
        ("Rock\x00Pop", ["Rock", "Pop"]),
        ("R&B", ["R&B"]),
        ("Drum & Bass|Drum  & bass", ["Drum & Bass"]),
        (" ; / ", []),
        ("", []),
    ],
)
def test_a_tag_may_name_several_genres(text: str, genres: list[str]) -> None:
    assert split_genres([text]) == genres


def test_no_file_has_a_hundred_genres() -> None:
    assert len(split_genres([";".join(map(str, range(100)))])) == MAX_GENRES


@pytest.mark.parametrize("artist", ["feat. Bo", "Feats", "Lift Ft", ""])
def test_a_name_is_never_all_guests(artist: str) -> None:
    assert main_artist(artist) == artist


@pytest.mark.parametrize("space", [" ", "\t", "\u2003", " feat", " - "])
def test_a_run_of_spaces_takes_no_time(space: str) -> None:
    long = f"a{space * 10_000}b"
    began = time.perf_counter()
    main_artist(long)
    normal_title(long)
    name_id_of(long, long)
    assert time.perf_counter() - began < 1.0  # it took ten
