"""Power spectra of a stream of samples, frame by frame as librosa cuts them.

Frames are centred, the signal is padded with zeros, the window is a periodic Hann:
``abs(librosa.stft(y, n_fft=n_fft, hop_length=hop_length)) ** 2`` to float32
precision. Everything is laid out (bin, frame), so that the arithmetic on it runs
along frames, which lie side by side in memory.
"""

from collections.abc import Iterator
from typing import Final

import numba
import numpy as np
import scipy.signal
from numpy.typing import NDArray

from features.fft import LANES, PowerKernel, aligned

_TILE: Final = 16


class PowerFrames:
    """Turns blocks of samples into blocks of power spectra; memory use is constant.

    Parameters
    ----------
    n_fft : int
        Samples a frame: two times a power of four, and a multiple of `hop_length`.
    hop_length : int
        Samples from one frame to the next.
    """

    def __init__(self, n_fft: int, hop_length: int) -> None:
        if n_fft % hop_length:
            raise ValueError(f"n_fft {n_fft} is no multiple of hop_length {hop_length}")
        self._n_fft, self._hop = n_fft, hop_length
        window = scipy.signal.get_window("hann", n_fft, fftbins=True)
        self._power = PowerKernel(window.astype(np.float32))
        self._signal = np.zeros(n_fft // 2, dtype=np.float32)
        self._n_pending = n_fft // 2
        # the hops of one batch, which stay in the cache
        self._hops = aligned((hop_length, LANES + n_fft // hop_length - 1))

    def push(self, samples: NDArray[np.float32]) -> Iterator[NDArray[np.float32]]:
        """Yield the frames that `samples` complete.

        Yields
        ------
        ndarray, float32, shape (1 + n_fft // 2, n_frames)
            Squared magnitudes, overwritten by the next ones.
        """
        signal = self._with_pending(samples)
        n_frames = max(0, (len(signal) - self._n_fft) // self._hop + 1)
        for start in range(0, n_frames, LANES):
            _lay_out(signal[start * self._hop :], self._hops)
            # a whole batch is computed; frames behind the last are not given out
            yield self._power(self._hops, 0)[:, : n_frames - start]
        rest = signal[n_frames * self._hop :].copy()
        self._signal[: len(rest)], self._n_pending = rest, len(rest)

    def flush(self) -> Iterator[NDArray[np.float32]]:
        """Yield the last frames, those that reach behind the end of the signal."""
        yield from self.push(np.zeros(self._n_fft // 2, dtype=np.float32))

    def _with_pending(self, samples: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return what was left over, followed by `samples`; the memory is kept."""
        n_samples = self._n_pending + len(samples)
        if len(self._signal) < n_samples:
            pending = self._signal[: self._n_pending]
            self._signal = np.empty(n_samples, dtype=np.float32)
            self._signal[: self._n_pending] = pending
        self._signal[self._n_pending : n_samples] = samples
        return self._signal[:n_samples]


@numba.njit(cache=True)
def _lay_out(signal: NDArray[np.float32], hops: NDArray[np.float32]) -> None:
    """Fill (sample, hop) with the whole hops, some rows at a time for the cache."""
    hop_length = hops.shape[0]
    n_hops = min(hops.shape[1], len(signal) // hop_length)
    for top in range(0, hop_length, _TILE):
        for t in range(n_hops):
            for n in range(top, min(top + _TILE, hop_length)):
                hops[n, t] = signal[t * hop_length + n]
