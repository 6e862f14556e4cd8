"""Copies of tracks as people have them: other codecs, other rates, another speed."""

import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

import soundfile

_RATE_HZ: Final = 44_100
_MIN_S: Final = 45.0
_MAX_S: Final = 240.0
_RESAMPLED: Final = f"aresample={_RATE_HZ},asetrate="

FORMS: Final = {
    "mp3": (".mp3", ["-c:a", "libmp3lame", "-b:a", "128k"]),
    "opus": (".opus", ["-c:a", "libopus", "-b:a", "96k"]),
    "faster": (".flac", ["-af", f"{_RESAMPLED}{_RATE_HZ * 1.03:.0f}"]),
    "slower": (".flac", ["-af", f"{_RESAMPLED}{_RATE_HZ * 0.97:.0f}"]),
}
"""Suffix and ffmpeg's options of each form; 3 % of speed are half a semitone."""


def choose_originals(paths: list[Path], n: int) -> list[Path]:
    """Return `n` tracks of usual length, evenly spread over the (sorted) paths."""
    usual = [path for path in paths if _MIN_S <= _duration_s(path) <= _MAX_S]
    step = max(1.0, len(usual) / n)
    return [usual[int(k * step)] for k in range(min(n, len(usual)))]


def write_copies(originals: list[Path], folder: Path) -> list[tuple[Path, Path, str]]:
    """Write each original in each form; return (copy, original, form)."""
    folder.mkdir(parents=True, exist_ok=True)
    wanted = [
        (folder / f"{number:03d}-{form}{suffix}", original, form)
        for number, original in enumerate(originals)
        for form, (suffix, _) in FORMS.items()
    ]
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(_write, wanted))
    return wanted


def _duration_s(path: Path) -> float:
    try:
        return float(soundfile.info(path).duration)
    except soundfile.LibsndfileError:
        return 0.0


def _write(wanted: tuple[Path, Path, str]) -> None:
    copy, original, form = wanted
    if copy.exists():
        return
    temporary = copy.with_name(f"half-{copy.name}")
    command = ["ffmpeg", "-nostdin", "-v", "error", "-y", "-i", str(original)]
    options = ["-map", "0:a:0", *FORMS[form][1]]
    subprocess.run([*command, *options, str(temporary)], check=True)  # noqa: S603
    temporary.replace(copy)
