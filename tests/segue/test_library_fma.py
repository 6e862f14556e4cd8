"""Scans of the FMA layout into a real MongoDB."""

import pytest

from segue.names import genre_id_of
from tests.segue.music import Library
from tests.segue.test_fma import ROW, write_fma

pytestmark = pytest.mark.mongo


def test_the_layout_of_the_fma_data_set_is_known(library: Library) -> None:
    library.add("fma_small/000/000002.ogg", seed=1)
    library.add("fma_small/000/000003.ogg", seed=2)
    library.add("fma_small/000/000009.ogg", seed=3)
    tracks_csv = library.music / "fma_metadata" / "tracks.csv"
    write_fma(tracks_csv, {2: ROW, 3: ROW | {"track title": "Ebb"}})
    library.scan(new=3)
    told = {t["title"]: t for t in library.documents().values()}
    assert set(told) == {"Tide, low", "Ebb", "000009"}
    assert (told["Ebb"]["artist"], told["Ebb"]["album"]) == ("Ada", "Sea")
    assert told["Ebb"]["genre_ids"] == [genre_id_of("hip hop")]
    assert told["Ebb"]["duration_s"] == pytest.approx(0.3, abs=0.1)
    library.scan(known=3)

    library.music /= "fma_small"  # the metadata lies beside it
    library.scan(changed=3)
    write_fma(tracks_csv, {2: ROW, 3: ROW | {"track title": "Ebb tide"}})
    library.scan(changed=2, known=1)
    assert "Ebb tide" in {t["title"] for t in library.documents().values()}
    library.scan(known=3)
    assert library.lines == []


def test_a_broken_tracks_csv_is_one_line_and_the_tags_stand(library: Library) -> None:
    library.add("000/000002.ogg", seed=1)
    library.add("000/000003.ogg", seed=2)
    (library.music / "tracks.csv").write_text("title,artist\nSea,Ada\n")
    library.scan(new=2)
    assert {t["title"] for t in library.documents().values()} == {"000002", "000003"}
    (line,) = library.lines
    assert "it is no tracks.csv of the FMA" in line


def test_a_tracks_csv_beside_other_music_is_not_looked_at(library: Library) -> None:
    library.add("Ada/1.ogg", seed=1)
    (library.music / "tracks.csv").write_text("title,artist\nSea,Ada\n")
    library.scan(new=1)
    assert library.lines == []
