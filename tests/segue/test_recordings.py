import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from numpy.typing import NDArray
from pymongo import MongoClient
from pymongo.monitoring import CommandListener, CommandStartedEvent

from segue import store
from segue.recordings import group_recordings, mark_recordings, normal_title
from segue.settings import Settings

Vectors = NDArray[np.float32]


@pytest.mark.parametrize(
    "title",
    [
        "Low Tide",
        "LOW TIDE",
        "  low   tide ",
        "Löw Tíde",
        "03 - Low Tide",
        "3. Low Tide",
        "03 Low Tide",
        "2-03 Low Tide",
        "Low Tide (Remastered 2011)",
        "Low Tide (2011 Remaster)",
        "Low Tide [Remastered]",
        "Low Tide - 2011 Remastered Version",
        "Low Tide \u2013 Remastered in 2011",
        "Low Tide (Digitally Remastered)",
        "Low Tide (feat. Ada & Bo)",
        "Low Tide feat. Ada",
        "Low Tide ft. Ada (Album Version)",
        "Low Tide (Original Mix)",
        "Low Tide (Official Video)",
        "Low Tide (Bonus Track)",
        "Low Tide (1999)",
        "Low-Tide!",
    ],
)
def test_releases_of_a_recording_have_one_title(title: str) -> None:
    assert normal_title(title) == "low tide"


def test_other_recordings_keep_their_mark() -> None:
    titles = [
        "Low Tide",
        "Low Tide (Live)",
        "Low Tide (Live 1999)",
        "Low Tide [Ada Remix]",
        "Low Tide (Acoustic)",
        "Low Tide (Instrumental)",
        "Low Tide (Demo)",
        "Low Tide (Radio Edit)",
        "Low Tide (Part 2)",
        "Low Tide (Reprise)",
        "Low Tide 2",
        "Low Tide (Ada's Version)",
        "7 Low Tides",
    ]
    assert len(set(map(normal_title, titles))) == len(titles)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Sea (Live)", "Sea - Live"),
        ("Sea (Live) [Remastered 2011]", "Sea (Live Version)"),
        ("Don't Go", "Don\u2019t Go"),
        ("Ada & Bo", "Ada and Bo"),
        ("Sea [Live (2011 Remaster)]", "Sea (Live)"),
    ],
)
def test_spellings_of_one_title(one: str, other: str) -> None:
    assert normal_title(one) == normal_title(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [("?!", "..."), ("かき", "がき"), ("(Live)", "(Remix)"), ("1999", "1998")],
)
def test_titles_that_are_two(one: str, other: str) -> None:
    assert normal_title(one) != normal_title(other)


@given(st.text())
@example("\u00b4")  # nothing but an accent
def test_every_title_but_nothing_has_a_normal_title(title: str) -> None:
    assert bool(normal_title(title)) == bool(title.split())
    assert normal_title(title) == normal_title(f"  {title} ")


def unit_rows(rows: Sequence[Sequence[float]]) -> Vectors:
    vectors = np.asarray(rows, dtype=np.float32)
    unit: Vectors = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    return unit


def test_title_duration_and_sound_must_agree() -> None:
    same, near, far = [1.0, 0.0], [1.0, 0.1], [0.0, 1.0]
    tracks: list[tuple[str, str, float | None, list[float]]] = [
        ("c", "Sea", 200.0, same),
        ("b", "Sea (Remastered)", 207.9, near),
        ("other title", "Lake", 200.0, same),
        ("too long", "Sea", 220.0, same),
        ("other sound", "Sea", 200.0, far),
        ("no duration", "Sea", None, same),
        ("nan", "Sea", float("nan"), same),
    ]
    ids, titles, durations_s, rows = zip(*tracks, strict=True)
    recording_of = group_recordings(ids, titles, durations_s, unit_rows(rows))
    assert recording_of == {i: "b" if i in {"b", "c"} else i for i in ids}


def test_a_short_track_may_differ_by_two_seconds() -> None:
    vectors = unit_rows([[1, 0]] * 3)
    recording_of = group_recordings("abc", ["Sea"] * 3, [10.0, 12.0, 14.5], vectors)
    assert recording_of == {"a": "a", "b": "a", "c": "c"}


def test_a_chain_is_one_recording() -> None:
    vectors = unit_rows([[1, 0]] * 3)
    durations_s = [14.0, 10.0, 12.0]
    recording_of = group_recordings("zyx", ["Sea"] * 3, durations_s, vectors)
    assert set(recording_of.values()) == {"x"}


def test_two_chains_that_meet_late_are_one_recording() -> None:
    angles = np.radians([0, 30, 10, 20])  # the third joins the first, the last both
    vectors = np.column_stack([np.cos(angles), np.sin(angles)]).astype(np.float32)
    recording_of = group_recordings("dcba", ["Sea"] * 4, [9.0] * 4, vectors)
    assert set(recording_of.values()) == {"a"}


def test_silence_has_no_twin() -> None:
    silent = np.zeros((2, 3), dtype=np.float32)
    assert group_recordings("ab", ["x", "x"], [9.0, 9.0], silent) == {
        "a": "a",
        "b": "b",
    }


def test_no_tracks_are_no_recordings() -> None:
    assert group_recordings([], [], [], np.zeros((0, 3), dtype=np.float32)) == {}


TRACKS = st.lists(
    st.tuples(
        st.sampled_from(["Sea", "sea (Remastered)", "Lake"]),
        st.one_of(st.none(), st.integers(5, 130).map(float)),
        st.integers(0, 23),
    ),
    max_size=25,
)


def by_hand(
    ids: Sequence[str],
    titles: Sequence[str],
    durations_s: Sequence[float | None],
    vectors: Vectors,
) -> dict[str, str]:
    """Compare every track with every other one, until nothing changes."""

    def is_same(i: int, j: int) -> bool:
        lengths = sorted(s for s in (durations_s[i], durations_s[j]) if s is not None)
        if len(lengths) < 2 or normal_title(titles[i]) != normal_title(titles[j]):
            return False
        shorter, longer = lengths
        near = longer <= max(shorter + 2, shorter / 0.96)
        return near and float(vectors[i] @ vectors[j]) >= 0.85

    rows = range(len(ids))
    recording = list(ids)
    for _ in rows:
        for i in rows:
            same = [recording[j] for j in rows if j == i or is_same(i, j)]
            recording[i] = min(same)
    return dict(zip(ids, recording, strict=True))


def arguments(tracks: Sequence[tuple[str, float | None, int]]) -> tuple[Any, ...]:
    ids = [f"t{number:02d}" for number in range(len(tracks))]
    angles = [2 * np.pi * step / 48 for *_, step in tracks]  # 7.5°: cosine 0.991
    rows = np.column_stack([np.cos(angles), np.sin(angles)])
    titles, durations_s = [t[0] for t in tracks], [t[1] for t in tracks]
    return ids, titles, durations_s, rows.astype(np.float32)


@given(TRACKS)
def test_groups_are_those_that_a_comparison_of_all_pairs_finds(
    tracks: list[tuple[str, float | None, int]],
) -> None:
    assert group_recordings(*arguments(tracks)) == by_hand(*arguments(tracks))


@given(TRACKS, st.randoms(use_true_random=False))
def test_order_does_not_matter(
    tracks: list[tuple[str, float | None, int]], random: Any
) -> None:
    ids, titles, durations_s, vectors = arguments(tracks)
    order = list(range(len(ids)))
    random.shuffle(order)
    shuffled = group_recordings(
        [ids[i] for i in order],
        [titles[i] for i in order],
        [durations_s[i] for i in order],
        vectors[order],
    )
    assert shuffled == group_recordings(ids, titles, durations_s, vectors)


@given(TRACKS)
def test_a_recording_is_named_by_its_smallest_track(
    tracks: list[tuple[str, float | None, int]],
) -> None:
    recording_of = group_recordings(*arguments(tracks))
    for track_id, recording_id in recording_of.items():
        assert recording_id <= track_id
        assert recording_of[recording_id] == recording_id


def test_blocks_larger_than_a_tile_are_compared_whole(rng: np.random.Generator) -> None:
    n, n_copies = 2500, 3
    vectors = unit_rows(rng.normal(size=(n, 50)).tolist())
    vectors = np.concatenate([vectors] * n_copies)
    ids = [f"t{number:05d}" for number in range(n * n_copies)]
    durations_s = np.tile(rng.uniform(60, 400, n), n_copies)
    recording_of = group_recordings(
        ids, ["untitled"] * len(ids), durations_s.tolist(), vectors
    )
    assert [recording_of[i] for i in ids] == ids[:n] * n_copies


@pytest.mark.parametrize("is_one_sound", [False, True])
def test_twenty_thousand_tracks_of_one_title_take_seconds(
    rng: np.random.Generator, is_one_sound: bool
) -> None:
    n = 20_000
    vectors = rng.normal(size=(n, 100)).astype(np.float32)
    if is_one_sound:
        vectors[:] = vectors[0]
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    ids = [f"t{number:05d}" for number in range(n)]
    start = time.monotonic()
    recording_of = group_recordings(ids, ["untitled"] * n, [180.0] * n, vectors)
    assert time.monotonic() - start < 60
    assert len(set(recording_of.values())) == (1 if is_one_sound else n)


class Writes(CommandListener):
    """Counts the update statements that reach the server."""

    n = 0

    def started(self, event: CommandStartedEvent) -> None:
        if event.command_name == "update":
            self.n += len(event.command["updates"])

    def succeeded(self, event: object) -> None: ...

    def failed(self, event: object) -> None: ...


@pytest.mark.mongo
def test_recordings_are_marked_and_then_stay(
    settings: Callable[..., Settings],
) -> None:
    mongo, writes = settings().mongo, Writes()
    assert mongo.uri is not None
    uri = mongo.uri.get_secret_value()
    documents: list[store.Document] = [
        {"_id": "b", "title": "Sea", "duration_s": 100.0, "genre": "dub"},
        {"_id": "a", "title": "Sea (Remastered)", "duration_s": 101.0},
        {"_id": "c", "title": "Lake", "duration_s": 100.0, "recording_id": "old"},
        {"_id": "d", "title": "Untold", "duration_s": None},
    ]
    ids = ["a", "b", "c", "d", "not in the catalogue"]
    vectors = unit_rows([[1, 0]] * 5)
    client: MongoClient[store.Document] = MongoClient(uri, event_listeners=[writes])
    with client:
        database = client[mongo.database]
        tracks = database[store.TRACKS]
        tracks.insert_many(documents)
        assert mark_recordings(database, ids, vectors) == 1
        wanted = {"a": "a", "b": "a", "c": "c", "d": "d"}
        assert {t["_id"]: t["recording_id"] for t in tracks.find()} == wanted
        assert tracks.find_one({"_id": "b"}, {"recording_id": 0}) == documents[0]
        # and once that there is something new
        assert (tracks.count_documents({}), writes.n) == (4, 4 + 1)
        assert store.catalogue_version(database) == 1
        assert mark_recordings(database, ids, vectors) == 1
        assert writes.n == 4 + 1
