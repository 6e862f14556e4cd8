"""Listeners whose tastes are alike: clusters of taste vectors, by Spark's k-means.

Only what many listeners of a cluster have in common leaves the workers: who is in
which cluster is written nowhere.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pymongo.database import Database
from pyspark.ml.clustering import KMeans
from pyspark.ml.functions import array_to_vector
from pyspark.ml.stat import Summarizer
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from models.nearest import nearest_rows
from segue import store
from segue.settings import MongoSettings
from segue.small_groups import LEAST
from segue.store import Document
from segue.track_index import TrackIndex, lineage_of
from streaming.session import worker_database

MOST_CLUSTERS: Final = 8
_PER_CLUSTER: Final = 2 * LEAST
_SEED: Final = 7
_N_ITERATIONS: Final = 20
_IDS: Final = 1_000
_MOST_NEAR: Final = 50
_NEAR_SHARE: Final = 8
_N_STYLES: Final = 3
_N_TRACKS: Final = 5
_FIELDS: Final = "first_week int, weeks array<int>, n_plays bigint, n_skipped bigint"
_WITH_VECTOR: Final = f"user_id string, {_FIELDS}, vector array<double>"
_WITH_CLUSTER: Final = f"{_FIELDS}, cluster int"
_VECTOR: Final = "horizons.always.vector"
Vectors = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Signs:
    """By what a cluster may be known.

    Attributes
    ----------
    genre_ids : sequence of str
        Styles that are more frequent near its centre than in the whole catalogue, the
        greatest difference first.
    track_ids : sequence of str
        Nearest to its centre.
    """

    genre_ids: Sequence[str]
    track_ids: Sequence[str]


@dataclass(frozen=True, slots=True)
class TasteSource:
    """Where a worker reads tastes, and which of them lie in one space.

    Attributes
    ----------
    folder : Path
        Of the track indexes.
    version, lineage : str
        Of the index whose space it is.
    """

    mongo: MongoSettings
    folder: Path
    version: str
    lineage: str


def with_vectors(listeners: DataFrame, source: TasteSource) -> DataFrame:
    """Return the listeners who have a taste, with its direction as `vector`.

    It is that of what attracts them in `always`, at unit length. They are sorted within
    their partitions, so that the same listeners always give the same clusters.
    """
    found = listeners.mapInArrow(partial(_looked_up, source), _WITH_VECTOR)
    return found.sortWithinPartitions("user_id")


def centres_of(tastes: DataFrame, n_listeners: int) -> Vectors:
    """Return the centres of clusters of `LEAST` listeners or more, the largest first.

    Each listener belongs to the centre with the largest cosine. Who would be in a
    smaller cluster belongs to the nearest of the others.

    Returns
    -------
    ndarray, shape (n_clusters, n_dims)
        Unit rows, at most `MOST_CLUSTERS`; none of fewer than `LEAST` listeners.
    """
    if n_listeners < LEAST:
        return np.empty((0, 0))
    k = min(MOST_CLUSTERS, max(1, n_listeners // _PER_CLUSTER))
    centres = _means_of(tastes, k)
    # tastes that are opposite have a mean without a direction
    lengths = np.linalg.norm(centres, axis=1, keepdims=True)
    centres /= np.maximum(lengths, np.finfo(float).tiny)
    for _ in range(2):  # who comes from a small one makes another larger
        sizes = _sizes(tastes, centres)
        order = [n for n in np.lexsort((*centres.T, -sizes)) if sizes[n] >= LEAST]
        centres = centres[order]
    return centres


def _means_of(tastes: DataFrame, k: int) -> Vectors:
    points = tastes.select(array_to_vector(F.col("vector")).alias("features"))
    if k == 1:  # which `KMeans` refuses
        (row,) = points.select(Summarizer.mean(points["features"])).collect()
        return np.array([row[0].toArray()])
    means = KMeans(k=k, seed=_SEED, maxIter=_N_ITERATIONS, distanceMeasure="cosine")
    return np.array([*means.fit(points).clusterCenters()])


def with_clusters(tastes: DataFrame, centres: Vectors) -> DataFrame:
    """Return what each listener played, with the number of the cluster, without names.

    `(first_week, weeks, n_plays, n_skipped, cluster)`
    """
    return tastes.mapInArrow(partial(_assigned, centres), _WITH_CLUSTER)


def signs_of(
    centres: Vectors, index: TrackIndex, database: Database[Document]
) -> list[Signs]:
    """Return by what each cluster may be known, from index and catalogue."""
    n_near = min(_MOST_NEAR, max(1, len(index.track_ids) // _NEAR_SHARE))
    nothing = np.empty(0, dtype=np.int32)
    queries = centres.astype(np.float32)
    rows = nearest_rows(queries, index, n_near, [nothing] * len(centres))
    near = [[index.track_ids[row] for row in found if row >= 0] for found in rows]
    wanted = {"_id": {"$in": sorted({track for found in near for track in found})}}
    styles = {
        each["_id"]: each.get("genre_ids") or []
        for each in database[store.TRACKS].find(wanted, {"genre_ids": 1})
    }
    n_tracks = database[store.TRACKS].count_documents({"missing": {"$ne": True}})
    totals = {
        each["_id"]: each.get("n_tracks", 0)
        for each in database[store.GENRES].find({}, {"n_tracks": 1})
    }
    usual = {key: n / max(1, n_tracks) for key, n in totals.items()}
    return [
        Signs(
            prominent([styles.get(track, []) for track in found], usual),
            found[:_N_TRACKS],
        )
        for found in near
    ]


def prominent(
    styles: Sequence[Sequence[str]], usual: Mapping[str, float]
) -> Sequence[str]:
    """Return styles that more of some tracks have than is usual, at most three.

    Examples
    --------
    >>> near = [["jazz", "rock"], ["jazz"], ["rock"], ["jazz"]]
    >>> prominent(near, {"jazz": 0.2, "rock": 0.9})
    ['jazz']
    """
    counts: dict[str, int] = {}
    for of_track in styles:
        for style in set(of_track):
            counts[style] = counts.get(style, 0) + 1
    more = {key: n / len(styles) - usual.get(key, 0.0) for key, n in counts.items()}
    ordered = sorted(more, key=lambda key: (-more[key], key))
    return [key for key in ordered if more[key] > 0][:_N_STYLES]


def _sizes(tastes: DataFrame, centres: Vectors) -> NDArray[np.int64]:
    rows = with_clusters(tastes, centres).groupBy("cluster").count().collect()
    sizes = np.zeros(len(centres), np.int64)
    for row in rows:
        sizes[row["cluster"]] = row["count"]
    return sizes


def _looked_up(
    source: TasteSource, batches: Iterable[pa.RecordBatch]
) -> Iterator[pa.RecordBatch]:
    """Yield the listeners who have a taste in the space of the index."""
    tastes = worker_database(source.mongo)[store.TASTES]
    is_ours = _space(source)
    for batch in batches:
        for start in range(0, len(batch), _IDS):
            some = batch.slice(start, _IDS)
            names = some["user_id"].to_pylist()
            found = tastes.find(
                {"_id": {"$in": names}}, {_VECTOR: 1, "index_version": 1}
            )
            vectors = {
                each["_id"]: vector
                for each in found
                if is_ours(each.get("index_version", ""))
                and (vector := _unit(each)) is not None
            }
            kept = some.filter(pa.array([name in vectors for name in names]))
            rows = [vectors[name] for name in names if name in vectors]
            columns = [kept[name] for name in ("user_id", *_names())]
            yield pa.RecordBatch.from_arrays(
                [*columns, pa.array(rows, pa.list_(pa.float64()))],
                ["user_id", *_names(), "vector"],
            )


def _space(source: TasteSource) -> Callable[[str], bool]:
    known = {source.version: True}

    def is_ours(version: str) -> bool:
        if version not in known:
            known[version] = lineage_of(source.folder, version) == source.lineage
        return known[version]

    return is_ours


def _unit(taste: Mapping[str, Any]) -> list[float] | None:
    """Return the direction of a taste; None without one."""
    vector = np.array(taste["horizons"]["always"]["vector"], np.float64)
    length = float(np.linalg.norm(vector))
    return (vector / length).tolist() if length > 0 else None


def _assigned(
    centres: Vectors, batches: Iterable[pa.RecordBatch]
) -> Iterator[pa.RecordBatch]:
    for batch in batches:
        flat = batch["vector"].flatten().to_numpy()
        vectors = flat.reshape(len(batch), -1) if len(batch) else np.empty((0, 1))
        nearest = (
            (vectors @ centres.T).argmax(axis=1) if len(batch) else np.empty(0, int)
        )
        yield pa.RecordBatch.from_arrays(
            [*(batch[name] for name in _names()), pa.array(nearest, pa.int32())],
            [*_names(), "cluster"],
        )


def _names() -> list[str]:
    return [each.split()[0] for each in _FIELDS.split(", ")]
