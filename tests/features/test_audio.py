"""What ffmpeg says and does is taken for what it is."""

import os
import signal
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest

from features.analysis import analyse
from features.audio import read_audio
from features.spec import FeatureSpec
from segue.errors import UnreadableAudioError
from tests.features.sounds import write_sound

pytestmark = pytest.mark.filterwarnings(
    "ignore:.* is deprecated and slated:DeprecationWarning"
)


def encode(source: Path, target: Path, *options: str) -> Path:
    command = ["ffmpeg", "-nostdin", "-v", "error", "-i", str(source)]
    subprocess.run([*command, *options, str(target)], check=True)
    return target


@pytest.mark.parametrize(
    "tag",
    [
        "Audio: AAC 256k",
        "Stream #0:0: Audio: pcm, 8000 Hz, mono, s16",
        "Invalid data found",
        "no such file",
    ],
)
def test_tags_are_not_taken_for_facts(tmp_path: Path, tag: str) -> None:
    sound = write_sound(tmp_path / "a.wav", rate_hz=44_100, n_channels=2)
    path = encode(sound, tmp_path / f"{tag[:12]}.m4a", "-metadata", f"title={tag}")
    features = analyse(str(path), FeatureSpec())
    assert (features.sample_rate_hz, features.n_channels) == (44_100, 2)
    assert features.duration_s == pytest.approx(1.0, abs=0.1)


@pytest.mark.parametrize("n_channels", [1, 2, 4, 6, 8])
def test_channels_are_counted_right(tmp_path: Path, n_channels: int) -> None:
    sound = write_sound(tmp_path / "a.wav", n_channels=n_channels)
    path = encode(sound, tmp_path / "a.wv")
    features = analyse(str(path), FeatureSpec())
    assert features.n_channels == n_channels
    assert features.duration_s == pytest.approx(1.0, abs=0.05)


def test_flac_that_came_through_a_pipe_has_features(tmp_path: Path) -> None:
    sound = write_sound(tmp_path / "a.wav", duration_s=2)
    command = ["ffmpeg", "-nostdin", "-v", "error", "-i", str(sound), "-f", "flac"]
    piped = subprocess.run([*command, "-"], check=True, capture_output=True).stdout
    path = tmp_path / "piped.flac"
    path.write_bytes(piped)
    assert analyse(str(path), FeatureSpec()).duration_s == pytest.approx(2.0)


def test_a_decoder_that_was_killed_is_no_end_of_the_file(tmp_path: Path) -> None:
    sound = write_sound(tmp_path / "a.wav", duration_s=600, rate_hz=44_100)
    path = encode(sound, tmp_path / "a.m4a")

    def consume(audio: Any) -> int:
        for number, _ in enumerate(audio.blocks):
            if number == 5:
                for child in psutil.Process().children():
                    if child.name() == "ffmpeg":
                        os.kill(child.pid, signal.SIGKILL)
        return int(audio.n_decoded)

    with pytest.raises(UnreadableAudioError, match="died of SIGKILL") as caught:
        read_audio(str(path), consume)
    assert caught.value.retry


def test_rates_that_make_no_sense_are_refused(tmp_path: Path) -> None:
    path = write_sound(tmp_path / "a.wav", duration_s=100, rate_hz=50)
    with pytest.raises(UnreadableAudioError, match="1000 to 768000 make sense"):
        analyse(str(path), FeatureSpec())


def test_blocks_join_to_what_one_read_gives(tmp_path: Path) -> None:
    import librosa

    path = write_sound(tmp_path / "a.mp3", duration_s=8, rate_hz=44_100, n_channels=2)
    whole, _ = librosa.load(str(path), sr=None)
    joined = read_audio(
        str(path), lambda audio: np.concatenate([b.copy() for b in audio.blocks])
    )
    np.testing.assert_allclose(joined, whole, atol=1e-6)
