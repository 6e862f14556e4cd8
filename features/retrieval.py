"""How good neighbours are, three ways: raw MFCC, taste space, taste space without hubs.

A neighbour is a *hit* when it lies in the same folder, which stands for the same album
or soundtrack. Nobody's taste is in this; but a space in which tracks of one soundtrack
are not near to each other is no space to recommend from. Tracks of one recording are
never each other's neighbours, so copies are no hits.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from features.metrics import (
    Rows,
    bootstrap_interval,
    evenly_spaced,
    nearest,
    precision_at,
    sampled_occurrence,
    skewness,
)
from features.report_rows import ReportRows

MAX_QUERIES: Final = 2000
MAX_HUB_TRACKS: Final = 4096
HUB_K: Final = 10
RAW: Final = "Raw MFCC, cosine"
TASTE: Final = "Taste space, cosine"
RANKED: Final = "Taste space with hub scales"

_SEED: Final = 1
_N_HUBS: Final = 5
_N_CURVE: Final = 150


@dataclass(frozen=True)
class Estimate:
    """A mean with its bootstrap interval of 95 %, over the queries."""

    mean: float
    low: float
    high: float


@dataclass(frozen=True)
class Precision:
    """Share of hits among the first and the first five neighbours, of one way."""

    way: str
    at_1: Estimate
    at_5: Estimate


@dataclass(frozen=True)
class Retrieval:
    """Precision of the three ways.

    Attributes
    ----------
    n_queries, n_eligible : int
        Tracks asked for, of all that have another recording in their folder.
    n_folders : int
        Folders of the eligible tracks.
    chance_at_1, best_at_5 : float
        Mean precision of a random list, and the highest there can be: a folder of
        three has no five others.
    ways : tuple of Precision
    gain_at_5 : Estimate
        Precision of the taste space with hub scales less that of raw MFCC, at 5.
    """

    n_queries: int
    n_eligible: int
    n_folders: int
    chance_at_1: float
    best_at_5: float
    ways: tuple[Precision, ...]
    gain_at_5: Estimate


@dataclass(frozen=True)
class Hub:
    """A track and in how many lists of others it stands."""

    title: str
    folder: str
    n_lists: int


@dataclass(frozen=True)
class Hubness:
    """How evenly one way spreads its lists over the tracks.

    Attributes
    ----------
    skew : float
        Skewness of the k-occurrence; above 1.4 counts as high.
    orphan_share : float
        Share of tracks that are in no list at all.
    hubs : tuple of Hub
        The largest, largest first.
    curve : tuple of (rank, n_lists)
        Occurrence by rank, at ranks evenly spaced by ratio.
    """

    way: str
    skew: float
    orphan_share: float
    hubs: tuple[Hub, ...]
    curve: tuple[tuple[int, int], ...]


@dataclass(frozen=True)
class HubReport:
    """Hubness of the three ways among a sample of the catalogue, lists of `k`."""

    n_tracks: int
    k: int
    ways: tuple[Hubness, ...]


@dataclass(frozen=True, eq=False)
class _Way:
    name: str
    points: NDArray[np.float32]
    scales: NDArray[np.float32]


def measure_retrieval(rows: ReportRows) -> Retrieval | None:
    """Measure precision; None when no folder has two recordings."""
    n_mates = _count_mates(rows)
    eligible = np.flatnonzero(n_mates > 0)
    if len(eligible) == 0:
        return None
    queries = eligible[evenly_spaced(len(eligible), MAX_QUERIES)]
    rng = np.random.default_rng(_SEED)
    hits = {
        way.name: _precisions(
            nearest(way.points, way.scales, queries, 5, rows.recordings), rows, queries
        )
        for way in _ways(rows)
    }
    n_others = len(rows) - np.bincount(rows.recordings)[rows.recordings[queries]]
    return Retrieval(
        n_queries=len(queries),
        n_eligible=len(eligible),
        n_folders=len(np.unique(rows.folders[eligible])),
        chance_at_1=float(np.mean(n_mates[queries] / n_others)),
        best_at_5=float(np.mean(np.minimum(n_mates[queries], 5) / 5)),
        ways=tuple(
            Precision(name, _estimate(at_1, rng), _estimate(at_5, rng))
            for name, (at_1, at_5) in hits.items()
        ),
        gain_at_5=_estimate(hits[RANKED][1] - hits[RAW][1], rng),
    )


def measure_hubs(rows: ReportRows) -> HubReport:
    """Measure how often each track of a sample is among the nearest of the others."""
    sample = evenly_spaced(len(rows), MAX_HUB_TRACKS)
    ways = tuple(_hubness(way, rows, sample) for way in _ways(rows))
    return HubReport(n_tracks=len(sample), k=HUB_K, ways=ways)


def _ways(rows: ReportRows) -> Iterator[_Way]:
    ones = np.ones(len(rows), dtype=np.float32)
    yield _Way(RAW, _unit(rows.blocks["mfcc"]), ones)
    yield _Way(TASTE, rows.points, ones)
    yield _Way(RANKED, rows.points, rows.scales)


def _unit(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return rows of unit length; a row with a value that is no number becomes 0."""
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    usable = np.isfinite(lengths) & (lengths > 0)
    unit = np.zeros(vectors.shape, dtype=np.float32)
    np.divide(vectors, lengths, out=unit, where=usable)
    return unit


def _count_mates(rows: ReportRows) -> NDArray[np.int64]:
    """Return how many tracks of other recordings lie in each track's folder."""
    pairs = rows.folders.astype(np.int64) * len(rows) + rows.recordings
    _, pair_of, n_of_pair = np.unique(pairs, return_inverse=True, return_counts=True)
    counts: NDArray[np.int64] = (
        np.bincount(rows.folders)[rows.folders] - n_of_pair[pair_of]
    )
    return counts


def _precisions(
    neighbours: Rows, rows: ReportRows, queries: Rows
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    at_1, at_5 = (precision_at(neighbours, rows.folders, queries, k) for k in (1, 5))
    return at_1, at_5


def _estimate(values: NDArray[np.float64], rng: np.random.Generator) -> Estimate:
    return Estimate(float(values.mean()), *bootstrap_interval(values, rng))


def _hubness(way: _Way, rows: ReportRows, sample: Rows) -> Hubness:
    counts = sampled_occurrence(way.points, way.scales, sample, HUB_K, rows.recordings)
    order = np.argsort(-counts, kind="stable")
    return Hubness(
        way=way.name,
        skew=skewness(counts),
        orphan_share=float((counts == 0).mean()),
        hubs=tuple(
            Hub(rows.titles[row], rows.folder_of(row), int(counts[place]))
            for place, row in zip(order[:_N_HUBS], sample[order[:_N_HUBS]], strict=True)
        ),
        curve=_curve(counts[order]),
    )


def _curve(falling: NDArray[np.int64]) -> tuple[tuple[int, int], ...]:
    places = np.geomspace(1, len(falling), min(_N_CURVE, len(falling)))
    ranks = np.unique(places.round().astype(np.intp))
    return tuple((int(rank), int(falling[rank - 1])) for rank in ranks)
