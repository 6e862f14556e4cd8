"""What sound is here: arrays of float32 at one sample rate, and the units around it."""

from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

SAMPLE_RATE_HZ: Final = 44_100
# The masters are low-passed below this, so that the lossy formats take nothing away
# that the lossless one keeps.
BANDWIDTH_HZ: Final = 15_000.0

Mono: TypeAlias = NDArray[np.float32]  # shape (n_samples,)
Stereo: TypeAlias = NDArray[np.float32]  # shape (2, n_samples), left and right
Floats: TypeAlias = NDArray[np.float64]


def hz_of(midi: float) -> float:
    """Return the frequency of a MIDI note number in equal temperament.

    Examples
    --------
    >>> hz_of(57)
    220.0
    """
    return float(440.0 * 2.0 ** ((midi - 69.0) / 12.0))


def gain_of(level_db: float) -> float:
    """Return the amplitude factor of a level in decibels.

    Examples
    --------
    >>> gain_of(-20.0)
    0.1
    """
    return float(10.0 ** (level_db / 20.0))


def n_samples(seconds: float) -> int:
    """Return the number of samples that last `seconds`, one at least.

    Examples
    --------
    >>> n_samples(0.5)
    22050
    """
    return max(1, round(seconds * SAMPLE_RATE_HZ))


def times_s(n: int) -> Floats:
    """Return the times of `n` samples in seconds, the first one 0."""
    return np.arange(n) / SAMPLE_RATE_HZ


def unit_peak(signal: Mono) -> Mono:
    """Return `signal` scaled to a peak of 1; silence stays silence."""
    peak = float(np.abs(signal).max(initial=0.0))
    return signal if peak == 0.0 else (signal / np.float32(peak)).astype(np.float32)


def active_rms(signal: NDArray[np.float32]) -> float:
    """Return the RMS of the blocks of 50 ms within 30 dB of the loudest one.

    Rests count for nothing, so that a part that plays seldom is not taken for quiet.
    """
    block = n_samples(0.05)
    n_blocks = signal.shape[-1] // block
    if n_blocks == 0:
        return float(np.sqrt(np.mean(np.square(signal))))
    blocks = signal[..., : n_blocks * block].reshape(-1, n_blocks, block)
    power = np.asarray(np.mean(np.square(blocks), axis=(0, 2), dtype=np.float64))
    active = power[power >= power.max() * gain_of(-60.0)]
    return float(np.sqrt(active.mean()))
