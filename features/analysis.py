"""One audio file → all that the feature table keeps of it, in one pass."""

from dataclasses import dataclass

import librosa
import numpy as np
from numpy.typing import NDArray

from features.audio import Audio, read_audio
from features.descriptors import Descriptors
from features.mel import BandStore
from features.mfcc import MeanMfcc, require_enough, require_finite
from features.spec import FeatureSpec
from segue.errors import UnreadableAudioError


@dataclass(frozen=True, slots=True)
class TrackFeatures:
    """What the analysis of one file gives.

    Attributes
    ----------
    sample_rate_hz : int
        The file's own rate, at which the frames of `mfcc` were taken.
    n_channels : int
    duration_s : float
        Seconds that were really decoded.
    blocks : dict
        Float32 vectors by name: `mfcc`, the mean of each coefficient over all frames,
        shape (n_mfcc,), and the blocks of :mod:`features.descriptors`; all finite.
    """

    sample_rate_hz: int
    n_channels: int
    duration_s: float
    blocks: dict[str, NDArray[np.float32]]


def analyse(path: str, spec: FeatureSpec) -> TrackFeatures:
    """Decode one file and summarise it.

    Memory use does not depend on the length of the file.

    Raises
    ------
    UnreadableAudioError
        As :func:`features.mfcc.extract_mfcc` does.
    """
    try:
        return read_audio(path, lambda audio: _summarised(path, audio, spec))
    except librosa.ParameterError as error:  # power beyond the range of float32
        cause = "its samples are out of range"
        raise UnreadableAudioError(path, "descriptors", cause) from error


def _summarised(path: str, audio: Audio, spec: FeatureSpec) -> TrackFeatures:
    with BandStore(spec.n_mels) as own, BandStore(spec.n_mels) as common:
        mfcc = MeanMfcc(audio.sample_rate_hz, spec, own)
        descriptors = Descriptors(audio.sample_rate_hz, spec, common)
        for samples in audio.blocks:
            mfcc.push(samples)
            descriptors.push(samples)
        require_enough(path, audio, spec)
        blocks = {"mfcc": mfcc.finish(), **descriptors.finish()}
    for name, values in blocks.items():
        require_finite(path, "mfcc" if name == "mfcc" else "descriptors", values)
    return TrackFeatures(
        sample_rate_hz=audio.sample_rate_hz,
        n_channels=audio.n_channels,
        duration_s=audio.n_decoded / audio.sample_rate_hz,
        blocks=blocks,
    )
