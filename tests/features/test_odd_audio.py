"""Audio of unusual kind: each file gives a track or a failure, in time and memory."""

import os
import shutil
import struct
import subprocess
import warnings
from collections.abc import Callable
from pathlib import Path

import librosa
import numpy as np
import pytest
import soundfile
from numpy.typing import NDArray

from features.audio import Audio, read_audio
from features.worker import MAX_MESSAGE_CHARS
from segue.catalog import iter_audio_files
from segue.errors import UnreadableAudioError
from tests.features.extracting import extract, hashed
from tests.features.sounds import write_samples, write_sound

RATES_HZ = (8_000, 11_025, 16_000, 22_050, 32_000, 44_100, 48_000, 96_000, 192_000)
SUBTYPES = ("PCM_U8", "PCM_16", "PCM_24", "PCM_32", "FLOAT", "DOUBLE", "ULAW", "ALAW")


def librosas(path: Path) -> NDArray[np.float64]:
    with warnings.catch_warnings():  # of short signals, low rates, and audioread
        warnings.simplefilter("ignore")
        samples, rate_hz = librosa.load(str(path), sr=None)
        frames = librosa.feature.mfcc(y=samples, sr=rate_hz, n_mfcc=100)
    return np.asarray(frames.mean(axis=1), dtype=np.float64)


def assert_as_librosa(paths: list[Path], table: Path) -> None:
    for path, row in extract(map(hashed, paths), table).items():
        assert "mfcc" in row, row
        expected = librosas(Path(path))
        np.testing.assert_allclose(row["mfcc"], expected, atol=1e-3, err_msg=path)


def test_any_number_of_channels_is_as_librosas(tmp_path: Path) -> None:
    paths = [
        write_sound(tmp_path / f"{n}.wav", seed=n, n_channels=n) for n in range(1, 9)
    ]
    paths.append(write_sound(tmp_path / "6.flac", seed=9, n_channels=6))
    assert_as_librosa(paths, tmp_path / "t")


def test_any_rate_is_as_librosas(tmp_path: Path) -> None:
    paths = [write_sound(tmp_path / f"{r}.wav", seed=r, rate_hz=r) for r in RATES_HZ]
    assert_as_librosa(paths, tmp_path / "t")


def test_any_kind_of_sample_is_as_librosas(tmp_path: Path) -> None:
    samples, rate_hz = soundfile.read(write_sound(tmp_path / "a.flac", n_channels=2))
    for subtype in SUBTYPES:
        soundfile.write(tmp_path / f"{subtype}.wav", samples, rate_hz, subtype)
    soundfile.write(tmp_path / "24.flac", samples, rate_hz, "PCM_24")
    soundfile.write(tmp_path / "float.aiff", samples, rate_hz, "FLOAT")
    soundfile.write(tmp_path / "a.ogg", samples, 48_000, "OPUS")
    soundfile.write(tmp_path / "a.mp3", samples, 44_100)
    paths = sorted(path for path in tmp_path.iterdir() if path.is_file())
    assert len(paths) == len(SUBTYPES) + 5
    assert_as_librosa(paths, tmp_path / "t")


def test_odd_signals_are_as_librosas(tmp_path: Path) -> None:
    time_s = np.arange(22_050) / 22_050
    signals = {
        "silent": np.zeros(22_050),
        "silent but once": np.eye(1, 22_050, 11_000)[0],
        "constant": np.full(22_050, 0.5),
        "clipped": np.sign(np.sin(2 * np.pi * 440 * time_s)),
        "beyond full scale": 8 * np.sin(2 * np.pi * 440 * time_s),
        "far beyond full scale": 9e8 * np.sin(2 * np.pi * 440 * time_s),
        "very quiet": 1e-7 * np.sin(2 * np.pi * 440 * time_s),
        "denormal": np.full(22_050, 1e-40),
        "at the highest pitch": np.tile([1.0, -1.0], 11_025),
        "a tenth of a second": np.sin(2 * np.pi * 440 * time_s[:2205]),
        "one sample": np.array([0.5]),
        "two samples": np.array([0.5, -0.5]),
        "less than a frame": np.linspace(-1, 1, 2047),
        "a frame": np.linspace(-1, 1, 2048),
        "more than a frame": np.linspace(-1, 1, 2049),
    }
    paths = [
        write_samples(tmp_path / f"{name}.wav", samples.tolist())
        for name, samples in signals.items()
    ]
    assert_as_librosa(paths, tmp_path / "t")


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("subtype", ["FLOAT", "DOUBLE"])
def test_samples_that_are_no_numbers_are_told(
    tmp_path: Path, bad: float, subtype: str
) -> None:
    samples = np.zeros((100_000, 2))
    samples[70_000, 1] = bad
    path = tmp_path / "a.wav"
    soundfile.write(path, samples, 22_050, subtype)
    (row,) = extract([hashed(path)], tmp_path / "t").values()
    assert row["stage"] == "samples"
    assert "not finite: 1 of" in row["message"]
    assert not row["retry"]


@pytest.mark.parametrize("peak", [2e9, 1e17, 1e30, 3e38, -3e38])
@pytest.mark.parametrize("n_channels", [1, 2, 3])
def test_samples_that_cannot_be_sound_are_told(
    tmp_path: Path, peak: float, n_channels: int
) -> None:
    samples = np.zeros((100_000, n_channels))
    samples[70_000] = peak
    path = tmp_path / "a.wav"
    soundfile.write(path, samples, 22_050, "FLOAT")
    (row,) = extract([hashed(path)], tmp_path / "t").values()
    assert row["stage"] == "samples"
    assert "out of range: 1 of" in row["message"] or "not finite" in row["message"]


def wav_header(n_channels: int, rate_hz: int, n_bits: int, n_bytes: int) -> bytes:
    frame = n_channels * n_bits // 8
    form = struct.pack(
        "<HHIIHH", 1, n_channels % 65_536, rate_hz, 0, frame % 65_536, n_bits
    )
    parts = b"WAVEfmt " + struct.pack("<I", len(form)) + form
    parts += b"data" + struct.pack("<I", n_bytes)
    return b"RIFF" + struct.pack("<I", min(n_bytes + 36, 2**32 - 1)) + parts


@pytest.mark.parametrize("n_bytes", [2**31, 2**32 - 1, 0, 7])
def test_a_length_in_the_header_is_not_believed(tmp_path: Path, n_bytes: int) -> None:
    noise = np.random.default_rng(1).bytes(2 * 22_050)
    path = tmp_path / "a.wav"
    path.write_bytes(wav_header(1, 22_050, 16, n_bytes) + noise)
    (row,) = extract([hashed(path)], tmp_path / "t").values()
    if "stage" not in row:
        assert 0 < row["duration_s"] <= 1.0


def test_a_flac_that_announces_hours_is_cut_short(tmp_path: Path) -> None:
    path = write_sound(tmp_path / "a.flac", duration_s=2)
    content = bytearray(path.read_bytes())
    assert content[:4] == b"fLaC"
    content[21] |= 0x0F  # the upper bits of the number of samples
    content[22:26] = b"\xff" * 4
    path.write_bytes(content)
    (row,) = extract([hashed(path)], tmp_path / "t").values()
    assert row["stage"] == "decode"


@pytest.mark.parametrize(
    "header",
    [
        wav_header(0, 22_050, 16, 1000),
        wav_header(65_535, 22_050, 16, 1000),
        wav_header(1, 0, 16, 1000),
        wav_header(1, 2**32 - 1, 16, 1000),
        wav_header(1, 22_050, 0, 1000),
        wav_header(1, 22_050, 65_535, 1000),
        wav_header(1024, 768_000, 32, 1000),
    ],
)
def test_extreme_headers_are_failures(tmp_path: Path, header: bytes) -> None:
    path = tmp_path / "a.wav"
    path.write_bytes(header + bytes(1000))
    (row,) = extract([hashed(path)], tmp_path / "t").values()
    assert row["stage"] == "decode"


def make_folder(path: Path) -> None:
    (path / "inner").mkdir(parents=True)


def make_loop(path: Path) -> None:
    path.symlink_to(path.with_name("other.wav"))
    path.with_name("other.wav").symlink_to(path)


@pytest.mark.parametrize(
    ("make", "stage"),
    [
        (make_folder, "read"),
        (os.mkfifo, "decode"),
        (make_loop, "read"),
        (lambda path: path.symlink_to("nowhere.wav"), "read"),
        (lambda path: path.symlink_to("/dev/zero"), "decode"),
        (lambda path: None, "read"),
    ],
    ids=["folder", "pipe", "loop of links", "dangling link", "device", "gone"],
)
def test_what_is_no_file_is_a_failure_and_not_listed(
    tmp_path: Path, make: Callable[[Path], None], stage: str
) -> None:
    path = tmp_path / "music" / "a.wav"
    path.parent.mkdir()
    make(path)
    (row,) = extract([hashed(path)], tmp_path / "t").values()
    assert row["stage"] == stage
    assert len(row["message"]) <= MAX_MESSAGE_CHARS
    assert list(iter_audio_files(path.parent)) == []


@pytest.mark.parametrize("suffix", ["wav", "flac", "ogg", "mp3"])
def test_a_file_that_is_cut_while_it_is_read_ends(tmp_path: Path, suffix: str) -> None:
    path = write_sound(tmp_path / f"a.{suffix}", duration_s=20)

    def count(audio: Audio) -> int:
        n_samples = 0
        for block in audio.blocks:
            n_samples += len(block)
            os.truncate(path, 3000)
        return n_samples

    try:
        n_samples = read_audio(str(path), count)
    except UnreadableAudioError as error:
        stage = error.stage
    else:
        stage = "decode"
        assert n_samples < 10 * 22_050
    assert stage == "decode"


def test_a_file_that_is_gone_meanwhile_is_worth_another_try(tmp_path: Path) -> None:
    file = hashed(write_sound(tmp_path / "a.wav"))
    Path(file.path).unlink()
    (row,) = extract([file], tmp_path / "t").values()
    assert (row["stage"], row["retry"]) == ("read", True)


needs_ffmpeg = pytest.mark.skipif(
    shutil.which("ffmpeg") is None, reason="there is no ffmpeg"
)


@needs_ffmpeg
@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("aac.m4a", []),
        ("alac.m4a", ["-c:a", "alac"]),
        ("a.wma", []),
        ("a.wv", []),
        ("a.tta", []),
        ("a.mka", []),
        ("a.ac3", []),
        ("8 channels.m4a", ["-ac", "8"]),
        ("fragmented.m4a", ["-movflags", "frag_keyframe+empty_moov"]),
        ("adts.aac", []),
    ],
)
def test_what_only_ffmpeg_reads_is_as_librosas(
    tmp_path: Path, name: str, options: list[str]
) -> None:
    source = write_sound(tmp_path / "source.wav", rate_hz=44_100, n_channels=2)
    path = tmp_path / name
    command = ["ffmpeg", "-loglevel", "error", "-i", str(source), *options, str(path)]
    subprocess.run(command, check=True)
    assert_as_librosa([path], tmp_path / "t")
