"""A year of plays in `activity`, as the stream would have counted them."""

from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray
from pymongo.database import Database
from tqdm import tqdm

from segue import indexes, store
from segue.activity import COUNTS, N_SHARES, Cells, Kind, Level, code_of, documents
from segue.clock import rfc3339
from segue.delays import KEPT, bin_of
from segue.packed import Packed
from segue.sketches import sketch_of
from segue.store import Document

N_STYLES: Final = 40
TRACKS_PER_ARTIST: Final = 40
SURFACES: Final = ("album", "artist", "home", "none", "playlist", "radio", "search")
_POOL: Final = 32
"""Sketches of each size: making one of each row would take an hour."""
_MOST_IN_POOL: Final = 3_000
_SHARES_OF: Final = {"n_completed": 0.55, "n_skipped": 0.3}
_MEAN_HEARD_MS: Final = 140_000


class Keys(NamedTuple):
    """Keys of one kind in the order of their codes, and how likely each is played."""

    codes: NDArray[np.int64]
    keys: Packed
    odds: NDArray[np.float64]


def fill_activity(
    database: Database[Document],
    now: datetime,
    n_plays: int,
    n_tracks: int,
    n_listeners: int,
) -> None:
    """Write the spans of a year: of each level those that would still be there."""
    rng = np.random.default_rng(9)
    indexes.prepare(database)
    sketches = Sketches(n_listeners)
    kinds = _kinds(n_tracks)
    stamp = {"updated_at": now}
    per_s = n_plays / (365 * 86_400)
    for level, kept in _KEPT.items():
        starts = list(_starts(level, now - kept, now))
        for start in tqdm(starts, str(level), mininterval=5):
            length_s = (min(level.end_of(start), now) - start).total_seconds()
            n = rng.poisson(per_s * length_s)
            database[store.ACTIVITY].insert_many(
                document
                for kind, keys in kinds.items()
                for document in documents(
                    level, start, kind, _cells(keys, n, rng, sketches), stamp
                )
            )


def fill_stream(database: Database[Document], now: datetime) -> None:
    """Write two days of the stream's minutes."""
    rng = np.random.default_rng(9)
    starts = list(_starts(Level.MINUTE, now - KEPT, now))
    database[store.LIST_DELAYS].insert_many(
        {"_id": rfc3339(start), "start": start, "n": _delays(rng)} for start in starts
    )
    database[store.STREAM_MINUTES].insert_many(
        {"_id": f"{query}|{rfc3339(start)}", "query": query, "start": start, **told}
        for start in starts
        for query, told in (
            ("taste", _minute(rng)),
            ("intake", _minute(rng)),
            ("messages", _counted(rng)),
        )
    )


def _delays(rng: np.random.Generator) -> dict[str, int]:
    bins = map(bin_of, rng.lognormal(-0.3, 0.5, 200).tolist())
    return {str(number): n for number, n in Counter(bins).items()}


def _minute(rng: np.random.Generator) -> Document:
    took_ms = rng.uniform(10, 400, len(_PHASES)).tolist()
    counts = rng.integers(0, 1_000, len(_OF_A_MINUTE)).tolist()
    return {
        **dict(zip(_OF_A_MINUTE, counts, strict=True)),
        "duration_ms": dict(zip(_PHASES, took_ms, strict=True)),
    }


def _counted(rng: np.random.Generator) -> Document:
    n_read, *few = rng.integers(0, 20, 5).tolist()
    rejected = dict(zip(("not_json", "bad_time"), few[2:], strict=True))
    return {
        "n_read": n_read,
        "n_late": few[0],
        "n_known": few[1],
        "rejected": rejected,
    }


_PHASES: Final = (
    *("addBatch", "commitOffsets", "getBatch", "latestOffset", "queryPlanning"),
    *("triggerExecution", "walCommit"),
)
_OF_A_MINUTE: Final = (
    *("n_rows", "n_batches", "n_dropped", "input_rows_per_s", "processed_rows_per_s"),
    *("longest_ms", "state_rows", "state_bytes", "watermark_lag_s", "n_waiting"),
)
_KEPT: Final = {
    Level.MINUTE: timedelta(days=2),
    Level.HOUR: timedelta(days=90),
    Level.DAY: timedelta(days=365),
    Level.MONTH: timedelta(days=365),
}


class Sketches:
    """Sketches of about as many listeners as asked for."""

    def __init__(self, n_listeners: int) -> None:
        self._n_listeners = n_listeners
        self._pool: dict[tuple[int, int], bytes] = {}
        self._rng = np.random.default_rng(10)

    def of(self, n_plays: int, at: int) -> bytes:
        """Return a sketch of the listeners of some plays."""
        n = min(max(1, n_plays), self._n_listeners)
        if n > _MOST_IN_POOL // _POOL:
            n = n // 50 * 50  # of many they are alike
        place = (n, at % _POOL)
        if place not in self._pool:
            who = self._rng.integers(self._n_listeners, size=n)
            self._pool[place] = sketch_of(f"listener-{each:05d}" for each in who)
        return self._pool[place]


def _kinds(n_tracks: int) -> dict[Kind, Keys]:
    by_rank = 1 / (np.arange(n_tracks) + 10.0) ** 0.8
    odds = by_rank / by_rank.sum()
    tracks = [f"t{number:07d}" for number in range(n_tracks)]
    n_artists = -(-n_tracks // TRACKS_PER_ARTIST)
    return {
        Kind.ALL: _keys([""], np.ones(1)),
        Kind.SURFACE: _keys(list(SURFACES), np.full(len(SURFACES), 1 / len(SURFACES))),
        Kind.ARTIST: _keys(
            [f"artist{number:05d}" for number in range(n_artists)],
            _sums(np.arange(n_tracks) % n_artists, odds),
        ),
        Kind.STYLE: _keys(
            [f"style{number:02d}" for number in range(N_STYLES)],
            _sums(np.arange(n_tracks) % N_STYLES, odds),
        ),
        Kind.TRACK: _keys(tracks, odds),
    }


def _keys(keys: list[str], odds: NDArray[np.float64]) -> Keys:
    codes = np.array([code_of(key) for key in keys], np.int64)
    order = np.argsort(codes)
    packed = Packed.of(keys[place].encode() for place in order)
    return Keys(codes[order], packed, odds[order] / odds.sum())


def _sums(places: NDArray[np.intp], odds: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.bincount(places, odds).astype(np.float64)


def _cells(
    keys: Keys, n_plays: int, rng: np.random.Generator, sketches: Sketches
) -> Cells:
    plays = rng.multinomial(n_plays, keys.odds).astype(np.int64)
    rows = np.flatnonzero(plays)
    plays = plays[rows]
    columns = {name: np.zeros(len(rows), np.int64) for name in COUNTS}
    for name, share in _SHARES_OF.items():
        columns[name] = rng.binomial(plays, share / sum(_SHARES_OF.values()))
    columns["n_skipped"] = plays - columns["n_completed"]
    columns["n_started"], columns["heard_ms"] = plays, plays * _MEAN_HEARD_MS
    return Cells(
        keys.codes[rows],
        columns
        | {
            "ended_at": _spread(plays, rng),
            "skipped_at": _spread(columns["n_skipped"], rng),
        },
        keys.keys.take(rows),
        Packed.of(sketches.of(int(n), at) for at, n in enumerate(plays)),
    )


def _spread(counts: NDArray[np.int64], rng: np.random.Generator) -> NDArray[np.int64]:
    return rng.multinomial(counts, np.full(N_SHARES, 1 / N_SHARES)).astype(np.int64)


def _starts(level: Level, start: datetime, end: datetime) -> Iterator[datetime]:
    at = level.start_of(start)
    while at < end:
        yield at
        at = level.end_of(at)
