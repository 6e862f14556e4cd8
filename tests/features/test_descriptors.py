"""librosa is the oracle: each block against what it computes of the whole signal."""

import tempfile
from pathlib import Path

import librosa
import numpy as np
import pytest
import soundfile

from features.analysis import analyse
from features.descriptors import BLOCK_SIZES
from features.spec import FeatureSpec
from segue.errors import UnreadableAudioError
from tests.features.sounds import write_sound

RATE_HZ = 22_050
TOLERANCES = {"timbre": 0.01, "mfcc_std": 0.01, "contrast": 0.3, "centroid": 0.1}


def music(rng: np.random.Generator, rate_hz: int, duration_s: float = 12) -> np.ndarray:
    """Return beats of changing chords over noise: something happens in each block."""
    t = np.arange(int(duration_s * rate_hz)) / rate_hz
    chord = np.floor(t)[:, None] + np.array([0.0, 4.0, 7.0])
    tones = np.sin(2 * np.pi * 220 * 2 ** (chord / 12) * t[:, None]).sum(axis=1)
    beat = np.exp(-8 * (t * 2.0 % 1.0))
    samples = 0.2 * tones * beat + 0.01 * rng.normal(size=len(t))
    return np.asarray(samples, dtype=np.float32)


def oracle(samples: np.ndarray, rate_hz: int) -> dict[str, np.ndarray]:
    if rate_hz != RATE_HZ:
        samples = librosa.resample(
            samples, orig_sr=rate_hz, target_sr=RATE_HZ, res_type="soxr_hq"
        )
    magnitude = np.abs(librosa.stft(samples))
    sparse = np.abs(librosa.stft(samples, hop_length=2048))
    mfcc = librosa.feature.mfcc(y=samples, sr=RATE_HZ)
    onset = librosa.onset.onset_strength(y=samples, sr=RATE_HZ, center=False)
    centroid = librosa.feature.spectral_centroid(S=magnitude, sr=RATE_HZ)
    rms = librosa.feature.rms(S=magnitude)
    level = 20 * np.log10(np.maximum(rms, 1e-5))
    contrast = librosa.feature.spectral_contrast(S=sparse, sr=RATE_HZ)
    chroma = librosa.feature.chroma_stft(S=sparse**2, sr=RATE_HZ, tuning=0.0)
    return {
        "timbre": mfcc.mean(axis=1),
        "mfcc_std": mfcc.std(axis=1),
        "mfcc_delta_std": librosa.feature.delta(mfcc)[:, 4:-4].std(axis=1),
        "contrast": contrast.mean(axis=1),
        "centroid": np.array([centroid.mean(), centroid.std()]),
        "chroma": chroma.mean(axis=1),
        "onset": np.array([onset.mean(), onset.std()]),
        "tempo": librosa.feature.tempo(onset_envelope=onset, sr=RATE_HZ),
        "loudness": np.array([level.mean(), level.std()]),
    }


@pytest.mark.parametrize("rate_hz", [22_050, 44_100, 48_000, 8_000])
def test_every_block_is_librosas(
    rate_hz: int, rng: np.random.Generator, tmp_path: Path
) -> None:
    samples = music(rng, rate_hz)
    path = tmp_path / "a.wav"
    soundfile.write(path, samples, rate_hz, subtype="FLOAT")
    blocks = analyse(str(path), FeatureSpec()).blocks
    for name, expected in oracle(samples, rate_hz).items():
        assert blocks[name].shape == (BLOCK_SIZES[name],)
        np.testing.assert_allclose(
            blocks[name],
            expected,
            atol=TOLERANCES.get(name, 2e-3),
            rtol=1e-3,
            err_msg=name,
        )


def test_the_beat_is_found(rng: np.random.Generator) -> None:
    with tempfile.NamedTemporaryFile(suffix=".wav") as file:
        soundfile.write(file.name, music(rng, RATE_HZ, 30), RATE_HZ, subtype="FLOAT")
        (tempo,) = analyse(file.name, FeatureSpec()).blocks["tempo"]
    assert tempo == pytest.approx(120, rel=0.03)


def test_a_louder_copy_differs_in_level_and_not_in_sound(tmp_path: Path) -> None:
    quiet, loud = (
        analyse(
            str(write_sound(tmp_path / f"{level}.wav", level=level)), FeatureSpec()
        ).blocks
        for level in (0.1, 0.2)
    )
    assert loud["loudness"][0] - quiet["loudness"][0] == pytest.approx(6.02, abs=0.1)
    np.testing.assert_allclose(loud["chroma"], quiet["chroma"], atol=0.01)
    np.testing.assert_allclose(loud["timbre"][1:], quiet["timbre"][1:], atol=1.5)


def test_samples_beyond_the_range_of_power_are_reported(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    loud = np.random.default_rng(1).normal(0, 1e18, 30_000)
    soundfile.write(path, loud, RATE_HZ, subtype="FLOAT")
    with pytest.raises(UnreadableAudioError, match="out of range"):
        analyse(str(path), FeatureSpec())


@pytest.mark.parametrize("n_samples", [1, 100, 3000])
def test_the_shortest_sounds_have_finite_blocks(tmp_path: Path, n_samples: int) -> None:
    path = tmp_path / "a.wav"
    soundfile.write(path, np.full(n_samples, 0.1), RATE_HZ)
    blocks = analyse(str(path), FeatureSpec()).blocks
    assert all(np.isfinite(values).all() for values in blocks.values())
