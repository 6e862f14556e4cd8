"""Power spectra of many overlapping real frames at once.

`LANES` frames lie side by side and go through the same butterflies, so that each
instruction works on whole registers, and the window is applied while frames are cut.
A radix-4 Stockham transform (self-sorting: no bit reversal) takes even samples as
real and odd ones as imaginary part; the spectrum of the real frame is split off at the
end. `docs/decisions/005-own-fourier-kernel.md` says why no library does it.
"""

from typing import Any, Final

import numba
import numpy as np
from numpy.typing import NDArray

LANES: Final = 64
_MIN_N_FFT: Final = 8

_Floats = NDArray[np.float32]


class PowerKernel:
    """Squared magnitudes of `LANES` windowed frames.

    Parameters
    ----------
    window : ndarray, float32, shape (n_fft,)
        `n_fft` is two times a power of four.
    """

    def __init__(self, window: _Floats) -> None:
        n_fft, half = len(window), len(window) // 2
        n_stages = (half.bit_length() - 1) // 2
        if n_fft < _MIN_N_FFT or 2 * 4**n_stages != n_fft:
            raise ValueError(f"n_fft {n_fft} is not two times a power of four")
        turns = np.exp(-2j * np.pi * np.arange(n_fft) / n_fft).astype(np.complex64)
        self._turns = turns.view(np.float32).reshape(n_fft, 2)
        self._window = window
        self._cut = np.empty((2, half, LANES), dtype=np.float32)
        self._room = np.empty((2, half, LANES), dtype=np.float32)

    def __call__(self, hops: _Floats, start: int) -> _Floats:
        """Return the spectra of the frames that begin at hops `start`, `start` + 1, ….

        Parameters
        ----------
        hops : ndarray, float32, shape (hop_length, n_hops)
            The signal, a hop a column; all hops of `LANES` frames are there, and
            `n_fft` is a multiple of `hop_length`.

        Returns
        -------
        ndarray, float32, shape (1 + n_fft // 2, LANES)
        """
        source, target = self._cut, self._room
        _cut(hops, start, self._window, source)
        n_done = 1
        while n_done < source.shape[1]:
            _stage(source, target, self._turns, n_done)
            source, target = target, source
            n_done *= 4
        power = np.empty((source.shape[1] + 1, LANES), dtype=np.float32)
        _split(source, self._turns, power)
        return power


def _compiled(function: Any) -> Any:
    return numba.njit(cache=True, fastmath={"contract"})(function)


@_compiled
def _cut(hops: _Floats, start: int, window: _Floats, out: _Floats) -> None:
    """Fill (even or odd, sample, frame) with the windowed frames."""
    hop_length = hops.shape[0]
    for n in range(len(window)):
        row, first = hops[n % hop_length], start + n // hop_length
        sample = out[n % 2, n // 2]
        for t in range(LANES):
            sample[t] = row[first + t] * window[n]


@_compiled
def _stage(x: _Floats, y: _Floats, turns: _Floats, n_done: int) -> None:
    """Do one stage of the transform of `x` (real or imaginary, point, frame)."""
    n_left = x.shape[1] // (4 * n_done)
    quarter = n_left * n_done
    for j in range(n_left):
        s = 2 * j * n_done
        ur, ui, vr, vi = turns[s, 0], turns[s, 1], turns[2 * s, 0], turns[2 * s, 1]
        wr, wi = turns[3 * s, 0], turns[3 * s, 1]
        for k in range(n_done):
            i = k + j * n_done
            ar, br, cr, dr = _points(x[0], i, quarter)
            ai, bi, ci, di = _points(x[1], i, quarter)
            o = k + 4 * j * n_done
            pr, qr, rr, sr = _points(y[0], o, n_done)
            pi, qi, ri, si = _points(y[1], o, n_done)
            for t in range(LANES):
                er, ei, fr, fi = (
                    ar[t] + cr[t],
                    ai[t] + ci[t],
                    ar[t] - cr[t],
                    ai[t] - ci[t],
                )
                gr, gi, hr, hi = (
                    br[t] + dr[t],
                    bi[t] + di[t],
                    bi[t] - di[t],
                    dr[t] - br[t],
                )
                pr[t], pi[t] = er + gr, ei + gi
                re, im = fr + hr, fi + hi
                qr[t], qi[t] = re * ur - im * ui, re * ui + im * ur
                re, im = er - gr, ei - gi
                rr[t], ri[t] = re * vr - im * vi, re * vi + im * vr
                re, im = fr - hr, fi - hi
                sr[t], si[t] = re * wr - im * wi, re * wi + im * wr


@_compiled
def _points(x: _Floats, i: int, step: int) -> tuple[_Floats, ...]:
    return x[i], x[i + step], x[i + 2 * step], x[i + 3 * step]


@_compiled
def _split(z: _Floats, turns: _Floats, power: _Floats) -> None:
    """Fill the squared magnitudes of the real frames' spectra."""
    half, n = np.float32(0.5), z.shape[1]
    for t in range(LANES):
        power[0, t] = (z[0, 0, t] + z[1, 0, t]) ** 2
        power[n, t] = (z[0, 0, t] - z[1, 0, t]) ** 2
    for k in range(1, n // 2 + 1):
        wr, wi = turns[k, 0], turns[k, 1]
        ar, ai, br, bi = z[0, k], z[1, k], z[0, n - k], z[1, n - k]
        low, high = power[k], power[n - k]
        for t in range(LANES):
            er, ei = (ar[t] + br[t]) * half, (ai[t] - bi[t]) * half
            dr, di = (ai[t] + bi[t]) * half, (br[t] - ar[t]) * half
            vr, vi = dr * wr - di * wi, dr * wi + di * wr
            low[t] = (er + vr) * (er + vr) + (ei + vi) * (ei + vi)
            high[t] = (er - vr) * (er - vr) + (ei - vi) * (ei - vi)
