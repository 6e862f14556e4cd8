"""Broken audio files by the thousand: seeds, and what may happen to their bytes.

The same seed number gives the same files, where the same seed files are at hand.
"""

import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import soundfile
from numpy.typing import NDArray

from segue.catalog import AUDIO_SUFFIXES

Mutation = Callable[[bytearray, bytes, np.random.Generator], bytearray]

MAX_MUTATIONS: Final = 3
MAX_BYTES: Final = 2 << 20
_HEAD_BYTES: Final = 512
_MAX_BLOCK_BYTES: Final = 4096
_MAX_REPEATS: Final = 50
_WRONG_SUFFIX_SHARE: Final = 0.05

# name of the file, rate, channels, seconds, libsndfile's subtype
_BY_SNDFILE: Final = (
    ("pcm16.wav", 44_100, 2, 1.0, "PCM_16"),
    ("pcm8.wav", 8_000, 1, 2.0, "PCM_U8"),
    ("pcm24.wav", 48_000, 2, 0.5, "PCM_24"),
    ("float.wav", 22_050, 1, 1.0, "FLOAT"),
    ("double.wav", 22_050, 1, 0.5, "DOUBLE"),
    ("adpcm.wav", 22_050, 1, 2.0, "MS_ADPCM"),
    ("surround.wav", 44_100, 6, 0.5, "PCM_16"),
    ("16.flac", 44_100, 2, 1.5, "PCM_16"),
    ("24.flac", 96_000, 2, 0.5, "PCM_24"),
    ("vorbis.ogg", 44_100, 2, 3.0, "VORBIS"),
    ("opus.opus", 48_000, 2, 3.0, "OPUS"),
    ("layer3.mp3", 44_100, 2, 3.0, "MPEG_LAYER_III"),
    ("low.mp3", 16_000, 1, 3.0, "MPEG_LAYER_III"),
    ("pcm16.aiff", 44_100, 2, 1.0, "PCM_16"),
    ("float.aifc", 22_050, 1, 1.0, "FLOAT"),
)
_FORMATS: Final = {".opus": "OGG", ".aifc": "AIFF"}
# made from the first of those above, where ffmpeg is installed
_BY_FFMPEG: Final = {
    "aac.m4a": (),
    "alac.m4a": ("-c:a", "alac"),
    "fragmented.m4a": ("-movflags", "frag_keyframe+empty_moov"),
    "adts.aac": (),
    "wmav2.wma": (),
    "wavpack.wv": (),
    "trueaudio.tta": (),
    "matroska.mka": (),
    "layer2.mp2": (),
}


@dataclass(frozen=True, slots=True)
class Seed:
    """A file to start from."""

    suffix: str
    content: bytes


def make_seeds(others: Path | None = None) -> list[Seed]:
    """Make small files of each kind that this machine can write.

    Parameters
    ----------
    others : Path, optional
        Folder with further audio files, of at most `MAX_BYTES` each.
    """
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for number, (file, rate_hz, n_channels, duration_s, subtype) in enumerate(
            _BY_SNDFILE
        ):
            samples = _sound(number, rate_hz, n_channels, duration_s)
            form = _FORMATS.get(Path(file).suffix)
            soundfile.write(folder / file, samples, rate_hz, subtype, format=form)
        if shutil.which("ffmpeg") is not None:
            for file, options in _BY_FFMPEG.items():
                _encode(folder / _BY_SNDFILE[0][0], folder / file, options)
        own = [*_read_seeds(folder)]
    return own if others is None else [*own, *_read_seeds(others)]


def write_mutants(
    folder: Path, seeds: Sequence[Seed], n_files: int, rng: np.random.Generator
) -> Iterator[Path]:
    """Write mutated files, a thousand in a folder, and yield each path."""
    suffixes = sorted({seed.suffix for seed in seeds})
    for number in range(n_files):
        seed, other = (seeds[int(rng.integers(len(seeds)))] for _ in range(2))
        suffix = seed.suffix
        if rng.random() < _WRONG_SUFFIX_SHARE:
            suffix = suffixes[rng.integers(len(suffixes))]
        path = folder / f"{number // 1000:03d}" / f"{number:06d}{suffix}"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(mutate(seed.content, other.content, rng))
        yield path


def mutate(content: bytes, other: bytes, rng: np.random.Generator) -> bytes:
    """Return `content` after one to three mutations; `other` may lend its bytes."""
    mutated = bytearray(content)
    for _ in range(rng.integers(1, MAX_MUTATIONS + 1)):
        mutated = MUTATIONS[rng.integers(len(MUTATIONS))](mutated, other, rng)
    return bytes(mutated[:MAX_BYTES])


def _flip(content: bytearray, _: bytes, rng: np.random.Generator) -> bytearray:
    """Change bytes anywhere."""
    return _with_random(content, len(content), rng)


def _flip_head(content: bytearray, _: bytes, rng: np.random.Generator) -> bytearray:
    """Change bytes of the header."""
    return _with_random(content, min(len(content), _HEAD_BYTES), rng)


def _extreme(content: bytearray, _: bytes, rng: np.random.Generator) -> bytearray:
    """Set a field of the header to its smallest, largest or most negative value."""
    size = 2 ** int(rng.integers(4))
    start = _place(rng, min(len(content), _HEAD_BYTES))
    fields = [
        b"\0" * size,
        b"\0" * (size - 1) + b"\x01",
        b"\xff" * size,
        b"\x7f" + b"\xff" * (size - 1),
        b"\x80" + b"\0" * (size - 1),
    ]
    field = fields[rng.integers(len(fields))]
    content[start : start + size] = field if rng.random() < 1 / 2 else field[::-1]
    return content


def _cut_end(content: bytearray, _: bytes, rng: np.random.Generator) -> bytearray:
    return content[: _place(rng, len(content))]


def _cut_head(content: bytearray, _: bytes, rng: np.random.Generator) -> bytearray:
    return content[_place(rng, len(content)) :]


def _splice(content: bytearray, other: bytes, rng: np.random.Generator) -> bytearray:
    """Go on in another file."""
    return content[: _place(rng, len(content))] + other[_place(rng, len(other)) :]


def _repeat(content: bytearray, _: bytes, rng: np.random.Generator) -> bytearray:
    block = _block(content, rng)
    n_times = int(rng.integers(2, _MAX_REPEATS))
    return content[: block.stop] + content[block] * n_times + content[block.stop :]


def _drop(content: bytearray, _: bytes, rng: np.random.Generator) -> bytearray:
    del content[_block(content, rng)]
    return content


def _blank(content: bytearray, _: bytes, rng: np.random.Generator) -> bytearray:
    block = _block(content, rng)
    content[block] = bytes(block.stop - block.start)
    return content


def _insert(content: bytearray, _: bytes, rng: np.random.Generator) -> bytearray:
    start = _place(rng, len(content))
    content[start:start] = rng.bytes(int(rng.integers(1, _MAX_BLOCK_BYTES)))
    return content


MUTATIONS: Final[tuple[Mutation, ...]] = (
    _flip,
    _flip_head,
    _extreme,
    _cut_end,
    _cut_head,
    _splice,
    _repeat,
    _drop,
    _blank,
    _insert,
)


def _with_random(
    content: bytearray, n_bytes: int, rng: np.random.Generator
) -> bytearray:
    for _ in range(2 ** int(rng.integers(7))):
        if n_bytes:
            content[rng.integers(n_bytes)] = rng.integers(256)
    return content


def _block(content: bytearray, rng: np.random.Generator) -> slice:
    start = _place(rng, len(content))
    size = int(rng.integers(1, _MAX_BLOCK_BYTES))
    return slice(start, min(len(content), start + size))


def _place(rng: np.random.Generator, n_bytes: int) -> int:
    return int(rng.integers(n_bytes + 1))


def _sound(
    number: int, rate_hz: int, n_channels: int, duration_s: float
) -> NDArray[np.float64]:
    rng = np.random.default_rng(number)
    time_s = np.arange(int(rate_hz * duration_s)) / rate_hz
    tone = np.sin(2 * np.pi * rng.uniform(100, 2000) * time_s)
    noise = rng.normal(0, 0.05, (len(time_s), n_channels))
    return np.asarray((0.4 * tone[:, None] + noise).clip(-1, 1))


def _encode(source: Path, target: Path, options: Sequence[str]) -> None:
    command = ["ffmpeg", "-loglevel", "error", "-i", str(source), *options, str(target)]
    subprocess.run(command, check=True, stdin=subprocess.DEVNULL)  # noqa: S603


def _read_seeds(folder: Path) -> Iterator[Seed]:
    for path in sorted(folder.rglob("*")):
        suffix = path.suffix.lower()
        if suffix in AUDIO_SUFFIXES and 0 < path.stat().st_size <= MAX_BYTES:
            yield Seed(suffix, path.read_bytes())
