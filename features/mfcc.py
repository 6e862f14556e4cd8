"""One audio file → one feature vector, as librosa computes it; no Spark here."""

import shutil
import warnings
from dataclasses import dataclass
from pathlib import Path

import audioread
import librosa
import numpy as np
import soundfile
from numpy.typing import NDArray

from features.spec import FeatureSpec
from segue.errors import UnreadableAudioError


@dataclass(frozen=True, slots=True)
class TrackFeatures:
    """What the extraction of one file gives.

    Attributes
    ----------
    mfcc : list of float
        Mean of each coefficient over all frames, `n_mfcc` finite numbers.
    sample_rate_hz : int
        The file's own rate, at which the frames were taken.
    duration_s : float
        Seconds that were really decoded.
    """

    mfcc: list[float]
    sample_rate_hz: int
    duration_s: float


def extract_mfcc(path: str) -> list[float]:
    """Return the mean MFCC vector of an audio file.

    It is ``librosa.feature.mfcc(y=y, sr=sr, n_mfcc=100).mean(axis=1)`` of
    ``y, sr = librosa.load(path, sr=None)``.

    Parameters
    ----------
    path : str
        An audio file that libsndfile, or ffmpeg where it is installed, decodes.

    Returns
    -------
    list of float
        100 finite numbers. Coefficient 0 is the loudness in dB times the square root
        of the number of mel bands; the others are dimensionless.

    Raises
    ------
    UnreadableAudioError
        When no decoder reads the file (audioread's `NoBackendError`), when less than
        half of what its header announces is there, or when it holds no finite audio.
    """
    return extract_features(path, FeatureSpec()).mfcc


def extract_features(path: str, spec: FeatureSpec) -> TrackFeatures:
    """Decode one file and summarise it; raises as :func:`extract_mfcc` does.

    A file that was cut short still gives features while at least
    `spec.min_decoded_share` of it decodes: that part is what a listener hears.
    """
    with warnings.catch_warnings():  # of the fallback decoder, of short audio
        warnings.simplefilter("ignore")
        samples, sample_rate_hz = _load(path)
        _check_length(path, len(samples), spec)
        mfcc = _mean_mfcc(path, samples, sample_rate_hz, spec)
    return TrackFeatures(mfcc.tolist(), sample_rate_hz, len(samples) / sample_rate_hz)


def _load(path: str) -> tuple[NDArray[np.float32], int]:
    try:
        if Path(path).stat().st_size == 0:
            raise UnreadableAudioError(path, "decode", "the file is empty")
        samples, sample_rate_hz = librosa.load(path, sr=None)
    except audioread.NoBackendError:
        raise _undecodable(path) from None
    except OSError as error:
        raise UnreadableAudioError(path, "read", str(error), retry=True) from error
    except librosa.ParameterError as error:
        raise UnreadableAudioError(path, "decode", str(error)) from error
    except (EOFError, ValueError, audioread.DecodeError) as error:
        cause = f"the decoder gave up: {type(error).__name__} {error}"
        raise UnreadableAudioError(path, "decode", cause) from error
    if samples.size == 0:
        raise UnreadableAudioError(path, "decode", "it holds no audio")
    return samples, int(sample_rate_hz)


def _undecodable(path: str) -> UnreadableAudioError:
    if shutil.which("ffmpeg") is None:
        cause = "libsndfile does not read it; install ffmpeg and build again"
        return UnreadableAudioError(path, "decode", cause, retry=True)
    cause = "neither libsndfile nor ffmpeg reads it"
    return UnreadableAudioError(path, "decode", cause)


def _check_length(path: str, n_decoded: int, spec: FeatureSpec) -> None:
    try:
        n_announced = soundfile.info(path).frames
    except soundfile.SoundFileRuntimeError:
        return  # ffmpeg decoded it: no trustworthy header
    if n_decoded < n_announced * spec.min_decoded_share:
        cause = f"it is cut short: {n_decoded} of {n_announced} samples are there"
        raise UnreadableAudioError(path, "decode", cause)


def _mean_mfcc(
    path: str, samples: NDArray[np.float32], sample_rate_hz: int, spec: FeatureSpec
) -> NDArray[np.float32]:
    try:
        frames = librosa.feature.mfcc(
            y=samples,
            sr=sample_rate_hz,
            n_mfcc=spec.n_mfcc,
            n_mels=spec.n_mels,
            n_fft=spec.n_fft,
            hop_length=spec.hop_length,
        )
    except librosa.ParameterError as error:
        raise UnreadableAudioError(path, "mfcc", str(error)) from error
    mfcc: NDArray[np.float32] = frames.mean(axis=1)
    if not np.isfinite(mfcc).all():
        raise UnreadableAudioError(path, "mfcc", "its samples are out of range")
    return mfcc
