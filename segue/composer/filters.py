"""Fixed filters, as functions from sound to sound."""

from functools import lru_cache
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from scipy.signal import butter, ellip, sosfilt

from segue.composer.sound import BANDWIDTH_HZ, SAMPLE_RATE_HZ

_Signal = NDArray[np.float32]
_STEEP: Final = 10
_SUBSONIC_HZ: Final = 24.0


def low_pass(signal: _Signal, cutoff_hz: float, order: int = 2) -> _Signal:
    """Return `signal` (last axis is time) without what lies above `cutoff_hz`."""
    return _apply(signal, "lowpass", cutoff_hz, order)


def high_pass(signal: _Signal, cutoff_hz: float, order: int = 2) -> _Signal:
    """Return `signal` (last axis is time) without what lies below `cutoff_hz`."""
    return _apply(signal, "highpass", cutoff_hz, order)


def band_pass(signal: _Signal, low_hz: float, high_hz: float) -> _Signal:
    """Return what of `signal` lies between the two corners."""
    return low_pass(high_pass(signal, low_hz), high_hz)


def band_limited(signal: _Signal) -> _Signal:
    """Return `signal` within the bandwidth that every format keeps."""
    return np.asarray(sosfilt(_band_edges(), signal, axis=-1), dtype=np.float32)


def _apply(signal: _Signal, kind: str, cutoff_hz: float, order: int) -> _Signal:
    sections = _sections(kind, float(cutoff_hz), order)
    return np.asarray(sosfilt(sections, signal, axis=-1), dtype=np.float32)


@lru_cache(maxsize=1)
def _band_edges() -> Any:
    top = ellip(
        _STEEP, 0.1, 96.0, BANDWIDTH_HZ, "lowpass", fs=SAMPLE_RATE_HZ, output="sos"
    )
    return np.concatenate([_sections("highpass", _SUBSONIC_HZ, 2), top])


@lru_cache(maxsize=64)
def _sections(kind: str, cutoff_hz: float, order: int) -> Any:
    return butter(order, cutoff_hz, kind, fs=SAMPLE_RATE_HZ, output="sos")
