import shutil
from pathlib import Path

import librosa
import numpy as np
import pytest
import soundfile

from features import extract_mfcc
from features.analysis import analyse
from features.spec import FeatureSpec
from segue.errors import UnreadableAudioError
from tests.features.sounds import cut, write_samples, write_sound


# audioread imports modules that Python 3.13 lacks
@pytest.mark.filterwarnings("ignore:.* is deprecated and slated:DeprecationWarning")
@pytest.mark.parametrize("suffix", ["ogg", "flac", "mp3", "wav"])
@pytest.mark.parametrize("n_channels", [1, 2])
def test_vector_is_librosas_own(tmp_path: Path, suffix: str, n_channels: int) -> None:
    path = write_sound(tmp_path / f"a.{suffix}", rate_hz=44_100, n_channels=n_channels)

    y, sr = librosa.load(str(path), sr=None)
    expected = librosa.feature.mfcc(y=y, sr=sr, n_mfcc=100).mean(axis=1)

    mfcc = extract_mfcc(str(path))
    assert len(mfcc) == 100
    np.testing.assert_allclose(mfcc, expected, atol=1e-3)


def test_rate_and_length_are_those_of_the_file(tmp_path: Path) -> None:
    path = write_sound(tmp_path / "a.flac", duration_s=1.5, rate_hz=8000)
    features = analyse(str(path), FeatureSpec())
    assert (features.sample_rate_hz, features.duration_s) == (8000, 1.5)


def test_a_spec_sets_the_length_of_the_vector(tmp_path: Path) -> None:
    path = write_sound(tmp_path / "a.wav")
    assert len(analyse(str(path), FeatureSpec(n_mfcc=13)).blocks["mfcc"]) == 13


@pytest.mark.parametrize("samples", [[0.0] * 30_000, [0.1], [0.5, -0.5] * 100])
def test_silence_and_very_short_audio_give_finite_numbers(
    tmp_path: Path, samples: list[float]
) -> None:
    path = write_samples(tmp_path / "a.wav", samples)
    assert np.isfinite(extract_mfcc(str(path))).all()


@pytest.mark.parametrize(
    "name", ["a b.wav", "ä 音楽.ogg", "100%.flac", "two\nlines.mp3"]
)
def test_odd_names_are_read(tmp_path: Path, name: str) -> None:
    assert len(extract_mfcc(str(write_sound(tmp_path / name)))) == 100


def test_text_named_mp3_is_reported(tmp_path: Path) -> None:
    path = tmp_path / "a.mp3"
    path.write_text("this is no music " * 500)
    with pytest.raises(UnreadableAudioError, match="libsndfile") as caught:
        extract_mfcc(str(path))
    assert caught.value.stage == "decode"
    assert str(path) in str(caught.value)
    # without ffmpeg another try, with ffmpeg installed, may end otherwise
    assert caught.value.retry == (shutil.which("ffmpeg") is None)


def test_empty_file_is_reported(tmp_path: Path) -> None:
    path = tmp_path / "a.ogg"
    path.touch()
    with pytest.raises(UnreadableAudioError, match="the file is empty"):
        extract_mfcc(str(path))


def test_file_without_samples_is_reported(tmp_path: Path) -> None:
    path = write_samples(tmp_path / "a.wav", [])
    with pytest.raises(UnreadableAudioError, match="no audio"):
        extract_mfcc(str(path))


def test_file_that_is_gone_is_reported_and_worth_another_try(tmp_path: Path) -> None:
    with pytest.raises(UnreadableAudioError, match="read") as caught:
        extract_mfcc(str(tmp_path / "a.wav"))
    assert caught.value.retry


@pytest.mark.parametrize("bad", [np.nan, np.inf, 1e30])
def test_samples_that_are_no_sound_are_reported(tmp_path: Path, bad: float) -> None:
    path = write_samples(tmp_path / "a.wav", [0.1] * 5000 + [bad] * 5000)
    with pytest.raises(UnreadableAudioError, match=r"not finite|out of range"):
        extract_mfcc(str(path))


@pytest.mark.parametrize("suffix", ["ogg", "mp3", "wav"])
def test_most_of_a_truncated_file_gives_features_of_what_is_there(
    tmp_path: Path, suffix: str
) -> None:
    path = cut(write_sound(tmp_path / f"a.{suffix}", duration_s=10), 0.8)
    features = analyse(str(path), FeatureSpec())
    assert 5 < features.duration_s < 9
    assert np.isfinite(features.blocks["mfcc"]).all()


def test_truncated_file_of_which_little_is_left_is_reported(tmp_path: Path) -> None:
    path = cut(write_sound(tmp_path / "a.mp3", duration_s=10), 0.3)
    with pytest.raises(UnreadableAudioError, match=r"cut short: \d+ of 220500"):
        extract_mfcc(str(path))


def test_truncated_flac_gives_features_or_a_report(tmp_path: Path) -> None:
    path = cut(write_sound(tmp_path / "a.flac", duration_s=10), 0.3)
    with pytest.raises(UnreadableAudioError, match="decode"):
        extract_mfcc(str(path))


@pytest.mark.filterwarnings("ignore:.* is deprecated and slated:DeprecationWarning")
@pytest.mark.filterwarnings("ignore:PySoundFile failed:UserWarning")
@pytest.mark.filterwarnings("ignore:librosa.core.audio.__audioread_load:FutureWarning")
def test_where_libsndfile_gives_up_in_the_middle_ffmpeg_reads_on_as_librosa_does(
    tmp_path: Path,
) -> None:
    path = write_sound(tmp_path / "a.flac", duration_s=10, rate_hz=44_100)
    content = bytearray(path.read_bytes())
    middle = len(content) // 2
    content[middle : middle + 3000] = bytes(3000)
    path.write_bytes(content)
    with pytest.raises(soundfile.LibsndfileError):
        soundfile.read(path)

    y, sr = librosa.load(str(path), sr=None)
    expected = librosa.feature.mfcc(y=y, sr=sr, n_mfcc=100).mean(axis=1)
    assert len(y) / sr > 8
    np.testing.assert_allclose(extract_mfcc(str(path)), expected, atol=1e-3)
