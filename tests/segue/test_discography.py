"""Artists, albums and genres as a real MongoDB makes them from the tracks."""

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from segue import store
from segue.discography import album_artists, refresh_discography
from segue.names import album_id_of, artist_id_of, genre_id_of
from segue.store import Document
from segue.tags import UNKNOWN_ALBUM, UNKNOWN_ARTIST
from tests.segue.music import Library
from tests.segue.test_covers import JPEG


def track(
    track_id: str,
    artist: str,
    album: str = "Sea",
    folder: str = "x",
    album_artist: str | None = None,
) -> Document:
    return {
        "_id": track_id,
        "path": f"/music/{folder}/{track_id}.ogg",
        "album": album,
        "main_artist": artist,
        "album_artist_tag": album_artist,
    }


@pytest.mark.parametrize(
    ("tracks", "by"),
    [
        ([track("a", "Ada"), track("b", "ADA ")], {"a": "ADA ", "b": "ADA "}),
        (
            [track("a", "Ada"), track("b", "Bo")],
            {"a": "Various artists", "b": "Various artists"},
        ),
        (
            [track("a", "Ada"), track("b", "Bo", folder="y")],
            {"a": "Ada", "b": "Bo"},
        ),
        (
            [track("a", "Ada", album_artist="DJ Cy"), track("b", "Bo")],
            {"a": "DJ Cy", "b": "Bo"},
        ),
        (
            [track("a", "Ada", UNKNOWN_ALBUM), track("b", "Bo", UNKNOWN_ALBUM)],
            {"a": "Ada", "b": "Bo"},
        ),
        ([track("a", "Ada"), track("b", UNKNOWN_ARTIST)], {"a": "Ada", "b": "Ada"}),
        ([track("a", UNKNOWN_ARTIST)], {"a": UNKNOWN_ARTIST}),
        ([], {}),
    ],
)
def test_an_album_is_by_its_artist_or_by_various(
    tracks: list[Document], by: Mapping[str, str]
) -> None:
    assert album_artists(tracks) == by
    assert album_artists(reversed(tracks)) == by


def by_name(library: Library, collection: str) -> dict[str, Document]:
    return {each["name"]: each for each in library.database[collection].find()}


@pytest.mark.mongo
def test_artists_albums_and_genres_sum_up_their_tracks(library: Library) -> None:
    add = library.add_tagged
    add("Ada/Sea/1.ogg", 1, artist="Ada", album="Sea", genre="Dub; House", date="1999")
    add("Ada/Sea/2.ogg", 2, artist="ada ft. Bo", album="Sea", genre="dub", date="2001")
    add("Ada/Sea/3.ogg", 3, artist="Ada", album="Sea", tracknumber="1")
    add("Ada/Lake/1.ogg", 4, artist="Ada", album="Lake", date="1990")
    add("Mix/1.ogg", 5, artist="Bo", album="Mix", genre="House")
    add("Mix/2.ogg", 6, artist="Cy", album="Mix", genre="House")
    (library.music / "Ada" / "Lake" / "cover.jpg").write_bytes(JPEG)
    library.scan(new=6)
    tracks = library.documents()

    artists = by_name(library, store.ARTISTS)
    assert set(artists) == {"Ada", "Bo", "Cy"}
    ada = artists["Ada"]
    assert ada["duration_s"] == pytest.approx(4 * 0.3, abs=0.1)
    assert ada | {"duration_s": 0} == {
        "_id": artist_id_of("ADA"),
        "name": "Ada",
        "n_tracks": 4,
        "n_albums": 2,
        "duration_s": 0,
        "first_year": 1990,
        "last_year": 2001,
        "cover_track_id": tracks["Ada/Lake/1.ogg"]["_id"],
    }
    albums = by_name(library, store.ALBUMS)
    assert set(albums) == {"Sea", "Lake", "Mix"}
    assert albums["Mix"]["_id"] == album_id_of("Various artists", "mix")
    assert (albums["Mix"]["artist"], albums["Mix"]["n_artists"]) == (
        "Various artists",
        2,
    )
    sea = albums["Sea"]
    assert (sea["artist"], sea["artist_id"]) == ("Ada", ada["_id"])
    assert (sea["n_tracks"], sea["first_year"], sea["last_year"]) == (3, 1999, 2001)
    assert sea["cover_track_id"] == tracks["Ada/Sea/3.ogg"]["_id"]  # none has a cover
    genres = by_name(library, store.GENRES)
    assert {name: genre["n_tracks"] for name, genre in genres.items()} == {
        "Dub": 2,
        "House": 3,
    }
    house = genres["House"]
    assert (house["_id"], house["n_artists"], house["n_albums"]) == (
        genre_id_of("house"),
        3,
        2,
    )


@pytest.mark.mongo
def test_counts_add_up_and_every_id_leads_to_its_document(library: Library) -> None:
    names = ["Ada/Sea/1", "Ada/Sea/2", "Bo/Lake/1", "Mix/1", "2", "Bo/3"]
    for seed, name in enumerate(names):
        library.add_tagged(f"{name}.ogg", seed, genre=("Dub", "House;Dub")[seed % 2])
    library.scan(new=6)
    tracks = library.documents().values()
    assert sum(a["n_tracks"] for a in by_name(library, store.ARTISTS).values()) == 6
    assert sum(a["n_tracks"] for a in library.database[store.ALBUMS].find()) == 6
    n_genres = sum(len(each["genre_ids"]) for each in tracks)
    assert sum(g["n_tracks"] for g in by_name(library, store.GENRES).values()) == 9
    assert n_genres == 9
    for collection, ids in [
        (store.ARTISTS, {each["artist_id"] for each in tracks}),
        (store.ALBUMS, {each["album_id"] for each in tracks}),
        (store.GENRES, {g for each in tracks for g in each["genre_ids"]}),
    ]:
        assert set(library.database[collection].distinct("_id")) == ids


@pytest.mark.mongo
def test_what_has_no_track_left_is_gone_and_comes_back(library: Library) -> None:
    path = library.add("Ada/Sea/1.ogg", seed=1)
    library.add("Bo/Lake/1.ogg", seed=2)
    library.scan(new=2)
    content = path.read_bytes()
    before = by_name(library, store.ALBUMS)
    path.unlink()
    library.scan(known=1, missing=1)
    assert set(by_name(library, store.ARTISTS)) == {"Bo"}
    assert set(by_name(library, store.ALBUMS)) == {"Lake"}
    path.write_bytes(content)
    library.scan(known=1, changed=1)
    assert by_name(library, store.ALBUMS) == before


@pytest.mark.mongo
def test_a_track_that_makes_an_album_a_compilation_moves_all(library: Library) -> None:
    library.add_tagged("Mix/1.ogg", 1, artist="Ada", album="Mix")
    library.scan(new=1)
    assert by_name(library, store.ALBUMS)["Mix"]["artist"] == "Ada"
    library.add_tagged("Mix/2.ogg", 2, artist="Bo", album="Mix")
    library.scan(known=1, new=1)
    (album,) = library.database[store.ALBUMS].find()
    assert (album["artist"], album["n_tracks"]) == ("Various artists", 2)


@pytest.mark.mongo
def test_doing_it_again_writes_nothing(library: Library) -> None:
    for seed in range(3):
        library.add_tagged(f"Ada/Sea/{seed}.ogg", seed, genre="Dub;House")
    library.scan(new=3)
    with library.database.watch() as changes:
        refresh_discography(library.database)
        library.database["end"].insert_one({"_id": "end"})
        assert next(changes)["ns"]["coll"] == "end"


@given(st.permutations(["Ada", "ada", "ADA", UNKNOWN_ARTIST]))
def test_the_spelling_of_an_albums_artist_does_not_depend_on_order(
    names: list[str],
) -> None:
    tracks = [track(f"t{i}", name) for i, name in enumerate(names)]
    assert set(album_artists(tracks).values()) == {"ADA"}
