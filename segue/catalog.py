"""Where the audio lies, and which track a file is.

A track is known by its content: `track_id` is the head of the SHA-256 of the file,
so a moved or renamed file stays the same track.
"""

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from segue.errors import LibraryError

TRACK_ID_CHARS: Final = 16
AUDIO_SUFFIXES: Final = frozenset(
    # what a browser plays
    {".mp3", ".flac", ".ogg", ".oga", ".opus", ".m4a", ".aac", ".wav", ".aiff", ".aif"}
    # what ffmpeg can at least turn into features
    | {".aifc", ".ape", ".dff", ".dsf", ".m4b", ".mka", ".mod", ".mp2", ".mpc", ".s3m"}
    | {".shn", ".spx", ".tak", ".tta", ".wma", ".wv", ".xm"}
)
# the types of the machine differ: Python 3.11 alone knows neither FLAC nor OGG
MIME_TYPES: Final = {
    ".mp3": "audio/mpeg",
    ".flac": "audio/flac",
    ".ogg": "audio/ogg",
    ".oga": "audio/ogg",
    ".opus": "audio/ogg",
    ".m4a": "audio/mp4",
    ".aac": "audio/aac",
    ".wav": "audio/wav",
    ".aiff": "audio/aiff",
    ".aif": "audio/aiff",
}
_BLOCK_BYTES: Final = 1 << 20


def iter_audio_files(folder: Path) -> Iterator[Path]:
    """Yield the audio files below `folder`, by name, in a stable order.

    Links are not followed out of the folder, hidden files are left out.

    Raises
    ------
    LibraryError
        When `folder` is no readable folder.
    """
    try:
        os.scandir(folder).close()
    except OSError as error:
        raise LibraryError(
            f"cannot read the folder {folder}: {error.strerror}; give the folder that "
            "holds the music"
        ) from None
    root = folder.resolve()
    for path in sorted(root.rglob("*")):
        relative = path.relative_to(root)
        if path.suffix.lower() not in AUDIO_SUFFIXES or not _may_be_file(path):
            continue
        hidden = any(part.startswith(".") for part in relative.parts)
        if not hidden and path.resolve().is_relative_to(root):
            yield path


def _may_be_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:  # whoever opens it will say why it cannot be read
        return True


def content_sha256(path: Path) -> str:
    """Return the SHA-256 of a file's bytes in hexadecimal; memory use is constant."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(_BLOCK_BYTES):
            digest.update(block)
    return digest.hexdigest()


def track_id_of(sha256: str) -> str:
    """Return the `track_id` of a file whose content has the given SHA-256."""
    return sha256[:TRACK_ID_CHARS]
