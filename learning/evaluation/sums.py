"""What a worker tells of the listeners that it replayed: sums, never single plays."""

import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final, NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pyspark.sql.pandas.types import to_arrow_schema
from pyspark.sql.types import (
    ArrayType,
    BinaryType,
    DoubleType,
    LongType,
    StringType,
    StructField,
    StructType,
)

from learning.evaluation.judging import COLD_HEARD
from learning.evaluation.rounds import Judged, Listener, Place

TOLD: Final = StructType(
    [
        StructField("user_id", StringType()),
        StructField("ranker", StringType(), nullable=False),
        StructField("task", StringType(), nullable=False),
        StructField("slice", StringType(), nullable=False),
        StructField("n", LongType(), nullable=False),
        StructField("sums", ArrayType(DoubleType())),
        StructField("listed", BinaryType()),
    ]
)
"""Of a listener, ranker, task and slice: how many plays (of `lists`: lists), and the
sums of `COLUMNS`. Or, without `user_id`: which rows a part's lists had, a bit each."""

LISTS: Final = "lists"
SKIPS: Final = "skips"
SILENT: Final = "silent"
WARM: Final = "warm"
COLD: Final = "cold"
METRICS: Final[Mapping[str, tuple[str, ...]]] = {
    "any": ("hit_rate", "hit_rate@10", "mrr", "ndcg"),
    "discovery": ("hit_rate", "hit_rate@10", "mrr", "ndcg"),
    SKIPS: ("skip_hit_rate",),
    LISTS: ("freshness",),
    SILENT: (),
}
"""By task, the figures of which a listener has a mean."""
_COUNTED: Final = ("any", "discovery", SKIPS)
_PLACES: Final = tuple(Place)
_FIRST_TEN: Final = 10


def columns_of(task: str) -> tuple[str, ...]:
    """Return what the sums of a task are of: metrics, then where the tracks were."""
    return (*METRICS[task], *(_PLACES if task in _COUNTED else ()))


class _Key(NamedTuple):
    user_id: str
    ranker: str
    task: str
    slice: str


class Sums:
    """Sums of what was judged, a row a listener, ranker, task and slice."""

    def __init__(self) -> None:
        self._n: dict[_Key, int] = defaultdict(int)
        self._sums: dict[_Key, NDArray[np.float64]] = {}

    def add(self, judged: Judged) -> None:
        """Count a play, and the list before it."""
        places = [float(judged.place is each) for each in Place]
        if judged.play.weight > 0:
            told = [*_accuracy(judged.rank), *places]
            self._add(judged, "any", told)
            if judged.play.is_discovery:
                self._add(judged, "discovery", told)
        else:
            self._add(judged, SKIPS, [float(judged.rank is not None), *places])
        if judged.freshness is not None:
            self._add(judged, LISTS, [judged.freshness])

    def add_silent(self, listener: Listener, ranker: str) -> None:
        """Count plays that say nothing; they are of no slice."""
        if listener.n_silent:
            key = _Key(listener.user_id, ranker, SILENT, WARM)
            self._n[key], self._sums[key] = listener.n_silent, np.zeros(0)

    def _add(self, judged: Judged, task: str, told: list[float]) -> None:
        part = COLD if judged.play.n_heard <= COLD_HEARD else WARM
        key = _Key(judged.user_id, judged.ranker, task, part)
        self._n[key] += 1
        self._sums[key] = self._sums.get(key, 0.0) + np.array(told)

    def batch(self) -> pa.RecordBatch:
        """Return the rows, of shape `TOLD`."""
        rows = [
            {**key._asdict(), "n": n, "sums": self._sums[key].tolist()}
            for key, n in self._n.items()
        ]
        return _batch(rows)


class Listed:
    """Which tracks of an index were in any list, by ranker."""

    def __init__(self, n_tracks: int) -> None:
        self._is_in: dict[str, NDArray[np.bool_]] = defaultdict(
            lambda: np.zeros(n_tracks, dtype=np.bool_)
        )

    def add(self, judged: Judged) -> None:
        """Note the tracks of a list."""
        self._is_in[judged.ranker][judged.rows] = True

    def batch(self) -> pa.RecordBatch:
        """Return a row a ranker, of shape `TOLD`."""
        told = {"task": LISTS, "slice": "all"}
        return _batch(
            {"ranker": name, "n": int(each.sum()), "listed": _bits(each), **told}
            for name, each in self._is_in.items()
        )


def coverage_of(told: pa.Table, ranker: str, n_tracks: int) -> float:
    """Return the share of the tracks that any list of a ranker had."""
    bits = np.zeros(math.ceil(n_tracks / 8), dtype=np.uint8)
    for row in _of_parts(told, ranker):
        bits |= np.frombuffer(row, dtype=np.uint8)
    return int(np.unpackbits(bits, count=n_tracks).sum()) / n_tracks


def _of_parts(told: pa.Table, ranker: str) -> Iterator[bytes]:
    for row in told.filter(told["listed"].is_valid()).to_pylist():
        if row["ranker"] == ranker:
            yield row["listed"]


def _accuracy(rank: int | None) -> list[float]:
    """Return hit, hit within ten, 1 / rank, and nDCG of one relevant track."""
    if rank is None:
        return [0.0, 0.0, 0.0, 0.0]
    return [1.0, float(rank <= _FIRST_TEN), 1 / rank, 1 / math.log2(rank + 1)]


def _bits(is_in: NDArray[np.bool_]) -> bytes:
    return np.packbits(is_in).tobytes()


def _batch(rows: Iterable[dict[str, Any]]) -> pa.RecordBatch:
    return pa.RecordBatch.from_pylist(list(rows), schema=to_arrow_schema(TOLD))
