"""What fixes a feature vector: every parameter, and a short hash of them all."""

import hashlib
import json
from dataclasses import asdict, dataclass
from typing import Final

HASH_CHARS: Final = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class FeatureSpec:
    """The parameters of extraction; tables of different specs never mix.

    Attributes
    ----------
    method : str
        What makes the frames and what summarises them. Change it when the way a
        vector is computed changes.
    n_mfcc, n_mels, n_fft, hop_length : int
        As in :func:`librosa.feature.mfcc`; frames are taken at the file's own rate.
    common_rate_hz : int
        The rate of all other descriptors, so that they compare across files.
    n_timbre : int
        MFCCs at the common rate: their mean, spread and movement.
    min_decoded_share : float
        A file of which less than this share of the announced length can be decoded
        is a failure, not a track.

    Examples
    --------
    >>> FeatureSpec() == FeatureSpec(n_mfcc=100)
    True
    """

    method: str = "mfcc mean, descriptors 1"
    n_mfcc: int = 100
    n_mels: int = 128
    n_fft: int = 2048
    hop_length: int = 512
    common_rate_hz: int = 22_050
    n_timbre: int = 20
    min_decoded_share: float = 0.5


def spec_hash(spec: FeatureSpec) -> str:
    """Return the name of a spec: it changes when any parameter does.

    Examples
    --------
    >>> spec_hash(FeatureSpec()) == spec_hash(FeatureSpec(n_fft=4096))
    False
    """
    content = json.dumps(asdict(spec), sort_keys=True).encode()
    return hashlib.sha256(content).hexdigest()[:HASH_CHARS]
