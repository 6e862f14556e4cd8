"""The mean MFCC vector of a file, equal to librosa's and computed block by block.

The cosine transform is linear, so the mean over frames can be taken before it: the
mean of the clipped log-mel bands is transformed once.
"""

from collections.abc import Iterator

import numpy as np
import scipy.fft
from numpy.typing import NDArray

from features.audio import Audio, read_audio
from features.mel import BandStore, MelBands
from features.spec import FeatureSpec
from features.stft import PowerFrames
from segue.errors import UnreadableAudioError


class MeanMfcc:
    """The mean MFCC vector of a signal that comes in blocks.

    ``librosa.feature.mfcc(y=y, sr=sr, n_mfcc=n_mfcc).mean(axis=1)``, within 1e-3.

    Parameters
    ----------
    sample_rate_hz : int
    spec : FeatureSpec
    store : BandStore
        Keeps the bands; whoever makes it closes it.
    """

    def __init__(
        self, sample_rate_hz: int, spec: FeatureSpec, store: BandStore
    ) -> None:
        self._n_mfcc, self._store = spec.n_mfcc, store
        self._frames = PowerFrames(spec.n_fft, spec.hop_length)
        self._mel = MelBands(sample_rate_hz, spec.n_fft, spec.n_mels)

    def push(self, samples: NDArray[np.float32]) -> None:
        """Take the next samples."""
        self._keep(self._frames.push(samples))

    def finish(self) -> NDArray[np.float32]:
        """Return the vector, shape (n_mfcc,)."""
        self._keep(self._frames.flush())
        mean = scipy.fft.dct(self._store.mean_db(), type=2, norm="ortho")
        return np.asarray(mean[: self._n_mfcc], dtype=np.float32)

    def _keep(self, blocks: Iterator[NDArray[np.float32]]) -> None:
        for power in blocks:
            self._store.append(self._mel.of(power))


def extract_mfcc(path: str) -> list[float]:
    """Return the mean MFCC vector of an audio file.

    It is ``librosa.feature.mfcc(y=y, sr=sr, n_mfcc=100).mean(axis=1)`` of
    ``y, sr = librosa.load(path, sr=None)``, within 1e-3.

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
    spec = FeatureSpec()
    mfcc = read_audio(path, lambda audio: _mean_mfcc(path, audio, spec))
    require_finite(path, "mfcc", mfcc)
    return [float(value) for value in mfcc]


def _mean_mfcc(path: str, audio: Audio, spec: FeatureSpec) -> NDArray[np.float32]:
    with BandStore(spec.n_mels) as store:
        mean = MeanMfcc(audio.sample_rate_hz, spec, store)
        for samples in audio.blocks:
            mean.push(samples)
        require_enough(path, audio, spec)
        return mean.finish()


def require_enough(path: str, audio: Audio, spec: FeatureSpec) -> None:
    """Raise UnreadableAudioError for a file of which too little was decoded.

    A file that was cut short still gives features while at least
    `spec.min_decoded_share` of it decodes: that part is what a listener hears.
    """
    if audio.n_decoded == 0:
        raise UnreadableAudioError(path, "decode", "it holds no audio")
    announced = audio.n_announced or 0
    if audio.n_decoded < announced * spec.min_decoded_share:
        cause = f"it is cut short: {audio.n_decoded} of {announced} samples are there"
        raise UnreadableAudioError(path, "decode", cause)


def require_finite(path: str, stage: str, values: NDArray[np.float32]) -> None:
    """Raise UnreadableAudioError when a feature is no finite number."""
    if not np.isfinite(values).all():
        raise UnreadableAudioError(path, stage, "its samples are out of range")
