"""Log-mel spectra, and what is computed from them when their peak is known.

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

AMIN: Final = np.float32(1e-10)
TOP_DB: Final = np.float32(80.0)
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

    def decibels(self, power: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the bands in dB, unclipped; shape (n_bins, t) → (n_mels, t)."""
        bands = np.zeros((self.n_mels, power.shape[1]), dtype=np.float32)
        _gather(power, self._first, self._ends, self._weights, bands)
        np.maximum(bands, AMIN, out=bands)
        np.log10(bands, out=bands)
        bands *= np.float32(10)
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
    at = 0
    for m in range(len(ends)):
        k = first[m]
        while at < ends[m]:
            for t in range(power.shape[1]):
                bands[m, t] += weights[at] * power[k, t]
            k += 1
            at += 1


class BandStore:
    """Keeps log-mel blocks until the peak is known; a context manager.

    Parameters
    ----------
    n_mels : int
    kept_bytes : int
        What goes beyond this lies on disk.

    Attributes
    ----------
    peak_db : float
        Largest value so far.
    n_frames : int
        Frames so far.
    """

    def __init__(self, n_mels: int, kept_bytes: int = _KEPT_BYTES) -> None:
        self.peak_db = np.float32(-np.inf)
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
        self.peak_db = max(self.peak_db, bands.max())
        self.n_frames += bands.shape[1]
        self._sizes.append(bands.shape[1])
        self._file.write(bands.tobytes())

    def clipped(self) -> Iterator[NDArray[np.float32]]:
        """Yield the blocks again, clipped `TOP_DB` below the peak.

        Yields
        ------
        ndarray, float32, shape (n_mels, t)
        """
        self._file.seek(0)
        floor_db = self.peak_db - TOP_DB
        for size in self._sizes:
            content = self._file.read(4 * self._n_mels * size)
            bands = np.frombuffer(content, np.float32).reshape(self._n_mels, size)
            yield np.maximum(bands, floor_db)

    def mean_db(self) -> NDArray[np.float64]:
        """Return the mean of each clipped band, shape (n_mels,)."""
        total = np.zeros(self._n_mels)
        for bands in self.clipped():
            total += bands.sum(axis=1, dtype=np.float64)
        return total / self.n_frames
