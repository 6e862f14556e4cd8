"""Catalogues of any size that look like music: folders, genres, copies, failures.

Each track has a few hidden qualities, about those of its folder, and these about those
of its genre; all dimensions follow from them, with the means and deviations that real
music has. So neighbours, hubs and groups are like those of a real catalogue. Rows come
in parts, as a build writes them.
"""

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from features.descriptors import BLOCK_SIZES
from features.spec import FeatureSpec, spec_hash
from features.table import FAILURES, TRACKS, Row, TableWriter, hold_table

START: Final = datetime(2026, 5, 3, tzinfo=UTC)
ROWS_PER_PART: Final = 64
TRACKS_PER_FOLDER: Final = 12

# mean and deviation over tracks, as measured on soundtracks of games
_LEVELS: Final = {
    "mfcc": (0.0, 18.0),
    "timbre": (0.0, 20.0),
    "mfcc_std": (14.0, 5.0),
    "mfcc_delta_std": (1.5, 0.5),
    "contrast": (22.0, 3.0),
    "centroid": (1500.0, 600.0),
    "chroma": (0.35, 0.1),
    "onset": (1.3, 0.4),
    "tempo": (120.0, 25.0),
    "loudness": (-22.0, 6.0),
}
_SIZES: Final = {"mfcc": FeatureSpec().n_mfcc, **BLOCK_SIZES}
_GENRES, _QUALITIES = 40, 16
_GENRE_SPREAD, _FOLDER_SPREAD, _TRACK_SPREAD, _NOISE = 0.5, 0.5, 0.6, 0.3
_RATES_HZ: Final = (44_100, 44_100, 44_100, 48_000, 22_050)
# one in so many
_COPY: Final = 200
_FAILURE: Final = 100
# the share of tracks that were there before the last run
_OLD: Final = 0.95


def write_catalogue(folder: Path, n_tracks: int) -> float:
    """Write the table of a catalogue, as the tasks of a build do.

    Returns
    -------
    float
        Seconds that writing took; making the rows up does not count.
    """
    spent_s = 0.0
    with hold_table(folder, "bench"):
        for number, rows in enumerate(iter_parts(n_tracks)):
            started_s = time.perf_counter()
            TableWriter(folder, "bench", f"{number:08x}").write(TRACKS, rows)
            spent_s += time.perf_counter() - started_s
        failures = [_failure(number) for number in range(0, n_tracks, _FAILURE)]
        TableWriter(folder, "bench", "failures").write(FAILURES, failures)
    return spent_s


def iter_parts(n_tracks: int) -> Iterator[list[Row]]:
    """Yield the rows of a catalogue in parts; the same number gives the same rows."""
    rng = np.random.default_rng(1)
    genres = rng.normal(size=(_GENRES, _QUALITIES))
    mixing = rng.normal(size=(_QUALITIES, sum(_SIZES.values()))) / np.sqrt(_QUALITIES)
    for first in range(0, n_tracks, ROWS_PER_PART):
        numbers = range(first, min(first + ROWS_PER_PART, n_tracks))
        yield [_track(number, n_tracks, genres, mixing) for number in numbers]


def _track(
    number: int,
    n_tracks: int,
    genres: NDArray[np.float64],
    mixing: NDArray[np.float64],
) -> Row:
    # every so many tracks one is the track before it again, on a sampler
    is_copy = number % _COPY == _COPY - 1
    source = number - 1 if is_copy else number
    folder = source // TRACKS_PER_FOLDER
    name = f"sampler {number // 2400}" if is_copy else f"album {folder}"
    place = source % TRACKS_PER_FOLDER + 1
    day = int(number >= _OLD * n_tracks)
    hashed = number * 0x9E3779B97F4A7C15 % 2**64
    return {
        "track_id": f"{hashed:016x}",
        "path": f"/music/{name}/{place:02d} - Song {folder}-{place}.ogg",
        "content_sha256": f"{hashed:064x}",
        "sample_rate_hz": _RATES_HZ[folder % len(_RATES_HZ)],
        "n_channels": 1 + (folder % 20 > 0),
        "duration_s": 60.0 + source * 7919 % 300,
        **_blocks(_scores(source, folder, genres, mixing)),
        "spec": spec_hash(FeatureSpec()),
        "extracted_at": START + timedelta(days=day, milliseconds=250 * number),
    }


def _scores(
    source: int,
    folder: int,
    genres: NDArray[np.float64],
    mixing: NDArray[np.float64],
) -> NDArray[np.float64]:
    own = np.random.default_rng([3, source])
    qualities = (
        _GENRE_SPREAD * genres[folder % _GENRES]
        + _FOLDER_SPREAD * np.random.default_rng([2, folder]).normal(size=_QUALITIES)
        + _TRACK_SPREAD * own.normal(size=_QUALITIES)
    )
    noise = _NOISE * own.normal(size=mixing.shape[1])
    return np.asarray(qualities @ mixing + noise)


def _blocks(scores: NDArray[np.float64]) -> dict[str, list[float]]:
    blocks, start = dict[str, list[float]](), 0
    for name, size in _SIZES.items():
        mean, deviation = _LEVELS[name]
        blocks[name] = (mean + deviation * scores[start : start + size]).tolist()
        start += size
    return blocks


def _failure(number: int) -> Row:
    return {
        "path": f"/music/album {number}/broken {number}.mp3",
        "content_sha256": f"bad{number}",
        "stage": ("decode", "worker")[number // _FAILURE % 2],
        "error_class": "LibsndfileError",
        "message": "no decoder reads it",
        "failed_at": START,
        "retry": False,
    }
