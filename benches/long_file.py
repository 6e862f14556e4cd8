"""Peak memory of one 60-minute file, in a process that does nothing else."""

import subprocess
import sys
from pathlib import Path
from typing import Any, Final

import numpy as np
import soundfile

_RATE_HZ: Final = 44_100
_MINUTES: Final = 60
# not `ru_maxrss`, which begins with the peak of the process that started this one
_MEASURED: Final = """
import sys
{work}
status = dict(line.split(":", 1) for line in open("/proc/self/status"))
print(int(status["VmHWM"].split()[0]) / 1024)
"""
_WAYS: Final = {
    "vector": "from features import extract_mfcc; extract_mfcc(sys.argv[1])",
    "all_descriptors": (
        "from features.analysis import analyse; from features.spec import FeatureSpec; "
        "analyse(sys.argv[1], FeatureSpec())"
    ),
    "librosa": (
        "import librosa; y, sr = librosa.load(sys.argv[1], sr=None); "
        "librosa.feature.mfcc(y=y, sr=sr, n_mfcc=100).mean(axis=1)"
    ),
}


def measure_memory(work: Path) -> dict[str, Any]:
    """Return peak MiB of each way; the file is noise, the dearest to keep."""
    path = work / "long.flac"
    rng = np.random.default_rng(1)
    with soundfile.SoundFile(path, "w", _RATE_HZ, 2) as file:
        for _ in range(_MINUTES):
            file.write(rng.normal(0, 0.1, (_RATE_HZ * 60, 2)).astype(np.float32))
    peaks = {name: _peak_mb(code, path) for name, code in _WAYS.items()}
    path.unlink()
    return {f"peak_mb_60_min_{name}": peak for name, peak in peaks.items()}


def _peak_mb(code: str, path: Path) -> int:
    program = _MEASURED.format(work=code)
    command = [sys.executable, "-c", program, str(path)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)  # noqa: S603
    return round(float(done.stdout.split()[-1]))
