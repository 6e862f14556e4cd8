"""How long a model of a million listens takes to train, and what its lists are worth.

Listens are made: listeners have a few of a hundred tastes, tastes have tracks, some far
more popular than others. The last tenth of them judges. Spark's MLlib and the library
`implicit` train on the same nine tenths, on the same cores, with the same factors,
rounds and confidence, and a regularisation that weighs the same on the mean listener;
`als_ndcg` and `implicit_ndcg` are of ten discoveries, listeners folded in by the code
that the stream uses.
"""

import json
import os
import resource
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import click
import implicit
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pyspark.sql import SparkSession
from scipy import sparse
from threadpoolctl import threadpool_limits

from benches.stack import say
from learning.evaluation.judging import K, ground_of, tasks_of
from learning.evaluation.metrics import accuracy
from learning.sequences import train_followers
from learning.training import by_spark
from models.factors import Factors, gram_of
from models.recommenders.base import best_items
from models.recommenders.learned import Collaborative, fit_neighbours
from models.recommenders.plays import Plays
from segue.settings import LearningSettings, SparkSettings
from streaming.session import create_session

_N_TASTES: Final = 100
_JUDGED: Final = 2_000
_AT_ONCE: Final = 250
_SESSION_PLAYS: Final = 12

Trainer = Callable[[sparse.csr_array], NDArray[np.float32]]


def some_plays(n: int, n_listeners: int, n_tracks: int) -> Plays:
    """Return made listens; each listener has three tastes."""
    rng = np.random.default_rng(7)
    listeners = rng.integers(n_listeners, size=n)
    tastes = rng.integers(_N_TASTES, size=(n_listeners, 3))
    mine = tastes[listeners, rng.integers(3, size=n)]
    tracks = [rng.permutation(n_tracks)[: n_tracks // 20] for _ in range(_N_TASTES)]
    by_rank = 1 / np.arange(1, n_tracks // 20 + 1) ** 0.8
    places = rng.choice(len(by_rank), size=n, p=by_rank / by_rank.sum())
    items = np.stack(tracks)[mine, places]
    return Plays(
        listeners.astype(np.int32),
        items.astype(np.int32),
        np.ones(n),
        np.arange(n),
        n_listeners,
        n_tracks,
    )


def in_sessions(plays: Plays) -> pa.Table:
    """Return the listens in sessions of twelve, three minutes apart, one a day."""
    order = np.argsort(plays.listeners, kind="stable")
    listeners = plays.listeners[order]
    _, starts, counts = np.unique(listeners, return_index=True, return_counts=True)
    number = np.arange(len(listeners)) - np.repeat(starts, counts)
    return pa.table(
        {
            "listener": listeners,
            "track": plays.items[order],
            "weight": plays.weights[order],
            "at_s": number // _SESSION_PLAYS * 86_400 + number % _SESSION_PLAYS * 180,
            "is_play": np.ones(len(listeners), dtype=bool),
        }
    )


def by_implicit(settings: LearningSettings) -> Trainer:
    """Return what finds factors of items by the library `implicit`."""

    def train(table: sparse.csr_array) -> NDArray[np.float32]:
        surer = sparse.csr_matrix(table, dtype=np.float32)
        surer.data = 1 + settings.confidence * surer.data
        per_listener = table.nnz / table.shape[0]
        # its own threads and those of a BLAS below get in each other's way
        with threadpool_limits(1, "blas"):
            model = implicit.als.AlternatingLeastSquares(
                factors=settings.n_factors,
                regularization=settings.regularization * per_listener,
                alpha=1.0,
                iterations=settings.n_iterations,
                random_state=7,
            )
            model.fit(surer, show_progress=False)
        return np.asarray(model.item_factors, dtype=np.float32)

    return train


def ndcg_of(
    factors: NDArray[np.float32], settings: LearningSettings, past: Plays, future: Plays
) -> float:
    """Return the mean nDCG of ten discoveries of some listeners."""
    held = Factors(
        factors, gram_of(factors), settings.confidence, settings.regularization
    )
    method, ground = Collaborative(held), ground_of(past, future, None)
    rows, found = ground.listeners()[:_JUDGED], []
    for first in range(0, len(rows), _AT_ONCE):
        block = rows[first : first + _AT_ONCE]
        history = ground.heard.pick(block)
        discovery = tasks_of(ground, block, history)[0]
        asked = np.flatnonzero(discovery.relevant.any(axis=1))
        scores = method.scores(history)[asked]
        lists = best_items(scores, K, discovery.excluded[asked])
        found.append(accuracy(lists, discovery.relevant[asked])["ndcg"])
    return float(np.concatenate(found).mean())


def _timed(
    train: Trainer, table: sparse.csr_array
) -> tuple[NDArray[np.float32], float]:
    start = time.monotonic()
    return train(table), time.monotonic() - start


@click.command(help=__doc__)
@click.option("--listens", default=1_000_000, show_default=True)
@click.option("--listeners", default=20_000, show_default=True)
@click.option("--tracks", default=10_000, show_default=True)
@click.option("--json", "out", type=click.File("w"), default="-", help="Where to.")
def main(listens: int, listeners: int, tracks: int, out: Any) -> None:
    """Measure; see the module."""
    settings = LearningSettings()
    plays = some_plays(listens, listeners, tracks)
    is_past = plays.at_s < 0.9 * listens
    past, future = plays.pick(is_past), plays.pick(~is_past)
    table = past.table()
    answer: dict[str, Any] = {
        "n_listens": listens,
        "n_listeners": listeners,
        "n_tracks": tracks,
        "n_pairs": table.nnz,
    }
    with tempfile.TemporaryDirectory(prefix="segue-bench-") as scratch:
        spark = _session(Path(scratch))
        say("warm up …")
        by_spark(spark, settings)(some_plays(10_000, 500, 200).table())
        for name, train in (
            ("implicit", by_implicit(settings)),
            ("als", by_spark(spark, settings)),
        ):
            say(f"{name} …")
            factors, seconds = _timed(train, table)
            answer[f"{name}_train_s"] = round(seconds, 1)
            answer[f"{name}_ndcg"] = round(ndcg_of(factors, settings, past, future), 4)
        say("followers …")
        stored = Path(scratch) / "listens"
        spark.createDataFrame(in_sessions(past)).write.parquet(str(stored))
        start = time.monotonic()
        train_followers(spark, stored, tracks, settings)
        answer["followers_train_s"] = round(time.monotonic() - start, 1)
        spark.stop()
    say("neighbours …")
    start = time.monotonic()
    near = fit_neighbours(past, settings.n_neighbours)
    answer["neighbours_train_s"] = round(time.monotonic() - start, 1)
    answer |= _cost(factors, settings, past, near)
    usage = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    answer["python_max_rss_mb"] = round(usage / 1024)
    json.dump(answer, out, indent=1)
    out.write("\n")


def _cost(
    factors: NDArray[np.float32], settings: LearningSettings, past: Plays, near: Any
) -> dict[str, float]:
    """Return the microseconds of the scores of all tracks for one listener."""
    held = Factors(
        factors, gram_of(factors), settings.confidence, settings.regularization
    )
    history = past.histories().pick(np.arange(_AT_ONCE))
    told: dict[str, float] = {}
    for name, method in (("als", Collaborative(held)), ("neighbours", near)):
        start = time.monotonic()
        method.scores(history)
        told[f"{name}_score_us"] = round((time.monotonic() - start) / _AT_ONCE * 1e6)
    return told


def _session(scratch: Path) -> SparkSession:
    os.environ["PYSPARK_PYTHON"] = sys.executable
    builder = (
        SparkSession.builder.master(SparkSettings().master)
        .config("spark.ui.enabled", "false")
        .config("spark.driver.memory", "2g")
        .config("spark.local.dir", str(scratch))
        .config("spark.sql.shuffle.partitions", "2")
    )
    builder.getOrCreate()
    return create_session("segue-bench-models")


if __name__ == "__main__":
    sys.exit(main())
