"""Tone generators: rings of decaying partials, and stacks of band-limited tables."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from segue.composer.sound import BANDWIDTH_HZ, SAMPLE_RATE_HZ, Floats, Mono

_TABLE: Final = 2048
_BLOCK: Final = 256
_LN_1000: Final = 6.907755  # 60 dB


@dataclass(frozen=True)
class Partials:
    """The modes of something struck or plucked.

    Attributes
    ----------
    hz : ndarray, shape (n_partials,)
        Frequencies.
    decay_s : ndarray, shape (n_partials,)
        Seconds in which each falls by 60 dB.
    amplitude, phase : ndarray, shape (n_partials,)
        At the start; phase in radians.
    """

    hz: Floats
    decay_s: Floats
    amplitude: Floats
    phase: Floats


def ring(partials: Partials, n: int) -> Mono:
    r"""Return the sum of exponentially decaying sines.

    With :math:`z_p = e^{\lambda_p}` the sample :math:`n = Bi + j` is
    :math:`\Re \sum_p a_p z_p^{Bi} z_p^{j}`: a product of two small matrices, about a
    hundred times cheaper than `n` sines a partial.

    Parameters
    ----------
    partials : Partials
        Those above the bandwidth are left out.
    n : int
        Number of samples.
    """
    keep = partials.hz < BANDWIDTH_HZ
    rate = 2j * np.pi * partials.hz[keep] - _LN_1000 / partials.decay_s[keep]
    rate = rate[:, None] / SAMPLE_RATE_HZ
    start = partials.amplitude[keep] * np.exp(1j * partials.phase[keep])
    n_blocks = -(-n // _BLOCK)
    coarse = (start[:, None] * np.exp(rate * (_BLOCK * np.arange(n_blocks)))).T
    fine = np.exp(rate * np.arange(_BLOCK))
    wave = _float32(coarse.real) @ _float32(fine.real)
    wave -= _float32(coarse.imag) @ _float32(fine.imag)
    return wave.ravel()[:n]


def _float32(values: Floats) -> NDArray[np.float32]:
    return np.ascontiguousarray(values, dtype=np.float32)


def n_harmonics_below(hz: float, limit_hz: float = BANDWIDTH_HZ) -> int:
    """Return how many harmonics of `hz` fit below `limit_hz`, one at least.

    Examples
    --------
    >>> n_harmonics_below(440.0, 2000.0)
    4
    """
    return max(1, min(int(limit_hz / hz), _TABLE // 2 - 1))


def harmonics(shape: str, n: int) -> Floats:
    """Return the signed amplitudes of the first `n` harmonics of a waveform.

    Parameters
    ----------
    shape : str
        `sine`, `triangle`, `saw`, `square`, `pulse25`, `pulse12`, `organ`, `reed` or
        `flute`.
    n : int
        Number of harmonics.

    Examples
    --------
    >>> harmonics("square", 4).round(3).tolist()
    [1.0, 0.0, 0.333, 0.0]
    """
    k = np.arange(1, n + 1, dtype=np.float64)
    if shape in _DRAWBARS:
        bars = np.zeros(max(n, len(_DRAWBARS[shape])))
        bars[: len(_DRAWBARS[shape])] = _DRAWBARS[shape]
        return bars[:n]
    return _series(shape, k)


_DRAWBARS: Final[dict[str, tuple[float, ...]]] = {
    "sine": (1.0,),
    "organ": (1.0, 0.75, 0.55, 0.3, 0.0, 0.22, 0.0, 0.16),
    "reed": (1.0, 0.35, 0.7, 0.3, 0.45, 0.2, 0.3, 0.12, 0.18, 0.08, 0.1),
    "flute": (1.0, 0.32, 0.12, 0.05, 0.02),
}


def _series(shape: str, k: Floats) -> Floats:
    odd = k % 2
    match shape:
        case "saw":
            return 1.0 / k
        case "square":
            return odd / k
        case "triangle":
            return odd * np.cos(np.pi * (k - 1) / 2) / k**2
        case "pulse25":
            return np.sin(np.pi * k * 0.25) / k
        case "pulse12":
            return np.sin(np.pi * k * 0.125) / k
    raise ValueError(f"{shape!r} is no waveform; want saw, square, triangle, organ …")


def low_pass_gain(hz: Floats, cutoff_hz: Floats, resonance: float) -> Floats:
    """Return the gain of a resonant two-pole low-pass, squared for steeper slopes.

    Parameters
    ----------
    hz : ndarray
        Where to evaluate.
    cutoff_hz : ndarray
        Corner; broadcast against `hz`.
    resonance : float
        Quality; 0.7 is flat, 8 whistles.
    """
    ratio = hz / cutoff_hz
    return np.asarray(1.0 / np.sqrt((1.0 - ratio**2) ** 2 + (ratio / resonance) ** 2))


def tables(amplitudes: Floats) -> NDArray[np.float32]:
    """Return one period of each row of harmonic amplitudes, with a guard sample.

    Parameters
    ----------
    amplitudes : ndarray, shape (n_tables, n_harmonics)

    Returns
    -------
    ndarray, float32, shape (n_tables, 2049)
    """
    spectrum = np.zeros((len(amplitudes), _TABLE // 2 + 1), dtype=np.complex128)
    spectrum[:, 1 : amplitudes.shape[1] + 1] = -0.5j * amplitudes * _TABLE
    periods = np.fft.irfft(spectrum, _TABLE, axis=1)
    return np.concatenate([periods, periods[:, :1]], axis=1).astype(np.float32)


def read_tables(
    stack: NDArray[np.float32], cycles: Floats, row: NDArray[np.float32]
) -> Mono:
    """Read a stack of tables along a phase, gliding between its rows.

    Parameters
    ----------
    stack : ndarray, float32, shape (n_tables, 2049)
        From :func:`tables`.
    cycles : ndarray, shape (n,)
        Phase in periods.
    row : ndarray, shape (n,)
        Which table, in fractions of a row.
    """
    place = np.mod(cycles, 1.0).astype(np.float32) * np.float32(_TABLE)
    whole = np.minimum(place.astype(np.int32), _TABLE - 1)
    part = place - whole
    lower = np.clip(row.astype(np.int32), 0, max(0, len(stack) - 2))
    flat = stack.ravel()
    index = lower * np.int32(_TABLE + 1) + whole
    wave = flat[index] * (1 - part) + flat[index + 1] * part
    if len(stack) == 1:
        return np.asarray(wave, dtype=np.float32)
    index += np.int32(_TABLE + 1)
    above = flat[index] * (1 - part) + flat[index + 1] * part
    glide = np.clip(row - lower, 0.0, 1.0).astype(np.float32)
    return np.asarray(wave + (above - wave) * glide, dtype=np.float32)
