"""Power spectra of many overlapping real frames at once.

`LANES` frames lie side by side and go through the same butterflies, so that each
instruction works on whole registers, and the window is applied while frames are cut.
A radix-4 transform in place (decimation in frequency) takes even samples as real and
odd ones as imaginary part; its points end in the order of their reversed digits, and
the spectrum of the real frame is split off from there.

Each stage is compiled for its own length: with distances known beforehand, the
compiler sees that rows do not overlap, and no test of it stands before each row.
`docs/decisions/005-own-fourier-kernel.md` says why no library does it.
"""

import math
from collections.abc import Callable
from functools import lru_cache
from typing import Final, TypeVar, cast

import numba
import numpy as np
from numpy.typing import NDArray

LANES: Final = 64
_MIN_N_FFT: Final = 8
_LINE_BYTES: Final = 64

_Floats = NDArray[np.float32]
_Function = Callable[..., None]
F = TypeVar("F", bound=Callable[..., object])


class PowerKernel:
    """Squared magnitudes of `LANES` windowed frames.

    Parameters
    ----------
    window : ndarray, float32, shape (n_fft,)
        `n_fft` is two times a power of four.
    hop_length : int
        Samples from one frame to the next; a divisor of `n_fft`.

    Attributes
    ----------
    hops : ndarray, float32, shape (hop_length, n_hops)
        Room for the signal, a hop a column: the hops of `LANES` frames.
    """

    def __init__(self, window: _Floats, hop_length: int) -> None:
        n_fft, half = len(window), len(window) // 2
        n_stages = (half.bit_length() - 1) // 2
        if n_fft < _MIN_N_FFT or 2 * 4**n_stages != n_fft:
            raise ValueError(f"n_fft {n_fft} is not two times a power of four")
        if n_fft % hop_length:
            raise ValueError(f"n_fft {n_fft} is no multiple of hop_length {hop_length}")
        turns = np.exp(-2j * np.pi * np.arange(n_fft) / n_fft).astype(np.complex64)
        self._turns = turns.view(np.float32).reshape(n_fft, 2)
        self._order = np.arange(half).reshape((4,) * n_stages).transpose().flatten()
        self._window = window
        # kept: new memory for each call would cost as much as the arithmetic
        self.hops = aligned((hop_length, LANES + n_fft // hop_length - 1))
        self._points = aligned((half, 2, LANES))
        self._power = aligned((half + 1, LANES))
        self._first = _first_stage(n_fft, hop_length)
        self._stages = [_stage(n_fft, 4**n) for n in range(n_stages - 1, 0, -1)]

    def __call__(self) -> _Floats:
        """Return the spectra of the frames that begin at the first `LANES` hops.

        Returns
        -------
        ndarray, float32, shape (1 + n_fft // 2, LANES)
            Overwritten by the next call.
        """
        points = self._points.reshape(-1)
        self._first(self.hops.reshape(-1), self._window, self._turns, points)
        for stage in self._stages:
            stage(points, self._turns)
        _split(self._points, self._order, self._turns, self._power)
        return self._power


def aligned(shape: tuple[int, ...]) -> _Floats:
    """Return zeros that begin with a cache line.

    What begins elsewhere has every second register cross a line: a fifth slower here.
    """
    n_bytes = 4 * math.prod(shape)
    room = np.zeros(n_bytes + _LINE_BYTES, dtype=np.uint8)
    first = -room.ctypes.data % _LINE_BYTES
    return room[first : first + n_bytes].view(np.float32).reshape(shape)


def _compiled(function: F) -> F:
    compile_ = numba.njit(cache=True, fastmath={"contract"})
    return cast(F, compile_(function))


@lru_cache
def _first_stage(n_fft: int, hop_length: int) -> _Function:
    step, pitch = n_fft // 4, LANES + n_fft // hop_length - 1
    row = step // 2 * 2 * LANES

    @_compiled
    def sample(n: int) -> int:
        return n % hop_length * pitch + n // hop_length

    @_compiled
    def first_stage(hops: _Floats, window: _Floats, turns: _Floats, z: _Floats) -> None:
        """Cut the frames, apply the window and do the first stage, in one go."""
        for j in range(step // 2):
            w = window[2 * j :: step]
            v = window[2 * j + 1 :: step]
            w0, w1, w2, w3 = w[0], w[1], w[2], w[3]
            v0, v1, v2, v3 = v[0], v[1], v[2], v[3]
            n = 2 * j
            ar, ai = hops[sample(n) :], hops[sample(n + 1) :]
            br, bi = hops[sample(n + step) :], hops[sample(n + step + 1) :]
            n += 2 * step
            cr, ci = hops[sample(n) :], hops[sample(n + 1) :]
            dr, di = hops[sample(n + step) :], hops[sample(n + step + 1) :]
            ur, ui, vr, vi, wr, wi = _turns_of(turns, 2 * j)
            y = z[2 * j * LANES :]
            for t in range(LANES):
                er, fr = ar[t] * w0 + cr[t] * w2, ar[t] * w0 - cr[t] * w2
                ei, fi = ai[t] * v0 + ci[t] * v2, ai[t] * v0 - ci[t] * v2
                gr, hi = br[t] * w1 + dr[t] * w3, dr[t] * w3 - br[t] * w1
                gi, hr = bi[t] * v1 + di[t] * v3, bi[t] * v1 - di[t] * v3
                y[t], y[t + LANES] = er + gr, ei + gi
                qr, qi = fr + hr, fi + hi
                rr, ri = er - gr, ei - gi
                sr, si = fr - hr, fi - hi
                q, r, s = t + row, t + 2 * row, t + 3 * row
                y[q], y[q + LANES] = qr * ur - qi * ui, qr * ui + qi * ur
                y[r], y[r + LANES] = rr * vr - ri * vi, rr * vi + ri * vr
                y[s], y[s + LANES] = sr * wr - si * wi, sr * wi + si * wr

    return first_stage


@lru_cache
def _stage(n_fft: int, length: int) -> _Function:
    """Return a later stage, which takes pieces of `length` points apart into four."""
    quarter, step = length // 4, n_fft // length
    row = quarter * 2 * LANES

    @_compiled
    def stage(z: _Floats, turns: _Floats) -> None:
        for first in range(0, n_fft // 2, length):
            for j in range(quarter):
                ur, ui, vr, vi, wr, wi = _turns_of(turns, j * step)
                start = (first + j) * 2 * LANES
                for p in range(start, start + LANES):
                    q, r, s = p + row, p + 2 * row, p + 3 * row
                    er, fr = z[p] + z[r], z[p] - z[r]
                    ei, fi = z[p + LANES] + z[r + LANES], z[p + LANES] - z[r + LANES]
                    gr, hi = z[q] + z[s], z[s] - z[q]
                    gi, hr = z[q + LANES] + z[s + LANES], z[q + LANES] - z[s + LANES]
                    z[p], z[p + LANES] = er + gr, ei + gi
                    qr, qi = fr + hr, fi + hi
                    rr, ri = er - gr, ei - gi
                    sr, si = fr - hr, fi - hi
                    z[q], z[q + LANES] = qr * ur - qi * ui, qr * ui + qi * ur
                    z[r], z[r + LANES] = rr * vr - ri * vi, rr * vi + ri * vr
                    z[s], z[s + LANES] = sr * wr - si * wi, sr * wi + si * wr

    return stage


@_compiled
def _turns_of(turns: _Floats, s: int) -> tuple[np.float32, ...]:
    """Return the factors of a butterfly: turns by `s`, 2 `s` and 3 `s` parts."""
    a, b, c = turns[s], turns[2 * s], turns[3 * s]
    return a[0], a[1], b[0], b[1], c[0], c[1]


@_compiled
def _split(
    z: _Floats, order: NDArray[np.int64], turns: _Floats, power: _Floats
) -> None:
    """Fill the squared magnitudes of the real frames' spectra."""
    half, n = np.float32(0.5), len(z)
    for t in range(LANES):
        power[0, t] = (z[0, 0, t] + z[0, 1, t]) ** 2
        power[n, t] = (z[0, 0, t] - z[0, 1, t]) ** 2
    for k in range(1, n // 2 + 1):
        wr, wi = turns[k, 0], turns[k, 1]
        a, b = z[order[k]], z[order[n - k]]
        low, high = power[k], power[n - k]
        for t in range(LANES):
            er, ei = (a[0, t] + b[0, t]) * half, (a[1, t] - b[1, t]) * half
            dr, di = (a[1, t] + b[1, t]) * half, (b[0, t] - a[0, t]) * half
            vr, vi = dr * wr - di * wi, dr * wi + di * wr
            low[t] = (er + vr) * (er + vr) + (ei + vi) * (ei + vi)
            high[t] = (er - vr) * (er - vr) + (ei - vi) * (ei - vi)
