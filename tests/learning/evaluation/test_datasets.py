"""Data sets as their files are, and the split of what they hold."""

import json
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest

from learning.evaluation.datasets import (
    KINDS,
    Dataset,
    Said,
    create_dataset,
    read_archived,
    read_hetrec,
    read_lastfm_1k,
    read_listenbrainz,
    read_movielens,
)
from learning.evaluation.splits import split, together
from models.forgetting import forget_rule
from segue.cli_models import DATA_KINDS
from segue.errors import HistoryError
from segue.events import Scope
from segue.settings import Settings
from streaming.archive_forgetting import forget_in
from tests.factories import START
from tests.learning.archives import archive, event

DATA = Path(__file__).resolve().parents[4] / "shared" / "data"


def rows_of(dataset: Dataset) -> list[tuple[str, str, float, int]]:
    plays = dataset.plays
    return [
        (dataset.listeners[who], dataset.items[what], weight, at_s)
        for who, what, weight, at_s in zip(
            plays.listeners,
            plays.items,
            plays.weights.tolist(),
            plays.at_s.tolist(),
            strict=True,
        )
    ]


def test_movielens_stars_are_weights(tmp_path: Path) -> None:
    file = tmp_path / "u.data"
    file.write_text("9\t5\t5\t100\n9\t6\t3\t101\n8\t5\t1\t102\n7\t5\t4\t103\n")
    read = read_movielens(file)
    assert rows_of(read) == [
        ("9", "5", 1.0, 100),
        ("9", "6", 0.0, 101),
        ("8", "5", -1.0, 102),
        ("7", "5", 0.5, 103),
    ]
    assert read.has_times
    assert read.artists is None


def test_hetrec_has_plays_and_no_times(tmp_path: Path) -> None:
    (tmp_path / "user_artists.dat").write_text(
        "userID\tartistID\tweight\n2\t51\t13883\n2\t52\t0\n3\t51\t7\n"
    )
    read = read_hetrec(tmp_path)
    assert rows_of(read) == [
        ("2", "51", 13_883.0, 0),
        ("2", "52", 0.0, 0),
        ("3", "51", 7.0, 0),
    ]
    assert not read.has_times


def test_lastfm_1k_tells_tracks_by_name(tmp_path: Path) -> None:
    file = tmp_path / "plays.tsv"
    file.write_text(
        "u1\t2009-05-04T23:08:57Z\tid\tThe Band\t\tOne Song\n"
        "u1\t2009-05-04T23:01:00Z\tid\tBand\t\tone song\n"
        "u2\tno time\tid\tBand\t\tAnother\n"
        "u2\t2009-05-05T01:00:00Z\tid\tBand feat. Zed\t\tAnother\n"
        "u2\t2009-05-05T00:00:00Z\tid\tElse\t\tOther\n"
    )
    read = read_lastfm_1k(file)
    plays = read.plays
    assert read.listeners == ["u1", "u2"]
    assert plays.items[0] == plays.items[1] != plays.items[2]
    assert read.n_refused == 1
    assert read.artists is not None
    assert [read.artists[item] for item in plays.items] == [0, 0, 0, 1]


def test_listens_of_listenbrainz(tmp_path: Path) -> None:
    listen = {
        "listened_at": 1_600_000_000,
        "user_name": "ada",
        "track_metadata": {"artist_name": "Band", "track_name": "Song"},
    }
    file = tmp_path / "listens.jsonl"
    file.write_text(
        f"{json.dumps(listen)}\n{json.dumps(listen | {'listened_at': 1})}\n"
    )
    read = read_listenbrainz(file)
    assert len(read.plays.weights) >= 1
    assert read.has_times


def test_the_archive_says_what_the_stream_would(tmp_path: Path) -> None:
    archive(
        tmp_path,
        [
            event("ada", "a", "progressed", play_id="p", played_ms=45_000),
            event("ada", "a", "completed", play_id="p"),
            event("bob", "b", "skipped", played_ms=0),
            event("bob", "b", "liked", event_time=START + timedelta(days=1)),
            event("bob", "b", "unliked", event_time=START + timedelta(days=2)),
        ],
    )
    at_s = int(START.timestamp())
    assert rows_of(read_archived(Settings(home=tmp_path))) == [
        ("ada", "a", 1.0, at_s),
        ("bob", "b", -1.0, at_s),
        ("bob", "b", 2.0, at_s + 86_400),
        ("bob", "b", 0.0, at_s + 2 * 86_400),  # what is taken back was liked until then
    ]


HETREC = "userID\tartistID\tweight\n"


@pytest.mark.parametrize(
    ("kind", "content", "says"),
    [
        ("movielens", "1\t2\tfive\t9\n", "line 1"),
        ("movielens", "1\t2\n", "got 2 columns, want 4"),
        ("movielens", "1\t2\tnan\t9\n", "no number of stars"),
        ("movielens", "1\t2\t9\t9\n", "no number of stars"),
        ("movielens", "", "no play"),
        ("hetrec", f"{HETREC}1\t2\t-3\n", "no number of plays"),
        ("hetrec", f"{HETREC}1\t2\tnan\n", "no number of plays"),
        ("hetrec", f"{HETREC}1\t2\n", "got 2 columns, want 3"),
        ("hetrec", "196\t242\t3\t881250949\n", "want the columns userID, artistID"),
        ("lastfm-1k", "rubbish\n", "no play"),
    ],
)
def test_what_is_no_data_set_is_told(
    tmp_path: Path, kind: str, content: str, says: str
) -> None:
    file = tmp_path / "file"
    file.write_text(content)
    with pytest.raises(HistoryError, match=says):
        KINDS[kind](file)


def test_a_folder_without_the_file_is_told(tmp_path: Path) -> None:
    for read in (read_movielens, read_lastfm_1k, read_hetrec):
        with pytest.raises(HistoryError, match="cannot read"):
            read(tmp_path)


def test_the_command_line_knows_the_kinds() -> None:
    assert sorted(KINDS) == sorted(DATA_KINDS)


def test_a_date_of_which_all_was_forgotten_is_passed_over(tmp_path: Path) -> None:
    later = START + timedelta(days=1)
    archive(tmp_path, [event("ada", "a"), event("bob", "b", event_time=later)])
    rule = forget_rule(Scope.EVERYTHING, START, None, "p", "s", [])
    forget_in(tmp_path / "events" / "event_date=2026-05-03", {"ada": (rule,)})
    assert read_archived(Settings(home=tmp_path)).listeners == ["bob"]


def test_an_empty_archive_is_told(tmp_path: Path) -> None:
    with pytest.raises(HistoryError, match=r"nothing is archived in .*segue import"):
        read_archived(Settings(home=tmp_path))


def some_said(n: int, *, with_times: bool = True) -> list[Said]:
    rng = np.random.default_rng(1)
    return [
        Said(
            f"u{rng.integers(9)}",
            f"i{rng.integers(30)}",
            1.0,
            int(rng.integers(1, 500)) if with_times else 0,
        )
        for _ in range(n)
    ]


def test_nothing_of_the_past_is_later_than_the_future() -> None:
    periods = split(create_dataset("some", some_said(1_000)), 0.1, 0.1)
    assert periods.how == "time"
    sizes = [
        len(each.weights) for each in (periods.past, periods.present, periods.future)
    ]
    assert sum(sizes) == 1_000
    assert sizes[0] > 780
    assert min(sizes) > 80
    assert periods.past.at_s.max() < periods.present.at_s.min()
    assert periods.present.at_s.max() < periods.future.at_s.min()
    before = together(periods.past, periods.present)
    assert len(before.weights) == sizes[0] + sizes[1]


def test_without_times_the_lot_decides_the_same_each_time() -> None:
    dataset = create_dataset("some", some_said(100, with_times=False))
    one, two = split(dataset, 0.1, 0.1), split(dataset, 0.1, 0.1)
    assert one.how == "random"
    assert (len(one.past.weights), len(one.future.weights)) == (80, 10)
    np.testing.assert_array_equal(one.future.items, two.future.items)


@pytest.mark.parametrize(
    ("kind", "file", "n_listeners"),
    [
        ("movielens", "movielens_100k/u.data", 943),
        ("hetrec", "hetrec2011_lastfm_2k", 1_890),
        (
            "lastfm-1k",
            "lastfm1k_slice/userid-timestamp-artid-artname-traid-traname.tsv",
            2,
        ),
    ],
)
def test_the_real_files_are_read(kind: str, file: str, n_listeners: int) -> None:
    if not (DATA / file).exists():
        pytest.skip(f"no {file} here")
    assert KINDS[kind](DATA / file).plays.n_listeners == n_listeners
