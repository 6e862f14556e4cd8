"""Mel spectra, and what is computed from them when their peak is known.

Decibels are clipped 80 below the peak of the whole file, and the peak is known only at
the end. So the bands are kept, in memory up to a limit and then on disk, and gone
through a second time: exact, with bounded memory, whatever the length.
"""

import tempfile
import warnings
from collections.abc import Iterator
from functools import lru_cache
from types import TracebackType
from typing import Final, Self

import librosa
import numba
import numpy as np
from numpy.typing import NDArray

AMIN: Final = 1e-10
TOP_DB: Final = 80.0
_DB_PER_NEPER: Final = 10 / np.log(10)
_FACTORS: Final = 8
"""So many powers, 1e-10 to 1e24 each, have a product that float64 holds."""
_KEPT_BYTES: Final = 32 << 20


class MelBands:
    """librosa's mel filters (Slaney), without their zeros.

    Parameters
    ----------
    sample_rate_hz, n_fft, n_mels : int
        As in :func:`librosa.filters.mel`.
    """

    def __init__(self, sample_rate_hz: float, n_fft: int, n_mels: int) -> None:
        filters = _filters(sample_rate_hz, n_fft, n_mels)
        self.n_mels = n_mels
        self._first = np.argmax(filters > 0, axis=1)
        counts = np.count_nonzero(filters, axis=1)
        self._ends = np.cumsum(counts)
        rows = zip(filters, self._first, counts, strict=True)
        self._weights = np.concatenate([row[a : a + n] for row, a, n in rows])

    def of(self, power: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the power of the bands; shape (n_bins, t) → (n_mels, t)."""
        bands = np.empty((self.n_mels, power.shape[1]), dtype=np.float32)
        _gather(power, self._first, self._ends, self._weights, bands)
        return bands


@lru_cache(maxsize=16)
def _filters(sample_rate_hz: float, n_fft: int, n_mels: int) -> NDArray[np.float32]:
    with warnings.catch_warnings():  # at high rates the lowest filters hold no bin
        warnings.simplefilter("ignore")
        filters: NDArray[np.float32] = librosa.filters.mel(
            sr=sample_rate_hz, n_fft=n_fft, n_mels=n_mels
        )
    return filters


@numba.njit(cache=True)
def _gather(
    power: NDArray[np.float32],
    first: NDArray[np.int64],
    ends: NDArray[np.int64],
    weights: NDArray[np.float32],
    bands: NDArray[np.float32],
) -> None:
    """Fill the bands; two bins at a time spare half of the way."""
    at, n_frames = 0, power.shape[1]
    for m in range(len(ends)):
        k, band = first[m], bands[m]
        band[:] = 0
        if (ends[m] - at) % 2:
            w, low = weights[at], power[k]
            for t in range(n_frames):
                band[t] = w * low[t]
            k, at = k + 1, at + 1
        while at < ends[m]:
            w, low, v, high = weights[at], power[k], weights[at + 1], power[k + 1]
            for t in range(n_frames):
                band[t] += w * low[t] + v * high[t]
            k, at = k + 2, at + 2


class BandStore:
    """Keeps blocks of mel power until the peak is known; a context manager.

    Parameters
    ----------
    n_mels : int
    kept_bytes : int
        What goes beyond this lies on disk.

    Attributes
    ----------
    peak : float
        Largest power so far.
    n_frames : int
        Frames so far.
    """

    def __init__(self, n_mels: int, kept_bytes: int = _KEPT_BYTES) -> None:
        self.peak = 0.0
        self.n_frames = 0
        self._n_mels = n_mels
        self._sizes: list[int] = []
        self._file = tempfile.SpooledTemporaryFile(max_size=kept_bytes)  # noqa: SIM115

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._file.close()

    def append(self, bands: NDArray[np.float32]) -> None:
        """Keep a block, shape (n_mels, t)."""
        self.peak = max(self.peak, float(bands.max()))
        self.n_frames += bands.shape[1]
        self._sizes.append(bands.shape[1])
        self._file.write(bands.data)

    def clipped_db(self) -> Iterator[NDArray[np.float32]]:
        """Yield the blocks again in dB, clipped `TOP_DB` below the peak.

        Yields
        ------
        ndarray, float32, shape (n_mels, t)
        """
        for bands in self._blocks():
            decibels = np.log(np.maximum(bands, self._floor()))
            decibels *= np.float32(_DB_PER_NEPER)
            yield decibels

    def mean_db(self) -> NDArray[np.float64]:
        """Return the mean of each clipped band, shape (n_mels,)."""
        total = np.zeros(self._n_mels)
        for bands in self._blocks():
            _add_logarithms(bands, self._floor(), total)
        total *= _DB_PER_NEPER / self.n_frames
        return total

    def _blocks(self) -> Iterator[NDArray[np.float32]]:
        self._file.seek(0)
        for size in self._sizes:
            content = self._file.read(4 * self._n_mels * size)
            yield np.frombuffer(content, np.float32).reshape(self._n_mels, size)

    def _floor(self) -> np.float32:
        return np.float32(max(AMIN, self.peak * 10 ** (-TOP_DB / 10)))


@numba.njit(cache=True)
def _add_logarithms(
    bands: NDArray[np.float32], floor: np.float32, total: NDArray[np.float64]
) -> None:
    """Add the sum over frames of log(max(band, floor)) to each band's total.

    The logarithm of a product is taken, one for `_FACTORS` frames.
    """
    n_frames = bands.shape[1]
    for m in range(len(bands)):
        for start in range(0, n_frames, _FACTORS):
            product = 1.0
            for t in range(start, min(start + _FACTORS, n_frames)):
                product *= max(bands[m, t], floor)
            total[m] += np.log(product)
