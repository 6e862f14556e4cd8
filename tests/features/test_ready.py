from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from features.ready import ReadySummary, import_features
from features.ready_columns import find_layout, read_dimensions
from features.ready_file import open_ready
from features.space import fit_space, hub_scales, transform
from segue import store
from segue.errors import LibraryError
from segue.settings import Settings
from segue.track_index import read_track_index
from tests.conftest import CHECKOUT
from tests.features.tables import START

DATA = CHECKOUT.parent / "shared" / "data"
GTZAN = DATA / "gtzan" / "features_30_sec.csv"
FMA = DATA / "fma" / "features_5tracks_518.csv"
needs_gtzan = pytest.mark.skipif(not GTZAN.exists(), reason=f"no {GTZAN.name} here")
needs_fma = pytest.mark.skipif(not FMA.exists(), reason=f"no {FMA.name} here")


class Desk:
    """Imports files into one home, and keeps what was reported."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.settings = Settings(home=folder / "home")
        self.lines: list[str] = []

    def write(self, text: str, name: str = "features.csv") -> Path:
        path = self.folder / name
        path.write_text(text, encoding="utf-8")
        return path

    def take(self, path: Path) -> ReadySummary:
        self.lines.clear()
        summary = import_features(self.settings, path, START, self.lines.append)
        assert summary.adds_up
        return summary

    def ids(self) -> list[str]:
        return read_track_index(self.settings.home / "index").track_ids

    def parquet_files(self) -> list[Path]:
        return sorted((self.settings.home / "features").rglob("*.parquet"))


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def test_rows_become_points_of_unit_length(desk: Desk) -> None:
    path = desk.write("track_id,title,m_mean,m_var\nb,B,1,9\na,A,2,7\nc,,4,1.5e2\n")
    summary = desk.take(path)
    assert (summary.read, summary.imported, summary.n_dims) == (3, 3, 2)
    index = read_track_index(desk.settings.home / "index")
    assert index.track_ids == ["a", "b", "c"]
    assert index.version == summary.index_version
    np.testing.assert_allclose(np.linalg.norm(index.vectors, axis=1), 1, rtol=1e-6)


def test_importing_again_adds_nothing_and_what_changed_replaces(desk: Desk) -> None:
    text = "id,x,y\n1,1,9\n2,2,7\n3,4,1\n"
    first = desk.take(desk.write(text))
    files = desk.parquet_files()
    again = desk.take(desk.write(text))
    assert (again.known, again.imported) == (3, 0)
    assert again.index_version == first.index_version
    assert desk.parquet_files() == files

    more = desk.take(desk.write("y,id,x\n8,2,2\n5,4,5\n"))  # other order, same kind
    assert (more.imported, more.n_tracks) == (2, 4)
    assert more.index_version != first.index_version
    assert desk.take(desk.write("id,x,y\n2,2,8\n")).known == 1


def test_unusable_rows_are_counted_and_named(desk: Desk) -> None:
    rows = [
        "good,1,9",
        ",1,1",
        "gap,,1",
        "word,loud,1",
        "huge,1e39,1",
        "infinite,1,-inf",
        "good,5,5",
        "short,5",
        f"{'x' * 129},1,1",
        "fine,3,4",
    ]
    summary = desk.take(desk.write("track_id,x,y\n" + "\n".join(rows) + "\n"))
    assert (summary.imported, summary.duplicate, summary.invalid) == (2, 1, 7)
    assert desk.ids() == ["fine", "good"]
    told = "\n".join(desk.lines)
    for what in ("'gap': x is", "'word': x is", "'huge': x is", "'infinite': y is"):
        assert what in told
    assert "line 9 has 2 cells, not 3" in told
    assert "'good' occurred before" in told
    assert "row 2: its 'track_id' has not 1 to 128 characters" in told


def test_many_complaints_are_cut_short(desk: Desk) -> None:
    rows = "".join(f"{n},nan,1\n" for n in range(150))
    desk.take(desk.write(f"id,x,y\na,1,1\n{rows}"))
    assert len(desk.lines) == 101
    assert desk.lines[-1] == "… and 50 rows more"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "no whole CSV"),
        ("track_id,x\n", "has no rows|no whole CSV"),
        ("name,x\na,1\n", "no column names the tracks.*there are 'name', 'x'"),
        ("id,year,mood\n1,1999,sad\n", "no column holds numbers"),
        ("id,x\n,1\nb,nan\nc,0.5e99\n", "no row of .* is usable, of 3"),
        ("id,x,x\n1,1,1\n", "more than one column 'x'"),
    ],
)
def test_a_file_that_gives_nothing_is_one_clear_error(
    desk: Desk, text: str, message: str
) -> None:
    with pytest.raises(LibraryError, match=message):
        desk.take(desk.write(text))
    assert desk.parquet_files() == []
    assert not (desk.settings.home / "index").exists()


def test_a_file_that_breaks_off_leaves_nothing(desk: Desk) -> None:
    path = desk.write("id,x,y\n1,1,2\n")
    with path.open("ab") as file:
        file.write(b"2,\xff\xfe,1\n")
    with pytest.raises(LibraryError, match="no whole CSV"):
        desk.take(path)
    with pytest.raises(LibraryError, match=r"cannot read .*No such file"):
        desk.take(path.with_name("gone.csv"))
    with pytest.raises(LibraryError, match=r"cannot read .*directory"):
        desk.take(path.parent)
    assert desk.parquet_files() == []


def test_parquet_with_lists_and_numbers(desk: Desk) -> None:
    table = pa.table(
        {
            "path": ["x/c.mp3", "x/a.mp3", "x/b.mp3", "x/d.mp3"],
            "embedding": [[1.0], [1.0, 2, 3], [4.0, 5, 7], None],
            "tempo": pa.array([120, 90, 100, 80], pa.int16()),
            "is_live": [True, False, True, False],
            "__index_level_0__": [7, 8, 9, 10],
        }
    )
    path = desk.folder / "features.parquet"
    pq.write_table(table, path)
    summary = desk.take(path)
    assert (summary.imported, summary.invalid, summary.n_dims) == (2, 2, 4)
    assert any("'x/c.mp3': embedding[0] is no finite number" in x for x in desk.lines)
    assert "columns that are not used: is_live, __index_level_0__" in desk.lines


@pytest.mark.parametrize(
    "kind",
    [
        pa.list_(pa.float16()),
        pa.list_(pa.int8(), 2),
        pa.large_list(pa.float64()),
        pa.list_(pa.decimal128(9, 3)),
    ],
)
def test_lists_of_any_numbers_are_taken(desk: Desk, kind: pa.DataType) -> None:
    rows: list[Any] = [[1, 2], [3, 5], [4, None], None]
    if pa.types.is_float16(kind.value_type):
        rows = [row and [x and np.float16(x) for x in row] for row in rows]
    table = pa.table({"id": [5.0, 6.0, 7.0, 8.0], "v": pa.array(rows, kind)})
    pq.write_table(table, desk.folder / "features.parquet")
    summary = desk.take(desk.folder / "features.parquet")
    assert (summary.imported, summary.invalid, desk.ids()) == (2, 2, ["5", "6"])


def test_numbers_that_are_no_sound_are_no_dimensions(desk: Desk) -> None:
    names = "Unnamed: 0,track_id,album_id,year,duration_ms,label,energy,loudness"
    path = desk.write(f"{names}\n0,a,7,1999,1000,2,0.5,-9\n1,b,8,2001,2500,3,0.1,-5\n")
    with open_ready(path) as file:
        layout = find_layout(file.names, first := next(file.batches))
        assert [column.name for column in layout.columns] == ["energy", "loudness"]
        np.testing.assert_allclose(
            read_dimensions(first, layout), [[0.5, -9], [0.1, -5]]
        )
    assert desk.take(path).n_dims == 2


def test_the_header_of_fma_gives_blocks_and_titles(desk: Desk) -> None:
    folder = desk.folder
    desk.write(
        ",album,artist,track\n,title,name,title\ntrack_id,,,\n2,L,Ada,One\n",
        "tracks.csv",
    )
    path = desk.write(
        "feature,mfcc,mfcc,zcr\nstatistics,mean,std,mean\nnumber,01,01,01\n"
        "track_id,,,\n2,1,2,3\n3,4,6,1\n"
    )
    assert desk.take(path).imported == 2
    rows = pq.read_table(desk.parquet_files()[0]).to_pylist()
    assert [(row["title"], row["artist"]) for row in rows] == [
        ("One", "Ada"),
        ("3", None),
    ]
    flat = folder / "flat.csv"
    flat.write_text("track_id,zcr|mean|01,mfcc|mean|01,mfcc|std|01\n2,3,1,2\n3,1,4,6\n")
    assert desk.take(flat).n_tracks == 2
    assert len({file.parent for file in desk.parquet_files()}) == 1  # the same kind


@needs_fma
def test_the_features_of_fma_are_taken_as_published(desk: Desk) -> None:
    summary = desk.take(FMA)
    assert (summary.imported, summary.n_dims) == (5, 518)
    with open_ready(FMA) as file:
        layout = find_layout(file.names, next(file.batches))
    sizes = {name: dims.stop - dims.start for name, dims in layout.blocks.items()}
    assert (sizes["mfcc"], sizes["tonnetz"], sizes["zcr"]) == (140, 42, 7)
    assert len(sizes) == 11


@needs_gtzan
def test_gtzan_is_taken_as_published(desk: Desk) -> None:
    summary = desk.take(GTZAN)
    assert (summary.imported, summary.n_dims) == (1000, 57)
    assert any("'length'" in line for line in desk.lines)  # counts samples
    rows = pq.read_table(desk.parquet_files()[0]).to_pylist()
    assert (rows[0]["title"], rows[0]["genre"]) == ("blues.00000", "blues")


@needs_gtzan
@pytest.mark.parametrize(("only", "least"), [("", 0.68), ("mfcc", 0.62)])
def test_neighbours_in_gtzan_are_of_one_genre(
    rng: np.random.Generator, only: str, least: float
) -> None:
    """Ten folds, five neighbours; the best of 10 genres by chance is 0.1."""
    with open_ready(GTZAN) as file:
        layout = find_layout(file.names, rows := next(file.batches))
        blocks = layout.split(read_dimensions(rows, layout))
    genres = np.unique(rows["label"].to_pylist(), return_inverse=True)[1]
    blocks = {name: block for name, block in blocks.items() if only in name}
    fold = np.empty(len(genres), dtype=int)
    for genre in range(10):
        members = rng.permutation(np.flatnonzero(genres == genre))
        fold[members] = np.arange(len(members)) % 10
    right = [_right(blocks, genres, fold == held_out) for held_out in range(10)]
    assert np.mean(right) >= least


def _right(
    blocks: dict[str, Any], genres: np.ndarray[Any, Any], held_out: Any
) -> float:
    """Return the share of tracks whose neighbours in the others are of their genre."""
    weights = {name: float(block.shape[1]) for name, block in blocks.items()}
    others = {name: block[~held_out] for name, block in blocks.items()}
    space = fit_space(others, START, weights)
    points = transform(space, others)
    asked = transform(space, {name: block[held_out] for name, block in blocks.items()})
    scores = 1 - (1 - asked @ points.T) / hub_scales(space, points)
    nearest = np.argsort(-scores, axis=1)[:, :5]
    votes = [np.bincount(row, minlength=10) for row in genres[~held_out][nearest]]
    return float(np.mean(np.argmax(votes, axis=1) == genres[held_out]))


@pytest.mark.mongo
def test_the_catalogue_follows(
    settings: Callable[..., Settings], tmp_path: Path
) -> None:
    ours = settings()
    database = store.connect(ours.mongo)
    own = {"_id": "c", "path": "/music/c.ogg", "title": "Mine", "missing": False}
    own |= {"artist_id": "x", "genre_ids": [], "genres": [], "main_artist": "Ada"}
    own |= {"album": "Sea", "album_artist_tag": "Ada"}
    store.upsert(database, store.TRACKS, [own, {**own, "_id": "gone"}])
    path = tmp_path / "features.csv"
    path.write_text(
        "track_id,title,artist,genre,duration_s,x,y\n"
        "a,Low Tide,Ada feat. Bo,Dub; Jazz,61.5,1,2\nb,,,,,3,4\nc,Theirs,,,,5,7\n"
    )
    for _ in range(2):
        import_features(ours, path, START, print)
    tracks = {row["_id"]: row for row in database[store.TRACKS].find()}
    low_tide = tracks["a"]
    assert (low_tide["title"], low_tide["main_artist"]) == ("Low Tide", "Ada")
    assert (low_tide["genres"], low_tide["duration_s"]) == (["Dub", "Jazz"], 61.5)
    assert (low_tide["path"], low_tide["missing"]) == (None, False)
    assert low_tide["recording_id"] == "a"
    assert tracks["b"]["artist"] == "Unknown artist"
    assert (tracks["c"]["title"], tracks["c"]["path"]) == ("Mine", "/music/c.ogg")
    assert tracks["gone"]["missing"]
    assert {row["name"] for row in database[store.GENRES].find()} == {"Dub", "Jazz"}
    database.client.close()
