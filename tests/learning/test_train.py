"""Plays out of an archive, and a model out of these."""

import json
import math
from datetime import date, timedelta
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyspark.ml.recommendation import ALS

from learning.plays import listens_of, plays_of, whole_keys
from learning.sequences import train_followers
from learning.train import train
from learning.training import train_factors, with_numbers
from models.factors import Factors, fold_in, gram_of
from models.followers import follow_table, nearest_of, sessions_of
from segue.builds import current_version
from segue.errors import ModelError
from segue.settings import LearningSettings, MongoSettings, Settings
from segue.track_index import TrackIndex, create_track_index, write_track_index
from segue.trained_model import FOLDER, read_model
from streaming.archive import event_files
from tests.factories import START, create_index, seconds
from tests.learning.archives import archive, event

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

pytestmark = pytest.mark.spark
# more factors than listeners: those who like nothing would make it singular
MANY = LearningSettings(n_factors=8, n_iterations=2, n_neighbours=3)
SMALL = LearningSettings(n_factors=2, n_iterations=3, n_neighbours=3, confidence=5)


def settings_of(home: Path) -> Settings:
    return Settings(home=home, learning=SMALL, mongo=MongoSettings(uri=None))


CAMPS = ("jazz", "rock")


def two_camps() -> list[dict[str, Any]]:
    """Return plays of twenty listeners of rock and twenty of jazz, by time.

    Four times they play two tracks, an hour apart; each skips one of the other's.
    """
    plays = [
        (visit, f"u{number:02d}", f"{CAMPS[number % 2]}{(number + k) % 6}")
        for visit in range(4)
        for number in range(40)
        for k in (2 * visit, 2 * visit + 1)
    ]
    events = [
        event(user, track, event_time=START + seconds(at - 3_600 * (3 - visit)))
        for at, (visit, user, track) in enumerate(plays)
    ]
    for number in range(40):
        other = "jazz0" if number % 2 else "rock0"
        events.append(event(f"u{number:02d}", other, "skipped", played_ms=0))
    return events


def camp_index() -> TrackIndex:
    """Return an index in which the camps do not sound alike."""
    names = sorted({f"{camp}{n}" for camp in ("rock", "jazz") for n in range(6)})
    vectors = create_index(len(names)).vectors
    return create_track_index("camps", names, vectors)


def plays_in(
    spark: "SparkSession", home: Path, events: list[dict[str, Any]]
) -> list[tuple[int, str, float]]:
    archive(home, events)
    dates = sorted({each["event_time"].date() for each in events})
    files = event_files(home, dates)
    listens = listens_of(spark, settings_of(home), files, len(events))
    return [tuple(row) for row in plays_of(listens).collect()]


def test_a_play_speaks_once_and_a_like_beside_it(
    spark: "SparkSession", tmp_path: Path
) -> None:
    told = [
        event("ada", "a", "progressed", play_id="p", played_ms=45_000),
        event("ada", "a", "completed", play_id="p"),
        event("ada", "a", "liked", play_id="p"),
        event("ada", "b", "skipped", played_ms=0),
        event("ada", "c", "skipped", played_ms=30_000),
        event("ada", "d", "started", played_ms=0),
        event("ada", "e", "blocked"),
        event("bob", "a", event_time=START + timedelta(days=1)),
        event("bob", "a"),
    ]
    rows = plays_in(spark, tmp_path, [*told, told[1]])
    by_listener: dict[int, dict[str, float]] = {}
    for listener, track_id, weight in rows:
        by_listener.setdefault(listener, {})[track_id] = weight
    ada = {"a": math.log1p(3), "b": -math.log1p(1)}
    bob = {"a": math.log1p(2)}
    assert sorted(by_listener.values(), key=len) == [bob, ada]


@given(
    st.lists(st.integers(0, 5), max_size=30).map(sorted),
    st.lists(st.integers(0, 30), max_size=6).map(sorted),
)
def test_rows_of_one_key_come_together(keys: list[int], cuts: list[int]) -> None:
    table = pa.table({"key": pa.array(keys, pa.int64())})
    bounds = [0, *(min(cut, len(keys)) for cut in cuts), len(keys)]
    batches = [
        batch
        for first, last in pairwise(bounds)
        for batch in table.slice(first, last - first).to_batches()
    ]
    found = [batch["key"].to_pylist() for batch in whole_keys(batches, "key")]
    assert [key for batch in found for key in batch] == keys
    seen = [key for batch in found for key in set(batch)]
    assert len(seen) == len(set(seen))


def test_a_model_tells_the_camps_apart(spark: "SparkSession", tmp_path: Path) -> None:
    archive(tmp_path, two_camps())
    write_track_index(tmp_path / "index", camp_index())
    model = train(spark, settings_of(tmp_path))
    assert read_model(tmp_path / FOLDER).version == model.version
    rock = [name.startswith("rock") for name in model.track_ids]
    for row, near in enumerate(model.neighbours.rows):
        assert {rock[at] for at in near if at >= 0} == {rock[row]}
    for row, near in enumerate(model.followers.rows):
        assert {rock[at] for at in near if at >= 0} <= {rock[row]}
    assert (model.followers.rows >= 0).any()
    factors = Factors(
        model.factors, gram_of(model.factors), model.confidence, model.regularization
    )
    heard = np.array([rock.index(True)], dtype=np.int32)
    liked = model.factors @ fold_in(factors, heard, np.array([1.0]))
    assert liked[rock].min() > liked[~np.array(rock)].max()
    assert model.facts["data"] == {
        "first_date": "2026-05-03",
        "last_date": "2026-05-03",
        "n_events": 360,
        "n_listeners": 40,
        "n_tracks": 12,
        "n_pairs": 280,
    }
    assert model.facts["blend_from"] == "plays"
    ndcg = model.facts["metrics"]["ndcg"]
    assert set(ndcg) == {
        *("content", "collaborative", "neighbours", "followers", "blend")
    }
    for each in ndcg.values():
        assert each["low"] <= each["value"] <= each["high"]
    assert model.facts["metrics"]["n_listeners"] > 0
    assert 0 <= sum(model.blend.values()) <= 1
    assert set(model.facts["seconds"]) == {
        *("plays", "factors", "neighbours", "followers", "blend")
    }
    assert not list((tmp_path / FOLDER / ".training").glob("*/"))


def test_a_listener_folded_in_has_the_factors_that_training_gave(
    spark: "SparkSession", tmp_path: Path
) -> None:
    archive(tmp_path, two_camps())
    files = event_files(tmp_path, [START.date()])
    plays = plays_of(listens_of(spark, settings_of(tmp_path), files, 360)).cache()
    track_ids = sorted({row["track_id"] for row in plays.collect()})
    numbered = with_numbers(spark, plays, track_ids).cache()
    tracks = train_factors(numbered, len(track_ids), SMALL)
    factors = Factors(tracks, gram_of(tracks), SMALL.confidence, SMALL.regularization)
    # MLlib's last half step finds the listeners' factors, with those of tracks given
    model = ALS(
        rank=SMALL.n_factors,
        maxIter=SMALL.n_iterations,
        regParam=SMALL.regularization,
        alpha=SMALL.confidence,
        implicitPrefs=True,
        userCol="listener",
        itemCol="track",
        ratingCol="weight",
        numUserBlocks=2,
        numItemBlocks=2,
        seed=7,
    ).fit(numbered)
    heard: dict[int, list[tuple[int, float]]] = {}
    for row in numbered.collect():
        heard.setdefault(row.listener, []).append((row.track, row.weight))
    for listener, mine in model.userFactors.collect():
        rows, weights = zip(*heard[listener], strict=True)
        found = fold_in(factors, np.array(rows, np.int32), np.array(weights))
        np.testing.assert_allclose(found, mine, atol=2e-3)


def test_a_model_of_some_dates(spark: "SparkSession", tmp_path: Path) -> None:
    later = [
        event("zoe", "new", event_time=START + timedelta(days=2)),
        event("zoe", "rock1", event_time=START + timedelta(days=2)),
    ]
    archive(tmp_path, [*two_camps(), *later])
    model = train(spark, settings_of(tmp_path), first=date(2026, 5, 4))
    assert model.track_ids == ["new", "rock1"]
    assert model.facts["blend_from"] == "settings"
    assert model.facts["metrics"] is None
    assert dict(model.blend) == {
        "collaborative": 0.2,
        "neighbours": 0.2,
        "followers": 0.1,
    }


@pytest.mark.parametrize(
    "events",
    [
        [],
        [event("ada", "a", "skipped", played_ms=0)],
        [event("ada", "a", "started"), event("ada", "b", "blocked")],
    ],
    ids=["empty", "all skipped", "no play"],
)
def test_with_nothing_to_learn_the_old_model_stays(
    spark: "SparkSession", tmp_path: Path, events: list[dict[str, Any]]
) -> None:
    archive(tmp_path, events)
    with pytest.raises(ModelError, match=r"archives what is played|heard to more"):
        train(spark, settings_of(tmp_path))
    assert current_version(tmp_path / FOLDER) is None
    assert not list((tmp_path / FOLDER / ".training").glob("*/"))


@pytest.mark.parametrize(
    "events",
    [
        [event("ada", "a")],
        [event("ada", "a"), event("bob", "a")],
        [
            *[event("ada", name) for name in "abc"],
            *[event(f"u{n}", "a", "skipped", played_ms=0) for n in range(3)],
            event("ada", "d", "skipped", played_ms=0),
        ],
    ],
    ids=["one listener, one track", "one track", "most only skip"],
)
def test_the_least_that_can_be_learned_from(
    spark: "SparkSession", tmp_path: Path, events: list[dict[str, Any]]
) -> None:
    archive(tmp_path, events)
    many = settings_of(tmp_path).model_copy(update={"learning": MANY})
    model = train(spark, many)
    heard = {each["track_id"] for each in events if each["action"] == "completed"}
    assert model.track_ids == sorted(heard)
    assert np.isfinite(model.factors).all()
    json.dumps(dict(model.facts))


def test_blocks_find_the_followers_that_one_process_finds(
    spark: "SparkSession", tmp_path: Path
) -> None:
    rng = np.random.default_rng(3)
    n, n_tracks = 400, 7
    weights = rng.choice([1.0, 0.5, -1.0], n)
    is_play = rng.random(n) < 0.8
    who = rng.integers(5, size=n).astype(np.int32)
    tracks = rng.integers(n_tracks, size=n).astype(np.int32)
    at_s = rng.integers(60, size=n) * 600
    table = pa.table(
        {
            "listener": who,
            "track": tracks,
            "weight": weights,
            "at_s": at_s,
            "is_play": is_play,
        }
    )
    stored = tmp_path / "listens"
    spark.createDataFrame(table).write.parquet(str(stored))
    few = LearningSettings(n_neighbours=3)
    found = train_followers(spark, stored, n_tracks, few)
    heard = (weights > 0) & is_play
    order = np.lexsort((tracks[heard], at_s[heard], who[heard]))
    sessions = sessions_of(who[heard][order], at_s[heard][order])
    expected = nearest_of(follow_table(sessions, tracks[heard][order], n_tracks), 3)
    np.testing.assert_array_equal(found.rows, expected.rows)
    np.testing.assert_allclose(found.likeness, expected.likeness)
    assert (found.rows[:, 0] >= 0).all()
