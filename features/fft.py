"""Power spectra of many overlapping real frames at once.

`LANES` frames lie side by side and go through the same butterflies, so that each
instruction works on whole registers, and the window is applied while frames are cut.
A radix-4 Stockham transform (self-sorting: no bit reversal) takes even samples as
real and odd ones as imaginary part; the spectrum of the real frame is split off at the
end. `docs/decisions/005-own-fourier-kernel.md` says why no library does it.
"""

import math
from typing import Any, Final

import numba
import numpy as np
from numpy.typing import NDArray

LANES: Final = 64
_MIN_N_FFT: Final = 8
_LINE_BYTES: Final = 64

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
        # kept: new memory for each call would cost as much as the arithmetic
        # rooms at the same place of two pages push each other out of the cache
        self._rooms = [
            aligned((2, half, LANES), shift) for shift in (0, _LINE_BYTES + 1024)
        ]
        self._power = aligned((half + 1, LANES))

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
            Overwritten by the next call.
        """
        source, target = self._rooms
        _first_stage(hops, start, self._window, self._turns, source)
        n_done = 4
        while n_done < source.shape[1]:
            _stage(source, target, self._turns, n_done)
            source, target = target, source
            n_done *= 4
        _split(source, self._turns, self._power)
        return self._power


def aligned(shape: tuple[int, ...], shift: int = 0) -> _Floats:
    """Return zeros that begin with a cache line, `shift` bytes (whole lines) on.

    What begins elsewhere has every second register cross a line: a fifth slower here.
    """
    n_bytes = 4 * math.prod(shape)
    room = np.zeros(n_bytes + _LINE_BYTES + shift, dtype=np.uint8)
    first = -room.ctypes.data % _LINE_BYTES + shift
    return room[first : first + n_bytes].view(np.float32).reshape(shape)


def _compiled(function: Any) -> Any:
    return numba.njit(cache=True, fastmath={"contract"})(function)


@_compiled
def _first_stage(
    hops: _Floats, start: int, window: _Floats, turns: _Floats, y: _Floats
) -> None:
    """Cut the frames, apply the window and do the first stage, in one go."""
    step = len(window) // 4
    for j in range(step // 2):
        w = window[2 * j :: step]
        v = window[2 * j + 1 :: step]
        w0, w1, w2, w3 = w[0], w[1], w[2], w[3]
        v0, v1, v2, v3 = v[0], v[1], v[2], v[3]
        n = 2 * j
        ar, ai = _sample(hops, start, n), _sample(hops, start, n + 1)
        br, bi = _sample(hops, start, n + step), _sample(hops, start, n + step + 1)
        n += 2 * step
        cr, ci = _sample(hops, start, n), _sample(hops, start, n + 1)
        dr, di = _sample(hops, start, n + step), _sample(hops, start, n + step + 1)
        ur, ui, vr, vi, wr, wi = _turns_of(turns, 2 * j)
        pr, qr, rr, sr = y[0, 4 * j], y[0, 4 * j + 1], y[0, 4 * j + 2], y[0, 4 * j + 3]
        pi, qi, ri, si = y[1, 4 * j], y[1, 4 * j + 1], y[1, 4 * j + 2], y[1, 4 * j + 3]
        for t in range(LANES):
            er, fr = ar[t] * w0 + cr[t] * w2, ar[t] * w0 - cr[t] * w2
            ei, fi = ai[t] * v0 + ci[t] * v2, ai[t] * v0 - ci[t] * v2
            gr, hi = br[t] * w1 + dr[t] * w3, dr[t] * w3 - br[t] * w1
            gi, hr = bi[t] * v1 + di[t] * v3, bi[t] * v1 - di[t] * v3
            pr[t], pi[t] = er + gr, ei + gi
            re, im = fr + hr, fi + hi
            qr[t], qi[t] = re * ur - im * ui, re * ui + im * ur
            re, im = er - gr, ei - gi
            rr[t], ri[t] = re * vr - im * vi, re * vi + im * vr
            re, im = fr - hr, fi - hi
            sr[t], si[t] = re * wr - im * wi, re * wi + im * wr


@_compiled
def _sample(hops: _Floats, start: int, n: int) -> _Floats:
    """Return sample `n` of each frame."""
    first = start + n // hops.shape[0]
    return hops[n % hops.shape[0], first : first + LANES]


@_compiled
def _turns_of(turns: _Floats, s: int) -> tuple[np.float32, ...]:
    """Return the factors of a butterfly: turns by `s`, 2 `s` and 3 `s` parts."""
    a, b, c = turns[s], turns[2 * s], turns[3 * s]
    return a[0], a[1], b[0], b[1], c[0], c[1]


@_compiled
def _stage(x: _Floats, y: _Floats, turns: _Floats, n_done: int) -> None:
    """Do a later stage of the transform of `x`, shape (2, points, frames).

    The `n_done` points of a butterfly follow each other in memory, frames and all, and
    are gone through as one row.
    """
    n_left = x.shape[1] // (4 * n_done)
    flat_x, flat_y = x.reshape(2, -1), y.reshape(2, -1)
    size, quarter = n_done * LANES, n_left * n_done * LANES
    for j in range(n_left):
        ur, ui, vr, vi, wr, wi = _turns_of(turns, 2 * j * n_done)
        ar, br, cr, dr = _rows(flat_x[0], j * size, quarter, size)
        ai, bi, ci, di = _rows(flat_x[1], j * size, quarter, size)
        pr, qr, rr, sr = _rows(flat_y[0], 4 * j * size, size, size)
        pi, qi, ri, si = _rows(flat_y[1], 4 * j * size, size, size)
        for t in range(size):
            er, fr = ar[t] + cr[t], ar[t] - cr[t]
            ei, fi = ai[t] + ci[t], ai[t] - ci[t]
            gr, hi = br[t] + dr[t], dr[t] - br[t]
            gi, hr = bi[t] + di[t], bi[t] - di[t]
            pr[t], pi[t] = er + gr, ei + gi
            re, im = fr + hr, fi + hi
            qr[t], qi[t] = re * ur - im * ui, re * ui + im * ur
            re, im = er - gr, ei - gi
            rr[t], ri[t] = re * vr - im * vi, re * vi + im * vr
            re, im = fr - hr, fi - hi
            sr[t], si[t] = re * wr - im * wi, re * wi + im * wr


@_compiled
def _rows(x: _Floats, first: int, step: int, size: int) -> tuple[_Floats, ...]:
    """Return four rows of `size` numbers, `step` apart."""
    b, c, d = first + step, first + 2 * step, first + 3 * step
    return x[first : first + size], x[b : b + size], x[c : c + size], x[d : d + size]


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
