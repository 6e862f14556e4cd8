"""Real tracks in three codecs, to measure speed with."""

import subprocess
from pathlib import Path
from typing import Final

import click
import soundfile

from segue.catalog import iter_audio_files

_MIN_S: Final = 90.0
_MAX_S: Final = 300.0
_ENCODED: Final = {".mp3": ["-q:a", "2"], ".flac": []}


def choose_tracks(music: Path, work: Path, n: int) -> list[Path]:
    """Return half OGG tracks, evenly spread, and a quarter each of MP3 and FLAC.

    Where the music holds no such MP3 or FLAC, ffmpeg makes them of OGG tracks.
    """
    found: dict[str, list[Path]] = {".ogg": [], ".mp3": [], ".flac": []}
    for path in iter_audio_files(music):
        suffix = path.suffix.lower()
        if suffix in found and _MIN_S <= _duration_s(path) <= _MAX_S:
            found[suffix].append(path)
    n_encoded = n // 4
    chosen = _spread(found[".ogg"], n - 2 * n_encoded)
    if len(chosen) < n - 2 * n_encoded:
        raise click.UsageError(
            f"{music} holds {len(chosen)} OGG tracks of {_MIN_S:.0f} to {_MAX_S:.0f} "
            f"s; {n - 2 * n_encoded} are needed: bin/fetch-music brings more"
        )
    for suffix, options in _ENCODED.items():
        own = _spread(found[suffix], n_encoded)
        sources = chosen[: n_encoded - len(own)]
        made = [_encode(each, work, suffix, options) for each in sources]
        chosen = [*chosen, *own, *made]
    return chosen


def _spread(paths: list[Path], n: int) -> list[Path]:
    step = max(1.0, len(paths) / max(1, n))
    return [paths[int(k * step)] for k in range(min(n, len(paths)))]


def _duration_s(path: Path) -> float:
    try:
        return float(soundfile.info(path).duration)
    except soundfile.LibsndfileError:
        return 0.0


def _encode(source: Path, work: Path, suffix: str, options: list[str]) -> Path:
    target = work / f"{source.stem}{suffix}"
    command = ["ffmpeg", "-nostdin", "-v", "error", "-i", str(source), *options]
    subprocess.run([*command, str(target)], check=True)  # noqa: S603 - our own command line
    return target
