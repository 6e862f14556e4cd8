"""Sound into tagged files: the only place that writes audio."""

import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import soundfile

from segue.composer.sound import SAMPLE_RATE_HZ, Stereo

_FORMATS: Final = {
    "ogg": ("OGG", "VORBIS"),
    "flac": ("FLAC", "PCM_16"),
    "mp3": ("MP3", "MPEG_LAYER_III"),
}
# the encoder overflows its stack on long writes at once
_BLOCK: Final = 1 << 16
_OGG_HEADER: Final = 27
_OGG_SERIAL: Final = slice(14, 18)
_OGG_CRC: Final = slice(22, 26)
_REVERSED_BITS: Final = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))


@dataclass(frozen=True)
class Tags:
    """What a file says about itself; ASCII only, as ID3 by libsndfile knows no more."""

    title: str
    artist: str
    album: str
    genre: str
    date: str
    tracknumber: str
    comment: str


def write_audio(path: Path, sound: Stereo, tags: Tags) -> None:
    """Encode `sound` by the suffix of `path`; the file appears when it is whole."""
    kind, subtype = _FORMATS[path.suffix.removeprefix(".")]
    part = part_path(path)
    samples = np.ascontiguousarray(sound.T)
    with soundfile.SoundFile(
        part, "w", SAMPLE_RATE_HZ, channels=2, format=kind, subtype=subtype
    ) as file:
        for name, value in vars(tags).items():
            setattr(file, name, value)
        for first in range(0, len(samples), _BLOCK):
            file.write(samples[first : first + _BLOCK])
    if kind == "OGG":
        part.write_bytes(with_ogg_serial(part.read_bytes(), 1))
    part.replace(path)


def part_path(path: Path) -> Path:
    """Return the hidden name under which a file is written before it is whole."""
    return path.with_name(f".{path.name}.part")


def is_whole(path: Path, comment: str) -> bool:
    """Tell whether `path` is an audio file that was written with this comment."""
    try:
        with soundfile.SoundFile(path) as file:
            return str(file.comment) == comment
    except (OSError, soundfile.LibsndfileError):
        return False


def with_ogg_serial(content: bytes, serial: int) -> bytes:
    """Return an Ogg file with another stream number.

    libsndfile draws the number by the clock; a fixed one makes equal sound equal files.
    """
    pages = []
    first = 0
    while first < len(content):
        n_segments = content[first + _OGG_HEADER - 1]
        body = first + _OGG_HEADER + n_segments
        last = body + sum(content[first + _OGG_HEADER : body])
        page = bytearray(content[first:last])
        page[_OGG_SERIAL] = serial.to_bytes(4, "little")
        page[_OGG_CRC] = bytes(4)
        page[_OGG_CRC] = _ogg_crc(bytes(page)).to_bytes(4, "little")
        pages.append(bytes(page))
        first = last
    return b"".join(pages)


def _ogg_crc(page: bytes) -> int:
    """Return the checksum of RFC 3533: zlib's polynomial with mirrored bits."""
    mirrored = zlib.crc32(page.translate(_REVERSED_BITS), 0xFFFFFFFF) ^ 0xFFFFFFFF
    return int(f"{mirrored:032b}"[::-1], 2)
