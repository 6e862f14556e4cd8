"""Spectral contrast and chroma: how tonal a track is, and on which notes.

Both change slowly, so every fourth frame is looked at: `hop_length` times four in
librosa's words.
"""

from functools import lru_cache
from itertools import pairwise
from typing import Final

import librosa
import numba
import numpy as np
from numpy.typing import NDArray

_STRIDE: Final = 4
_LOWEST_HZ: Final = 200.0
_N_BANDS: Final = 6
_QUANTILE: Final = 0.02


class Tonality:
    """Collects contrast and chroma of blocks of spectra.

    Parameters
    ----------
    sample_rate_hz, n_fft : int
        Of the spectra.
    """

    def __init__(self, sample_rate_hz: int, n_fft: int) -> None:
        self._chroma_filters = _chroma_filters(sample_rate_hz, n_fft)
        self._edges, self._counts = _contrast_bands(sample_rate_hz, n_fft)
        self._next = 0
        self._n_frames = 0
        self._chroma = np.zeros(len(self._chroma_filters))
        self._extremes: list[NDArray[np.float32]] = []

    def push(self, power: NDArray[np.float32], magnitude: NDArray[np.float32]) -> None:
        """Take the next frames, shape (n_bins, t)."""
        taken = slice(self._next, None, _STRIDE)
        self._next = (self._next - power.shape[1]) % _STRIDE
        chosen = np.ascontiguousarray(magnitude[:, taken].T)
        extremes = np.empty((2, len(self._counts), len(chosen)), dtype=np.float32)
        _means_of_extremes(chosen, self._edges, self._counts, extremes)
        self._extremes.append(extremes)
        chroma = self._chroma_filters @ power[:, taken]
        self._chroma += librosa.util.normalize(chroma, norm=np.inf, axis=0).sum(axis=1)
        self._n_frames += len(chosen)

    def finish(self) -> dict[str, NDArray[np.float64]]:
        """Return the blocks `contrast` and `chroma`."""
        valley, peak = np.concatenate(self._extremes, axis=-1)
        contrast = librosa.power_to_db(peak) - librosa.power_to_db(valley)
        return {
            "contrast": contrast.mean(axis=1, dtype=np.float64),
            "chroma": self._chroma / self._n_frames,
        }


@lru_cache(maxsize=2)
def _chroma_filters(sample_rate_hz: int, n_fft: int) -> NDArray[np.float32]:
    filters: NDArray[np.float32] = librosa.filters.chroma(
        sr=sample_rate_hz, n_fft=n_fft, tuning=0.0
    )
    return filters


def _contrast_bands(
    sample_rate_hz: int, n_fft: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return first and last bin (exclusive) of each band, and how many are extreme."""
    hz = librosa.fft_frequencies(sr=sample_rate_hz, n_fft=n_fft)
    octaves = np.concatenate([[0.0], _LOWEST_HZ * 2.0 ** np.arange(_N_BANDS + 1)])
    edges, counts = [], []
    for k, (low, high) in enumerate(pairwise(octaves)):
        inside = np.flatnonzero((hz >= low) & (hz <= high))
        first, last = inside[0] - (k > 0), inside[-1] + 1
        if k == _N_BANDS:
            last = len(hz)
        n_extreme = max(int(np.rint(_QUANTILE * (last - first))), 1)
        # all bands but the highest leave their last bin to the next one
        edges.append((first, last - (k < _N_BANDS)))
        counts.append(n_extreme)
    return np.array(edges), np.array(counts)


@numba.njit(cache=True)
def _means_of_extremes(
    frames: NDArray[np.float32],
    edges: NDArray[np.int64],
    counts: NDArray[np.int64],
    extremes: NDArray[np.float32],
) -> None:
    """Fill (low or high, band, frame) with the mean of a band's extreme bins."""
    low, high = np.empty(counts.max()), np.empty(counts.max())
    for t in range(frames.shape[0]):
        for k in range(len(counts)):
            n = counts[k]
            low[:n] = high[:n] = np.inf
            for b in range(edges[k, 0], edges[k, 1]):
                value = frames[t, b]
                if value < low[n - 1]:
                    _insert(low, n, value)
                if -value < high[n - 1]:  # negated, so that both look for the least
                    _insert(high, n, -value)
            extremes[0, k, t] = low[:n].mean()
            extremes[1, k, t] = -high[:n].mean()


@numba.njit(cache=True)
def _insert(least: NDArray[np.float64], n: int, value: float) -> None:
    """Put `value` in its place among the `n` least, the last of which drops out."""
    i = n - 1
    while i > 0 and value < least[i - 1]:
        least[i] = least[i - 1]
        i -= 1
    least[i] = value
