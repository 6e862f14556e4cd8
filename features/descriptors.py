"""Descriptors of a whole track, at one common rate so that all files compare.

Each is what librosa computes of the resampled signal (`soxr_hq`), summarised over
frames, block by block:

================  ====  ===========================================================
block             size  mean over frames of, unless said
================  ====  ===========================================================
`timbre`          20    MFCC
`mfcc_std`        20    standard deviation of these MFCC
`mfcc_delta_std`  20    standard deviation of their delta (width 9, inner frames)
`contrast`        7     spectral contrast in dB, every fourth frame
`centroid`        2     spectral centroid in Hz: mean, standard deviation
`chroma`          12    chroma of the STFT (tuning 0), every fourth frame
`onset`           2     onset strength: mean, standard deviation
`tempo`           1     beats a minute, from the onset strength
`loudness`        2     level of a frame in dB of full scale: mean, standard deviation
================  ====  ===========================================================
"""

from collections.abc import Iterator
from typing import Final

import numpy as np
import soxr
from numpy.typing import NDArray

from features.mel import BandStore, MelBands
from features.movement import Movement
from features.spec import FeatureSpec
from features.stft import PowerFrames
from features.tonality import Tonality

Blocks = dict[str, NDArray[np.float32]]

BLOCK_SIZES: Final = {
    "timbre": FeatureSpec().n_timbre,
    "mfcc_std": FeatureSpec().n_timbre,
    "mfcc_delta_std": FeatureSpec().n_timbre,
    "contrast": 7,
    "centroid": 2,
    "chroma": 12,
    "onset": 2,
    "tempo": 1,
    "loudness": 2,
}
_SILENCE: Final = 1e-5


class Descriptors:
    """The descriptors of a signal that comes in blocks.

    Parameters
    ----------
    sample_rate_hz : int
        Rate of the blocks.
    spec : FeatureSpec
    store : BandStore
        Keeps the log-mel bands; whoever makes it closes it.
    """

    def __init__(
        self, sample_rate_hz: int, spec: FeatureSpec, store: BandStore
    ) -> None:
        self._rate_hz = rate_hz = spec.common_rate_hz
        self._resampler = _resampler(sample_rate_hz, rate_hz)
        self._spec, self._store = spec, store
        self._frames = PowerFrames(spec.n_fft, spec.hop_length)
        self._mel = MelBands(rate_hz, spec.n_fft, spec.n_mels)
        self._hz = np.fft.rfftfreq(spec.n_fft, 1 / rate_hz).astype(np.float32)
        self._tonality = Tonality(rate_hz, spec.n_fft)
        self._centroid, self._level = MeanStd(), MeanStd()

    def push(self, samples: NDArray[np.float32]) -> None:
        """Take the next samples."""
        if self._resampler is not None:
            samples = self._resampler.resample_chunk(samples)
        self._take(self._frames.push(samples))

    def finish(self) -> Blocks:
        """Return the blocks by name, each of its size in `BLOCK_SIZES`."""
        if self._resampler is not None:
            rest = self._resampler.resample_chunk(np.empty(0, np.float32), last=True)
            self._take(self._frames.push(rest))
        self._take(self._frames.flush())
        movement = Movement(self._spec)
        for bands in self._store.clipped_db():
            movement.push(bands)
        blocks = {
            **movement.finish(self._rate_hz),
            **self._tonality.finish(),
            "centroid": self._centroid.values(),
            "loudness": self._level.values(),
        }
        return {name: np.asarray(blocks[name], np.float32) for name in BLOCK_SIZES}

    def _take(self, blocks: Iterator[NDArray[np.float32]]) -> None:
        for power in blocks:
            self._store.append(self._mel.of(power))
            self._level.push(self._level_db(power))
            magnitude = np.sqrt(power)
            total = magnitude.sum(axis=0)
            heard = total > 0
            centre = np.divide(self._hz @ magnitude, total, where=heard, out=total * 0)
            self._centroid.push(centre)
            self._tonality.push(power, magnitude)

    def _level_db(self, power: NDArray[np.float32]) -> NDArray[np.float32]:
        # by Parseval; the two ends of a real spectrum stand for themselves only
        total = power.sum(axis=0) - 0.5 * (power[0] + power[-1])
        rms = np.sqrt(2 * total) / self._spec.n_fft
        level: NDArray[np.float32] = 20 * np.log10(np.maximum(rms, _SILENCE))
        return level


class MeanStd:
    """Mean and standard deviation of numbers that come in blocks.

    Examples
    --------
    >>> both = MeanStd()
    >>> both.push(np.array([1.0, 3.0]))
    >>> both.values()
    array([2., 1.], dtype=float32)
    """

    def __init__(self) -> None:
        self._n, self._sum, self._sum_of_squares = 0, 0.0, 0.0

    def push(self, values: NDArray[np.floating]) -> None:
        """Take more numbers."""
        exact = values.astype(np.float64)
        self._n += len(exact)
        self._sum += float(exact.sum())
        self._sum_of_squares += float(exact @ exact)

    def values(self) -> NDArray[np.float32]:
        """Return mean and standard deviation; at least one number was taken."""
        mean = self._sum / self._n
        variance = max(0.0, self._sum_of_squares / self._n - mean * mean)
        return np.array([mean, np.sqrt(variance)], dtype=np.float32)


def _resampler(from_hz: int, to_hz: int) -> soxr.ResampleStream | None:
    if from_hz == to_hz:
        return None
    return soxr.ResampleStream(from_hz, to_hz, 1, dtype="float32", quality="HQ")
