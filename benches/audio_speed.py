"""CPU time of file → vector, beside librosa and beside decoding alone."""

import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import librosa
import numpy as np
import soundfile
from threadpoolctl import threadpool_limits
from tqdm import tqdm

from features.analysis import analyse
from features.mfcc import extract_mfcc
from features.spec import FeatureSpec


def measure_speed(paths: list[Path], rounds: int) -> dict[str, Any]:
    """Return the figures; the least CPU time of the rounds counts for each track."""
    with threadpool_limits(limits=1):
        return _measured(paths, rounds)


def _measured(paths: list[Path], rounds: int) -> dict[str, Any]:
    ways: dict[str, Callable[[str], Any]] = {
        "librosa": _librosa,
        "vector": extract_mfcc,
        "decode": _decode,
        "all_descriptors": lambda path: analyse(path, FeatureSpec()),
    }
    for way in ways.values():  # load and compile
        way(str(paths[0]))
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    differences = []
    for path in tqdm(paths, "tracks", file=sys.stderr):
        best = dict.fromkeys(ways, float("inf"))
        for _ in range(rounds):
            for name, way in ways.items():
                best[name] = min(best[name], _cpu_s(way, str(path)))
        for name, value in best.items():
            seconds[name].append(value)
        difference = np.abs(np.subtract(extract_mfcc(str(path)), _librosa(str(path))))
        differences.append(float(difference.max()))
    return _figures(paths, seconds, differences)


def _figures(
    paths: list[Path], seconds: dict[str, list[float]], differences: list[float]
) -> dict[str, Any]:
    minutes = [soundfile.info(path).duration / 60 for path in paths]
    total = {name: sum(values) for name, values in seconds.items()}
    per_minute = {k: round(v * 1000 / sum(minutes), 1) for k, v in total.items()}
    rows = zip(paths, minutes, *seconds.values(), strict=True)
    return {
        "n_tracks": len(paths),
        "audio_min": round(sum(minutes), 1),
        "speedup": round(total["librosa"] / total["vector"], 3),
        "over_decode": round(total["vector"] / total["decode"], 3),
        "all_over_decode": round(total["all_descriptors"] / total["decode"], 3),
        "max_abs_diff": max(differences),
        "ms_per_audio_min": per_minute,
        "tracks": [
            {
                "codec": path.suffix[1:],
                "audio_min": round(length, 2),
                "speedup": round(reference / own, 3),
                "over_decode": round(own / decode, 3),
            }
            for path, length, reference, own, decode, _ in rows
        ],
    }


def _cpu_s(function: Callable[[str], Any], path: str) -> float:
    start = time.process_time()
    function(path)
    return time.process_time() - start


def _librosa(path: str) -> Any:
    samples, rate_hz = librosa.load(path, sr=None)
    return librosa.feature.mfcc(y=samples, sr=rate_hz, n_mfcc=100).mean(axis=1)


def _decode(path: str) -> Any:
    return soundfile.read(path, dtype="float32")
