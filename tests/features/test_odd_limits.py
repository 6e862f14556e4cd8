"""Time and memory of odd and of very long files, each read in a fresh process."""

import csv
from pathlib import Path

import numpy as np
import pytest
import soundfile

from tests.conftest import CHECKOUT
from tests.features.extracting import Rows, extract_measured, rows_of

ODD_AUDIO = CHECKOUT.parent / "shared" / "data" / "odd_audio"


@pytest.mark.skipif(not ODD_AUDIO.is_dir(), reason="the odd audio files are not here")
def test_every_odd_file_gives_a_track_or_a_failure(tmp_path: Path) -> None:
    with (ODD_AUDIO / "MANIFEST.csv").open(encoding="utf-8") as manifest:
        listed = {ODD_AUDIO / row["file"]: row for row in csv.DictReader(manifest)}
    slowest_s, peak_mb = extract_measured(listed, tmp_path)
    assert slowest_s < 60
    assert peak_mb < 1024
    rows: Rows = {}
    for table in tmp_path.iterdir():
        rows |= rows_of(table)
    assert {Path(path) for path in rows} == set(listed)
    for path, file in listed.items():
        row, decoded_s = rows[str(path)], float(file["ffmpeg_decoded_s_max120"])
        is_broken = file["category"] == "A_broken" or decoded_s < 0.01
        if is_broken or "cut short" in row.get("message", ""):
            assert "stage" in row, row
        else:
            assert row["duration_s"] == pytest.approx(decoded_s, abs=0.1)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("minutes", "level", "n_channels"), [(60, 0.2, 2), (180, 0.0, 1)]
)
def test_memory_does_not_grow_with_the_length(
    tmp_path: Path, minutes: int, level: float, n_channels: int
) -> None:
    path, rate_hz = tmp_path / "long.flac", 44_100
    rng = np.random.default_rng(1)
    noise = rng.normal(0, level, (60 * rate_hz, n_channels)).clip(-1, 1)
    with soundfile.SoundFile(path, "w", rate_hz, n_channels) as file:
        for _ in range(minutes):
            file.write(noise)
    slowest_s, peak_mb = extract_measured([path], tmp_path / "t")
    (row,) = rows_of(tmp_path / "t" / "0").values()
    assert row["duration_s"] == minutes * 60
    assert peak_mb < 400
    assert slowest_s < minutes
