"""What moves from frame to frame: spread and delta of MFCC, onsets, tempo."""

from typing import Final

import librosa
import numpy as np
import scipy.fft
import scipy.signal
from numpy.typing import NDArray

from features.spec import FeatureSpec

_DELTA_WIDTH: Final = 9
_TEMPO_FRAMES: Final = 384
_TEMPO_STRIDE: Final = 96
_WINDOWS_AT_ONCE: Final = 512
_UNKNOWN_BPM: Final = 120.0


class Movement:
    """Goes once through the clipped log-mel bands of a track.

    Parameters
    ----------
    spec : FeatureSpec
    """

    def __init__(self, spec: FeatureSpec) -> None:
        self._hop = spec.hop_length
        basis = scipy.fft.dct(np.eye(spec.n_mels), type=2, norm="ortho", axis=0)
        self._dct = np.asarray(basis[: spec.n_timbre], dtype=np.float32)
        self._mfcc, self._delta = _Moments(spec.n_timbre), _Moments(spec.n_timbre)
        # the kernel of librosa.feature.delta, of a convolution
        self._kernel = scipy.signal.savgol_coeffs(_DELTA_WIDTH, 1, deriv=1)
        self._recent = np.empty((spec.n_timbre, 0), dtype=np.float32)
        self._last_bands: NDArray[np.float32] | None = None
        self._onsets: list[NDArray[np.float32]] = []

    def push(self, bands: NDArray[np.float32]) -> None:
        """Take the next frames, shape (n_mels, t)."""
        mfcc = self._dct @ bands
        self._mfcc.push(mfcc)
        self._push_delta(np.concatenate([self._recent, mfcc], axis=1))
        self._push_onsets(bands)

    def finish(self, rate_hz: int) -> dict[str, NDArray[np.float64]]:
        """Return `timbre`, `mfcc_std`, `mfcc_delta_std`, `onset`, `tempo`."""
        onsets = np.concatenate(self._onsets)
        return {
            "timbre": self._mfcc.mean(),
            "mfcc_std": self._mfcc.std(),
            "mfcc_delta_std": self._delta.std(),
            "onset": np.array([onsets.mean(dtype=float), onsets.std(dtype=float)]),
            "tempo": np.array([tempo_bpm(onsets, rate_hz, self._hop)]),
        }

    def _push_delta(self, mfcc: NDArray[np.float32]) -> None:
        n_inner = mfcc.shape[1] - _DELTA_WIDTH + 1
        if n_inner > 0:
            delta = np.zeros((len(mfcc), n_inner))
            for k, weight in enumerate(self._kernel[::-1]):
                delta += weight * mfcc[:, k : k + n_inner]
            self._delta.push(delta)
        self._recent = mfcc[:, max(0, n_inner) :]

    def _push_onsets(self, bands: NDArray[np.float32]) -> None:
        first = bands[:, :1] if self._last_bands is None else self._last_bands
        rises = np.diff(bands, axis=1, prepend=first)
        self._onsets.append(np.maximum(rises, 0, out=rises).mean(axis=0))
        self._last_bands = bands[:, -1:]


def tempo_bpm(onsets: NDArray[np.float32], rate_hz: int, hop_length: int) -> float:
    """Return the tempo that the autocorrelation of the onset strength shows.

    As :func:`librosa.feature.tempo`, of windows of nine seconds; 120 where nothing
    ever sets in.
    """
    if not np.any(onsets):
        return _UNKNOWN_BPM
    half = _TEMPO_FRAMES // 2
    padded = np.pad(onsets, half, mode="linear_ramp", end_values=[0, 0])
    windows = np.lib.stride_tricks.sliding_window_view(padded, _TEMPO_FRAMES)
    windows = windows[::_TEMPO_STRIDE]
    hann = librosa.filters.get_window("hann", _TEMPO_FRAMES, fftbins=True)
    total = np.zeros(_TEMPO_FRAMES)
    for start in range(0, len(windows), _WINDOWS_AT_ONCE):
        part = windows[start : start + _WINDOWS_AT_ONCE] * hann
        correlation = librosa.autocorrelate(part, axis=-1)
        normal = librosa.util.normalize(correlation, norm=np.inf, axis=-1)
        total += normal.sum(axis=0)
    mean = (total / len(windows))[:, None]
    bpm = librosa.feature.tempo(tg=mean, sr=rate_hz, hop_length=hop_length)
    return float(bpm[0])


class _Moments:
    """Mean and standard deviation of rows that come in blocks of columns."""

    def __init__(self, n_rows: int) -> None:
        self._n = 0
        self._sum, self._sum_of_squares = np.zeros(n_rows), np.zeros(n_rows)

    def push(self, block: NDArray[np.floating]) -> None:
        exact = block.astype(np.float64)
        self._n += exact.shape[1]
        self._sum += exact.sum(axis=1)
        self._sum_of_squares += (exact * exact).sum(axis=1)

    def mean(self) -> NDArray[np.float64]:
        return self._sum / max(1, self._n)

    def std(self) -> NDArray[np.float64]:
        variance = self._sum_of_squares / max(1, self._n) - self.mean() ** 2
        return np.sqrt(np.maximum(variance, 0.0))
