"""Sound files that tests make for themselves."""

from pathlib import Path

import numpy as np
import soundfile


def write_sound(
    path: Path,
    seed: int = 1,
    duration_s: float = 1.0,
    rate_hz: int = 22_050,
    n_channels: int = 1,
    level: float = 0.3,
) -> Path:
    """Write three tones and some noise; the suffix of `path` names the format."""
    rng = np.random.default_rng(seed)
    time_s = np.arange(int(duration_s * rate_hz)) / rate_hz
    tones = sum(np.sin(2 * np.pi * f * time_s) for f in rng.uniform(100, 4000, 3))
    noise = rng.normal(0, 0.1, (len(time_s), n_channels))
    samples = level * (np.asarray(tones)[:, None] / 3 + noise).clip(-1, 1)
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, samples, rate_hz)
    return path


def write_silence(path: Path, minutes: int, rate_hz: int = 22_050) -> Path:
    """Write silence, a minute at a time: a small file that takes long to read."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with soundfile.SoundFile(path, "w", rate_hz, 1) as file:
        for _ in range(minutes):
            file.write(np.zeros(60 * rate_hz))
    return path


def write_samples(path: Path, samples: list[float], rate_hz: int = 22_050) -> Path:
    """Write these very samples; to a WAV file as 32-bit floats."""
    path.parent.mkdir(parents=True, exist_ok=True)
    subtype = "FLOAT" if path.suffix == ".wav" else None
    soundfile.write(path, np.asarray(samples), rate_hz, subtype=subtype)
    return path


def cut(path: Path, share: float) -> Path:
    """Keep the first `share` of a file's bytes."""
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * share)])
    return path
