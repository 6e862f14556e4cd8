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

from features.fft import LANES, PowerKernel

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
        self._n_fft, self._hop = n_fft, hop_length
        window = scipy.signal.get_window("hann", n_fft, fftbins=True)
        self._power = PowerKernel(window.astype(np.float32), hop_length)
        self._n_shared = n_fft // hop_length - 1
        self._hops = self._power.hops
        self._n_hops = 0
        self._rest, self._n_rest = np.empty(hop_length, dtype=np.float32), 0
        self._take(np.zeros(n_fft // 2, dtype=np.float32))

    def push(self, samples: NDArray[np.float32]) -> Iterator[NDArray[np.float32]]:
        """Yield the frames that `samples` complete, a batch at a time.

        Yields
        ------
        ndarray, float32, shape (1 + n_fft // 2, n_frames)
            Squared magnitudes, overwritten by the next ones.
        """
        samples = self._take(samples)
        while self._n_hops == self._hops.shape[1]:
            yield self._power()
            self._hops[:, : self._n_shared] = self._hops[:, LANES:]
            self._n_hops = self._n_shared
            samples = self._take(samples)

    def flush(self) -> Iterator[NDArray[np.float32]]:
        """Yield the last frames, those that reach behind the end of the signal."""
        yield from self.push(np.zeros(self._n_fft // 2, dtype=np.float32))
        if (n_frames := self._n_hops - self._n_shared) > 0:
            # a whole batch is computed; what is behind the last frame is old
            yield self._power()[:, :n_frames]

    def _take(self, samples: NDArray[np.float32]) -> NDArray[np.float32]:
        """Lay out hops while there is room; return the samples for which there is none.

        What is no whole hop waits for the next samples.
        """
        if self._n_rest:
            samples = samples[self._keep(samples[: self._hop - self._n_rest]) :]
            if self._n_rest < self._hop:
                return samples
            self._lay_out(self._rest)
            self._n_rest = 0
        samples = samples[self._lay_out(samples) :]
        if self._n_hops < self._hops.shape[1]:
            samples = samples[self._keep(samples) :]
        return samples

    def _keep(self, samples: NDArray[np.float32]) -> int:
        end = self._n_rest + len(samples)
        self._rest[self._n_rest : end], self._n_rest = samples, end
        return len(samples)

    def _lay_out(self, samples: NDArray[np.float32]) -> int:
        n_hops = min(self._hops.shape[1] - self._n_hops, len(samples) // self._hop)
        _lay_out(samples, self._hops[:, self._n_hops :][:, :n_hops])
        self._n_hops += n_hops
        return int(n_hops * self._hop)


@numba.njit(cache=True)
def _lay_out(signal: NDArray[np.float32], hops: NDArray[np.float32]) -> None:
    """Fill (sample, hop), some rows at a time for the cache."""
    hop_length, n_hops = hops.shape
    for top in range(0, hop_length, _TILE):
        rows = hops[top : top + _TILE]
        for t in range(n_hops):
            part = signal[t * hop_length + top :][: len(rows)]
            for n in range(len(rows)):
                rows[n, t] = part[n]
